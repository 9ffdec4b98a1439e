"""A TWIX file, opened: its structure checked, the header and the readouts of each measurement decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mroptimum.rawdata.acquisition import FileFormat
from mroptimum.rawdata.anonymise.blanks import names_of
from mroptimum.rawdata.anonymise.twix import twix_patches
from mroptimum.rawdata.readout import Readout, Role
from mroptimum.rawdata.twix_header import TwixHeader, parse_header
from mroptimum.rawdata.twix_readouts import TwixReadouts, decode
from mroptimum.rawdata.twix_structure import Measurement, TwixStructure, walk


@dataclass(frozen=True, kw_only=True)
class TwixMeasurement:
    """One measurement: what its header says, and its readouts."""

    header: TwixHeader
    lines: TwixReadouts

    @property
    def imaging(self) -> list[Readout]:
        """The readouts that belong to an image."""
        return [readout for readout in self.lines.readouts if readout.role.is_imaging]

    @property
    def noise(self) -> list[Readout]:
        """The readouts marked as noise."""
        return [readout for readout in self.lines.readouts if readout.role is Role.NOISE]

    def coil_names(self, readout: Readout) -> tuple[str, ...]:
        """Return the names of the coils in the order of a readout's samples, empty if the header does not name all."""
        names = [self.header.coil_names.get(number, "") for number in self.lines.channel_numbers(readout)]
        return tuple(names) if all(names) else ()


@dataclass(frozen=True, kw_only=True)
class TwixContent:
    """All measurements of an open file. `identifying_fields` are names of header fields, never their values."""

    structure: TwixStructure
    measurements: tuple[TwixMeasurement, ...]
    identifying_fields: tuple[str, ...]


@contextmanager
def open_twix(path: Path, file_format: FileFormat) -> Iterator[TwixContent]:
    """Check and decode a file; samples can be read while the context lasts. Raise `UnreadableFile` for damage."""
    structure = walk(path, is_ve=file_format is FileFormat.TWIX_VE)
    with path.open("rb") as file:
        texts = [_texts(file, measurement) for measurement in structure.measurements]
        yield TwixContent(
            structure=structure,
            measurements=tuple(
                TwixMeasurement(
                    header=parse_header(header_texts), lines=decode(file, measurement, is_ve=structure.is_ve)
                )
                for measurement, header_texts in zip(structure.measurements, texts, strict=True)
            ),
            identifying_fields=names_of(twix_patches(file, structure)),
        )


def _texts(file: BinaryIO, measurement: Measurement) -> dict[str, str]:
    texts: dict[str, str] = {}
    for text in measurement.texts:
        file.seek(text.start)
        texts[text.name] = file.read(text.length).decode("latin-1")
    return texts
