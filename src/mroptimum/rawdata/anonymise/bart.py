"""BART: its two files become one zip, whose header says the dimensions and none of the commands and names of files."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from mroptimum.rawdata.bart_files import HEADER, HEADER_SIGNATURE, SAMPLES, BartArray, open_bart, read_header
from mroptimum.rawdata.patient_fields import rules

_SECTION = re.compile(rb"^# (\w+)[ \t]*\r?$((?:\n(?!#).*)*)", re.MULTILINE)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_NAME = "array"


def filled_sections(path: Path) -> tuple[str, ...]:
    """Return the sections of an array's header that hold names of files."""
    named = {rule["name"] for rule in rules()["bart"]}
    found = {name.decode() for name, content in _SECTION.findall(read_header(path)) if content.strip()}
    return tuple(sorted(found & named))


def is_clean_zip(path: Path) -> bool:
    """Return whether an array lies in one zip already, and its header says nothing but the dimensions."""
    return open_bart(path).member is not None and not filled_sections(path)


def write_clean_zip(path: Path, output: Path) -> None:
    """Write an array and a header of its dimensions into one zip file, the same bytes for the same array."""
    array = open_bart(path)
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member(HEADER), _header(array))
        with array.opened() as samples, archive.open(_member(SAMPLES), "w", force_zip64=True) as target:
            shutil.copyfileobj(samples, target, 2**20)


def _header(array: BartArray) -> bytes:
    return HEADER_SIGNATURE + b"\n" + " ".join(map(str, array.dimensions)).encode() + b"\n"


def _member(suffix: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(_NAME + suffix, date_time=_ZIP_DATE)
    member.external_attr = 0o644 << 16
    return member
