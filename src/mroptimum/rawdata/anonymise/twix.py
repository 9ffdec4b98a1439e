"""Siemens TWIX: the texts of every measurement's header, and the table of measurements of VD/VE/XA files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from mroptimum.rawdata.anonymise.blanks import Kind, Patch, patch
from mroptimum.rawdata.anonymise.siemens_texts import Value, patches_of_texts
from mroptimum.rawdata.patient_fields import rules
from mroptimum.rawdata.twix_structure import TABLE_ENTRY_BYTES, TABLE_START, TwixStructure


def twix_patches(file: BinaryIO, structure: TwixStructure) -> Iterator[Patch]:
    """Yield what to write over an open file so that its headers identify nobody."""
    known: list[Value] = []
    loose: list[tuple[int, bytes]] = []
    if structure.is_ve:
        of_patient, of_protocol = rules()["twix"]["measurement_table"], rules()["twix"]["measurement_table_protocol"]
        for number in range(len(structure.measurements)):
            entry = TABLE_START + TABLE_ENTRY_BYTES * number
            position = entry + of_patient["offset"]
            name = _read(file, position, of_patient["bytes"]).rstrip(b"\0")
            yield from patch(of_patient["name"], Kind.TEXT, position, name)
            if name:
                known.append(Value(field=of_patient["name"], kind=Kind.TEXT, start=0, content=name, has_parts=True))
            protocol = entry + of_protocol["offset"]
            loose.append((protocol, _read(file, protocol, of_protocol["bytes"])))
    texts = [
        (text.start, _read(file, text.start, text.length))
        for measurement in structure.measurements
        for text in measurement.texts
    ]
    yield from patches_of_texts(texts, known=known, loose=loose)


def _read(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)
