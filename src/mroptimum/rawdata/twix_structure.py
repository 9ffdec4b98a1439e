"""The skeleton of a Siemens TWIX file, walked before any decoder is let near it.

A TWIX file says how long everything is and readers believe it: a damaged length makes them loop for ever, read past the
end or fill what is missing with zeros. Here every length is held against the file's real size.

Layout: VD/VE/XA files begin with a table of up to 64 measurements (*raids*), VA/VB files hold one from byte 0. A
measurement is a header (its length, the number of its texts, then name, length and text of each) followed by blocks:
readouts of all channels, synchronisation data, and one end mark.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.bounded_file import BoundedFile

TABLE_ENTRY_BYTES = 152
TABLE_START = 8
PATIENT_FIELD_OFFSET = 24
PATIENT_FIELD_BYTES = 64
_MAX_MEASUREMENTS = 64

VE_SCAN_HEADER_BYTES = 192
VE_CHANNEL_HEADER_BYTES = 32
VB_CHANNEL_HEADER_BYTES = 128
_BYTES_PER_SAMPLE = 8

_END_MARK = 1 << 0
_SYNCHRONISATION = 1 << 5
_VE_MASK_OFFSET = 40
_VB_MASK_OFFSET = 20
_LENGTH_BITS = (1 << 25) - 1
_MAX_TEXTS = 64
_MAX_TEXT_NAME_BYTES = 48
_TEXT_LENGTH_BYTES = 4
_MAX_CHANNELS = 2048

_EXPORT_AGAIN = "Export the measurement from the scanner again (and check that the copy has the same size)."


@dataclass(frozen=True, kw_only=True)
class Text:
    """One of the texts of a measurement's header: its name and where its bytes lie."""

    name: str
    start: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measurement: where its texts and its readouts lie, counted in bytes from the start of the file."""

    start: int
    end: int
    texts: tuple[Text, ...]
    readout_positions: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TwixStructure:
    """All measurements of a file, each followed to its end mark, and the patient fields of the table as they are."""

    is_ve: bool
    size: int
    measurements: tuple[Measurement, ...]
    patient_fields: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class _Extent:
    """Where a measurement lies by the table; `is_length_known` is false where only the end of the file bounds it."""

    start: int
    end: int
    is_length_known: bool


def walk(path: Path, *, is_ve: bool) -> TwixStructure:
    """Follow the file to its end; raise `UnreadableFile` where it does not say what such a file must say."""
    with path.open("rb") as opened:
        file = BoundedFile.of(opened)
        if is_ve:
            extents, patient_fields = _table(file)
        else:
            extents, patient_fields = [_Extent(start=0, end=file.size, is_length_known=False)], ()
        measurements = tuple(
            _measurement(file, extent, number, is_ve=is_ve) for number, extent in enumerate(extents, 1)
        )
    return TwixStructure(is_ve=is_ve, size=file.size, measurements=measurements, patient_fields=patient_fields)


def _table(file: BoundedFile) -> tuple[list[_Extent], tuple[bytes, ...]]:
    (count,) = struct.unpack("<I", file.read_at(4, 4))
    if not 1 <= count <= _MAX_MEASUREMENTS:
        raise UnreadableFile(f"The table of measurements is damaged ({count} entries).", _EXPORT_AGAIN)
    extents: list[_Extent] = []
    patient_fields: list[bytes] = []
    reached = TABLE_START + TABLE_ENTRY_BYTES * count
    for number in range(1, count + 1):
        entry = file.read_at(TABLE_START + TABLE_ENTRY_BYTES * (number - 1), TABLE_ENTRY_BYTES)
        start, length = struct.unpack_from("<QQ", entry, 8)
        extent = _extent(start, length, f"measurement {number} of {count}", reached, file.size, is_only=count == 1)
        extents.append(extent)
        patient_fields.append(entry[PATIENT_FIELD_OFFSET : PATIENT_FIELD_OFFSET + PATIENT_FIELD_BYTES])
        reached = extent.end
    return extents, tuple(patient_fields)


def _extent(start: int, length: int, name: str, reached: int, size: int, *, is_only: bool) -> _Extent:
    if length == 0 and not is_only:
        raise UnreadableFile(f"The table of measurements gives no length for {name}.", _EXPORT_AGAIN)
    if start < reached:
        raise UnreadableFile(f"The table of measurements is damaged: {name} overlaps what is before it.", _EXPORT_AGAIN)
    if start >= size:
        raise UnreadableFile(
            f"The file is truncated: {name} should begin at byte {start:,}, the file ends at byte {size:,}.",
            _EXPORT_AGAIN,
        )
    # XA software leaves the length of a file's only measurement at 0.
    return _Extent(start=start, end=start + length if length else size, is_length_known=length > 0)


def _measurement(file: BoundedFile, extent: _Extent, number: int, *, is_ve: bool) -> Measurement:
    texts, first_block = _header(file, extent, number)
    positions = _readouts(file, first_block, extent, is_ve=is_ve)
    if extent.end > file.size:
        raise _truncated(positions, extent.end - file.size, at_least=False)
    return Measurement(start=extent.start, end=extent.end, texts=texts, readout_positions=tuple(positions))


def _header(file: BoundedFile, extent: _Extent, number: int) -> tuple[tuple[Text, ...], int]:
    damaged = f"The header of measurement {number} is damaged"
    length, n_texts = struct.unpack("<II", file.read_at(extent.start, 8))
    end = extent.start + length
    there = min(extent.end, file.size)
    if end > there:
        raise UnreadableFile(
            f"The header of measurement {number} is {length:,} bytes long, but only {there - extent.start:,} bytes are "
            "there: the file is truncated or damaged.",
            _EXPORT_AGAIN,
        )
    if not 1 <= n_texts <= _MAX_TEXTS:
        raise UnreadableFile(f"{damaged} ({n_texts} texts).", _EXPORT_AGAIN)
    texts: list[Text] = []
    position = extent.start + 8
    for _ in range(n_texts):
        name, terminator, _ = file.read_at(position, max(min(_MAX_TEXT_NAME_BYTES, end - position), 0)).partition(b"\0")
        start = position + len(name) + 1 + _TEXT_LENGTH_BYTES
        if not name or not terminator or start > end:
            raise UnreadableFile(f"{damaged} (a text has no name).", _EXPORT_AGAIN)
        (text_length,) = struct.unpack("<I", file.read_at(start - _TEXT_LENGTH_BYTES, _TEXT_LENGTH_BYTES))
        if start + text_length > end:
            raise UnreadableFile(f"{damaged} (a text is longer than the header).", _EXPORT_AGAIN)
        texts.append(Text(name=name.decode("latin-1"), start=start, length=text_length))
        position = start + text_length
    return tuple(texts), end


def _readouts(file: BoundedFile, position: int, extent: _Extent, *, is_ve: bool) -> list[int]:
    """Return the positions of all readouts up to the end mark."""
    head_bytes = VE_SCAN_HEADER_BYTES if is_ve else VB_CHANNEL_HEADER_BYTES
    there = min(extent.end, file.size)
    positions: list[int] = []
    while True:
        if position + head_bytes > there:
            raise _ends_early(positions, position + head_bytes, extent, file.size)
        block = _block(file.read_at(position, head_bytes), is_ve=is_ve)
        if block.kind is _Kind.END_MARK:
            return positions
        if block.length < head_bytes:
            raise _damaged(positions, position, block.found)
        if position + block.length > there:
            if extent.is_length_known and extent.end <= file.size:
                raise _damaged(positions, position, f"{block.found} in the last {there - position:,} bytes")
            raise _ends_early(positions, position + block.length, extent, file.size)
        if block.kind is _Kind.READOUT:
            positions.append(position)
        position += block.length


class _Kind(Enum):
    READOUT = "readout"
    SYNCHRONISATION = "synchronisation data"
    END_MARK = "end mark"


@dataclass(frozen=True, kw_only=True)
class _Block:
    """What stands at a position, in words too; a length of 0 is one that cannot be."""

    kind: _Kind
    length: int
    found: str


def _block(head: bytes, *, is_ve: bool) -> _Block:
    (flags_and_length,) = struct.unpack_from("<I", head)
    mask, n_samples, n_channels = struct.unpack_from("<QHH", head, _VE_MASK_OFFSET if is_ve else _VB_MASK_OFFSET)
    announced = flags_and_length & _LENGTH_BITS
    if mask & _END_MARK:
        return _Block(kind=_Kind.END_MARK, length=announced, found="an end mark")
    if mask & _SYNCHRONISATION:
        found = f"synchronisation data of {announced} bytes"
        return _Block(kind=_Kind.SYNCHRONISATION, length=announced, found=found)
    found = f"{n_channels} channels of {n_samples} samples"
    if n_samples == 0 or not 1 <= n_channels <= _MAX_CHANNELS:
        return _Block(kind=_Kind.READOUT, length=0, found=found)
    # Computed, because the announced length is wrong where several readouts are packed together.
    samples = _BYTES_PER_SAMPLE * n_samples
    if is_ve:
        length = VE_SCAN_HEADER_BYTES + n_channels * (VE_CHANNEL_HEADER_BYTES + samples)
    else:
        length = n_channels * (VB_CHANNEL_HEADER_BYTES + samples)
    return _Block(kind=_Kind.READOUT, length=length, found=found)


def _ends_early(positions: list[int], needed: int, extent: _Extent, size: int) -> UnreadableFile:
    if not extent.is_length_known:
        return _truncated(positions, needed - size, at_least=True)
    if extent.end > size:
        return _truncated(positions, extent.end - size, at_least=False)
    return UnreadableFile(
        f"A measurement ends after {len(positions)} readouts without its end mark: the scan was interrupted or the "
        "file is damaged.",
        _EXPORT_AGAIN,
    )


def _truncated(positions: list[int], missing: int, *, at_least: bool) -> UnreadableFile:
    amount = f"at least {missing:,}" if at_least else f"{missing:,}"
    return UnreadableFile(
        f"The file is truncated: it ends after {len(positions)} complete readouts, and {amount} bytes are missing.",
        _EXPORT_AGAIN,
    )


def _damaged(positions: list[int], position: int, found: str) -> UnreadableFile:
    return UnreadableFile(
        f"The file is damaged at byte {position:,}, after {len(positions)} readouts: {found} cannot be.", _EXPORT_AGAIN
    )
