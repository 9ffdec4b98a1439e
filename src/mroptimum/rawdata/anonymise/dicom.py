"""DICOM: every value is blanked that is not on the list of what describes the image. Private values go with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from mroptimum.rawdata.anonymise.blanks import Kind, Patch, patch
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.dicom_elements import PREAMBLE_BYTES, UNKNOWN, DicomStructure, Element
from mroptimum.rawdata.patient_fields import DicomElement, rules

PREAMBLE = "preamble"
_BURNED_IN_ANNOTATION = 0x00280301


def dicom_patches(file: BoundedFile, structure: DicomStructure) -> Iterator[Patch]:
    """Yield what to write over a file so that its elements identify nobody."""
    yield from patch(PREAMBLE, Kind.BYTES, 0, file.read_at(0, PREAMBLE_BYTES))
    known = _known()
    creators: dict[int, str] = {}
    for element in structure.elements:
        if _is_creator(element):
            creators[element.tag] = file.read_at(element.position, element.length).decode("latin-1").strip("\0 ")
        if element.length == 0 or known.is_kept(element, creators):
            continue
        value = file.read_at(element.position, element.length)
        yield from patch(known.name_of(element), known.kind_of(element), element.position, value)


def notes_of(file: BoundedFile, structure: DicomStructure) -> tuple[str, ...]:
    """Return what a person should know who sends the file on."""
    burned_in = next((e for e in structure.elements if e.tag == _BURNED_IN_ANNOTATION and e.depth == 0), None)
    notes = ["Every identifier was blanked: the file is for measuring, not for an archive."]
    if burned_in and file.read_at(burned_in.position, burned_in.length).strip(b"\0 ") == b"YES":
        notes.append("The header says that text is burned into the picture (BurnedInAnnotation); that is left in it.")
    return tuple(notes)


def _is_creator(element: Element) -> bool:
    """Return whether an element says whose the private elements of its group are."""
    return bool(element.tag >> 16 & 1) and 0x10 <= element.tag & 0xFFFF <= 0xFF and element.length <= 64


@dataclass(frozen=True)
class _Known:
    kept: frozenset[int]
    private: tuple[tuple[re.Pattern[str], str], ...]
    named: Mapping[int, DicomElement]
    kinds: Mapping[str, Kind]

    def is_kept(self, element: Element, creators: Mapping[int, str]) -> bool:
        group, number = element.tag >> 16, element.tag & 0xFFFF
        if element.tag in self.kept or number == 0 or group == 0xFFFC:
            return True
        if not group & 1:
            return False
        if _is_creator(element):
            return True
        creator = creators.get(group << 16 | number >> 8)
        tag = f"{group:04X},{number:04X}"
        return any(pattern.fullmatch(tag) and creator == whose for pattern, whose in self.private)

    def name_of(self, element: Element) -> str:
        if element.tag in self.named:
            return self.named[element.tag]["name"]
        return f"private elements ({element.tag >> 16:04X})" if element.tag >> 16 & 1 else element.name

    def kind_of(self, element: Element) -> Kind:
        """Return what a value is; what nobody tells is bytes."""
        named = self.named.get(element.tag)
        vr = named["vr"] if element.vr == UNKNOWN and named else element.vr
        return self.kinds.get(vr, Kind.BYTES)


@cache
def _known() -> _Known:
    of_dicom = rules()["dicom"]
    return _Known(
        kept=frozenset(_number(element["tag"]) for element in of_dicom["keep"]),
        private=tuple(
            (re.compile(element["tag"].replace("x", "[0-9A-F]")), element.get("creator", ""))
            for element in of_dicom["keep_private"]
        ),
        named={_number(element["tag"]): element for element in of_dicom["blank"]},
        kinds={vr: Kind(kind) for kind, vrs in of_dicom["kinds"].items() for vr in vrs},
    )


def _number(tag: str) -> int:
    return int(tag.replace(",", ""), 16)
