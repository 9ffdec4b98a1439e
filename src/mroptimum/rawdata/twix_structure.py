"""The skeleton of a Siemens TWIX file, walked before any decoder is let near it.

A TWIX file says how long everything is and readers believe it: a damaged length makes them loop for ever, read past the
end or fill what is missing with zeros. Here every length is held against the file's real size.

Layout: VD/VE/XA files begin with a table of up to 64 measurements (*raids*), VA/VB files hold one from byte 0. A
measurement is a header (its length, the number of its texts, then name, length and text of each) followed by blocks:
readouts of all channels, synchronisation data, and one end mark.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from mroptimum.errors import UnreadableFile

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
_LENGTH_BITS = (1 << 25) - 1
_MAX_TEXTS = 64
_MAX_TEXT_NAME_BYTES = 48
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
    start: int
    end: int
    is_length_known: bool


def walk(path: Path, *, is_ve: bool) -> TwixStructure:
    """Follow the file to its end; raise `UnreadableFile` where it does not say what such a file must say."""
    size = path.stat().st_size
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if is_ve:
            extents, patient_fields = _table(content, size)
        else:
            extents, patient_fields = [_Extent(start=0, end=size, is_length_known=False)], ()
        measurements = tuple(
            _measurement(content, size, extent, number, is_ve=is_ve) for number, extent in enumerate(extents, 1)
        )
    return TwixStructure(is_ve=is_ve, size=size, measurements=measurements, patient_fields=patient_fields)


def _table(content: mmap.mmap, size: int) -> tuple[list[_Extent], tuple[bytes, ...]]:
    (count,) = struct.unpack_from("<I", content, 4)
    table_end = TABLE_START + TABLE_ENTRY_BYTES * count
    if not 1 <= count <= _MAX_MEASUREMENTS or table_end > size:
        raise UnreadableFile(f"The table of measurements is damaged ({count} entries).", _EXPORT_AGAIN)
    extents: list[_Extent] = []
    patient_fields: list[bytes] = []
    reached = table_end
    for number in range(1, count + 1):
        entry = TABLE_START + TABLE_ENTRY_BYTES * (number - 1)
        start, length = struct.unpack_from("<QQ", content, entry + 8)
        name = f"measurement {number} of {count}"
        # XA software leaves the length of a file's only measurement at 0.
        is_length_known = not (count == 1 and length == 0)
        end = start + length if is_length_known else size
        if is_length_known and length == 0:
            raise UnreadableFile(f"The table of measurements gives no length for {name}.", _EXPORT_AGAIN)
        if start < reached:
            raise UnreadableFile(
                f"The table of measurements is damaged: {name} overlaps what is before it.", _EXPORT_AGAIN
            )
        if start >= size:
            raise UnreadableFile(
                f"The file is truncated: {name} should begin at byte {start:,}, the file ends at byte {size:,}.",
                _EXPORT_AGAIN,
            )
        extents.append(_Extent(start=start, end=end, is_length_known=is_length_known))
        field = entry + PATIENT_FIELD_OFFSET
        patient_fields.append(bytes(content[field : field + PATIENT_FIELD_BYTES]))
        reached = end
    return extents, tuple(patient_fields)


def _measurement(content: mmap.mmap, size: int, extent: _Extent, number: int, *, is_ve: bool) -> Measurement:
    end = min(extent.end, size)
    texts, first_block = _header(content, extent.start, end, number)
    positions = _blocks(content, first_block, end, extent, size, is_ve=is_ve)
    if extent.is_length_known and extent.end > size:
        raise _truncated(len(positions), extent.end - size, at_least=False)
    return Measurement(start=extent.start, end=end, texts=texts, readout_positions=tuple(positions))


def _header(content: mmap.mmap, start: int, end: int, number: int) -> tuple[tuple[Text, ...], int]:
    if start + 8 > end:
        raise UnreadableFile(f"The file ends in the header of measurement {number}.", _EXPORT_AGAIN)
    length, n_texts = struct.unpack_from("<II", content, start)
    header_end = start + length
    if header_end > end:
        raise UnreadableFile(
            f"The header of measurement {number} is {length:,} bytes long, but only {end - start:,} bytes are there: "
            "the file is truncated or damaged.",
            _EXPORT_AGAIN,
        )
    if not 1 <= n_texts <= _MAX_TEXTS:
        raise UnreadableFile(f"The header of measurement {number} is damaged ({n_texts} texts).", _EXPORT_AGAIN)
    texts: list[Text] = []
    position = start + 8
    for _ in range(n_texts):
        name_end = content.find(b"\0", position, min(position + _MAX_TEXT_NAME_BYTES, header_end))
        if name_end <= position or name_end + 5 > header_end:
            raise UnreadableFile(f"The header of measurement {number} is damaged (a text has no name).", _EXPORT_AGAIN)
        (text_length,) = struct.unpack_from("<I", content, name_end + 1)
        text_start = name_end + 5
        if text_start + text_length > header_end:
            raise UnreadableFile(
                f"The header of measurement {number} is damaged (a text is longer than the header).", _EXPORT_AGAIN
            )
        name = bytes(content[position:name_end]).decode("latin-1")
        texts.append(Text(name=name, start=text_start, length=text_length))
        position = text_start + text_length
    return tuple(texts), header_end


def _blocks(content: mmap.mmap, position: int, end: int, extent: _Extent, size: int, *, is_ve: bool) -> list[int]:
    head = VE_SCAN_HEADER_BYTES if is_ve else VB_CHANNEL_HEADER_BYTES
    mask_offset = 40 if is_ve else 20
    positions: list[int] = []
    while True:
        if position + head > end:
            if extent.is_length_known:
                if extent.end <= size:
                    raise UnreadableFile(
                        f"A measurement ends after {len(positions)} readouts without its end mark: "
                        "the scan was interrupted or the file is damaged.",
                        _EXPORT_AGAIN,
                    )
                raise _truncated(len(positions), extent.end - size, at_least=False)
            raise _truncated(len(positions), position + head - end, at_least=True)
        (flags_and_length,) = struct.unpack_from("<I", content, position)
        mask, n_samples, n_channels = struct.unpack_from("<QHH", content, position + mask_offset)
        if mask & _END_MARK:
            return positions
        if mask & _SYNCHRONISATION:
            length = flags_and_length & _LENGTH_BITS
            if length < head:
                raise _damaged(len(positions), position, f"synchronisation data of {length} bytes")
        else:
            if n_samples == 0 or not 1 <= n_channels <= _MAX_CHANNELS:
                raise _damaged(len(positions), position, f"{n_channels} channels of {n_samples} samples")
            data = _BYTES_PER_SAMPLE * n_samples
            if is_ve:
                length = VE_SCAN_HEADER_BYTES + n_channels * (VE_CHANNEL_HEADER_BYTES + data)
            else:
                length = n_channels * (VB_CHANNEL_HEADER_BYTES + data)
        if position + length > end:
            if extent.is_length_known and extent.end <= size:
                raise _damaged(len(positions), position, f"{length:,} bytes in {end - position:,}")
            missing = extent.end - size if extent.is_length_known else position + length - end
            raise _truncated(len(positions), missing, at_least=not extent.is_length_known)
        if not mask & _SYNCHRONISATION:
            positions.append(position)
        position += length


def _truncated(n_readouts: int, missing: int, *, at_least: bool) -> UnreadableFile:
    amount = f"at least {missing:,}" if at_least else f"{missing:,}"
    return UnreadableFile(
        f"The file is truncated: it ends after {n_readouts} complete readouts, and {amount} bytes are missing.",
        _EXPORT_AGAIN,
    )


def _damaged(n_readouts: int, position: int, found: str) -> UnreadableFile:
    return UnreadableFile(
        f"The file is damaged at byte {position:,}, after {n_readouts} readouts: {found} cannot be.", _EXPORT_AGAIN
    )
