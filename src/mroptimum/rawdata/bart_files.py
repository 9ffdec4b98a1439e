"""BART's pair of files: NAME.cfl with the samples, NAME.hdr with their dimensions, beside each other or in one zip.

A .cfl is complex numbers of single precision, little-endian, first dimension fastest, and nothing else; a .hdr is text,
with the lengths in the line after ``# Dimensions``. A unit knows files by their content alone, so that there the two
have to come in one zip.
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.acquisition import Complex64
from mroptimum.rawdata.limits import refuse_if_absurd
from mroptimum.rawdata.zip_files import DAMAGE, begins_as_zip

SAMPLES, HEADER = ".cfl", ".hdr"
HEADER_SIGNATURE = b"# Dimensions"
N_DIMENSIONS = 16
_SAMPLE_BYTES = 8
_MAX_HEADER_BYTES = 2**20
_MAX_MEMBERS = 16
_LENGTHS = re.compile(rb"^# Dimensions[ \t]*\r?\n[ \t]*(\d{1,18}(?:[ \t]+\d{1,18}){0,15})[ \t]*\r?$", re.MULTILINE)
_WRITE_AGAIN = "Write it again with BART, and copy both files, NAME.cfl and NAME.hdr."


@dataclass(frozen=True, kw_only=True)
class BartArray:
    """An array of BART: its 16 lengths in BART's order, and where its samples are (`member`: in which zip member)."""

    dimensions: tuple[int, ...]
    path: Path
    member: str | None

    def load(self) -> Complex64:
        """Return the samples with all 16 axes in reverse: the readout, BART's first dimension, is the last axis."""
        n_bytes = _SAMPLE_BYTES * math.prod(self.dimensions)
        with self.opened() as file:
            content = file.read(n_bytes)
        if len(content) < n_bytes:
            raise UnreadableFile(
                f"The .cfl file is truncated: {n_bytes - len(content):,} bytes are missing.", _WRITE_AGAIN
            )
        return np.frombuffer(content, "<c8").reshape(self.dimensions[::-1]).astype(np.complex64, copy=False)

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the samples."""
        if self.member is None:
            with self.path.open("rb") as file:
                yield file
            return
        with _damage_explained(), zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
            yield file


def is_pair_in_zip(path: Path) -> bool:
    """Return whether a file is a zip of a pair of BART's files."""
    if not begins_as_zip(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return _pair(archive) is not None
    except DAMAGE:
        return False


def header_beside(path: Path) -> Path | None:
    """Return the .hdr file that belongs to a .cfl file, None where there is none."""
    beside = path.with_suffix(HEADER)
    if path.suffix != SAMPLES or not beside.is_file():
        return None
    with beside.open("rb") as file:
        return beside if file.read(len(HEADER_SIGNATURE)) == HEADER_SIGNATURE else None


def is_bart(path: Path) -> bool:
    """Return whether a file is an array of BART: a .cfl with its .hdr beside it, or a zip of both."""
    return header_beside(path) is not None or is_pair_in_zip(path)


def open_bart(path: Path) -> BartArray:
    """Return the array of a .cfl file with its .hdr beside it, or of a zip that holds both.

    The lengths are held against the size of the samples. Raise `UnreadableFile` for anything else.
    """
    dimensions = _dimensions(read_header(path))
    if header_beside(path) is not None:
        _refuse_other_size(dimensions, path.stat().st_size)
        return BartArray(dimensions=dimensions, path=path, member=None)
    with _damage_explained(), zipfile.ZipFile(path) as archive:
        samples, _ = _pair_of(archive)
    _refuse_other_size(dimensions, samples.file_size)
    refuse_if_absurd(samples.file_size, path.stat().st_size, "The array")
    return BartArray(dimensions=dimensions, path=path, member=samples.filename)


def read_header(path: Path) -> bytes:
    """Return the text of an array's .hdr file. Raise `UnreadableFile` where there is none."""
    beside = header_beside(path)
    if beside is not None:
        with beside.open("rb") as file:
            return file.read(_MAX_HEADER_BYTES)
    with _damage_explained(), zipfile.ZipFile(path) as archive:
        _, header = _pair_of(archive)
        with archive.open(header) as member:
            return member.read(_MAX_HEADER_BYTES)


def _pair_of(archive: zipfile.ZipFile) -> tuple[zipfile.ZipInfo, zipfile.ZipInfo]:
    pair = _pair(archive)
    if pair is None:
        raise UnreadableFile("There is no .hdr file for the .cfl file.", _WRITE_AGAIN)
    return pair


def _pair(archive: zipfile.ZipFile) -> tuple[zipfile.ZipInfo, zipfile.ZipInfo] | None:
    """Return samples and header, None unless there is exactly one of each and both have one name."""
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if len(members) > _MAX_MEMBERS:
        return None
    samples = [member for member in members if member.filename.endswith(SAMPLES)]
    headers = [member for member in members if member.filename.endswith(HEADER)]
    if len(samples) != 1 or len(headers) != 1:
        return None
    if samples[0].filename.removesuffix(SAMPLES) != headers[0].filename.removesuffix(HEADER):
        return None
    return samples[0], headers[0]


def _dimensions(text: bytes) -> tuple[int, ...]:
    found = _LENGTHS.search(text)
    if found is None:
        raise UnreadableFile("The .hdr file gives no dimensions.", _WRITE_AGAIN)
    lengths = [int(word) for word in found.group(1).split()]
    if min(lengths) < 1:
        raise UnreadableFile(f"The .hdr file gives a dimension of {min(lengths)}.", _WRITE_AGAIN)
    return (*lengths, *(1 for _ in range(N_DIMENSIONS - len(lengths))))


def _refuse_other_size(dimensions: tuple[int, ...], size: int) -> None:
    wanted = _SAMPLE_BYTES * math.prod(dimensions)
    if wanted != size:
        raise UnreadableFile(
            f"The .hdr file announces {wanted:,} bytes of samples, the .cfl file has {size:,}: one of them is damaged, "
            "truncated, or belongs to another.",
            _WRITE_AGAIN,
        )


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise UnreadableFile(f"The zip file is damaged ({type(error).__name__}).", "Pack both files again.") from error
