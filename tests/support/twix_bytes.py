"""Change a Siemens file byte by byte, to make files that no writer makes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mroptimum.rawdata.recognise import recognise
from mroptimum.rawdata.twix_structure import walk

Counter = Literal["line", "average", "slice", "partition", "contrast", "phase", "repetition", "set"]
_COUNTERS: tuple[Counter, ...] = ("line", "average", "slice", "partition", "contrast", "phase", "repetition", "set")
REFLECT, RAW_DATA_CORRECTION, NOISE, PHASE_CORRECTION, MULTIBAND = 1 << 24, 1 << 10, 1 << 25, 1 << 21, 1 << 38


class TwixBytes:
    """The bytes of a file, and the positions of its readouts by measurement."""

    def __init__(self, path: Path) -> None:
        self.content = bytearray(path.read_bytes())
        self.is_ve = recognise(path).value == "twix-ve"
        self.structure = walk(path, is_ve=self.is_ve)

    def readouts(self, measurement: int = -1) -> list[int]:
        """Positions of the readouts of one measurement."""
        return list(self.structure.measurements[measurement].readout_positions)

    def replace_text(self, old: bytes, new: bytes) -> None:
        """Overwrite a text wherever it stands, by one of the same length."""
        assert len(old) == len(new)
        assert old in self.content
        self.content[:] = self.content.replace(old, new)

    def add_flags(self, position: int, flags: int) -> None:
        """Set bits of a readout's evaluation mask."""
        for head in self._heads(position):
            (mask,) = struct.unpack_from("<Q", self.content, head)
            struct.pack_into("<Q", self.content, head, mask | flags)

    def set_counter(self, position: int, counter: Counter, value: int) -> None:
        """Change a counter of a readout."""
        for head in self._heads(position):
            struct.pack_into("<H", self.content, head + 12 + 2 * _COUNTERS.index(counter), value)

    def set_centre_line(self, position: int, value: int) -> None:
        """Change the k-space centre line that a readout names."""
        for head in self._heads(position):
            struct.pack_into("<H", self.content, head + 56, value)

    def set_place(self, position: int, place: tuple[float, ...]) -> None:
        """Change position (3) and quaternion (4) of a readout's slice."""
        for head in self._heads(position):
            struct.pack_into("<7f", self.content, head + (60 if self.is_ve else 76), *place)

    def save(self, path: Path) -> Path:
        """Write the bytes as they are now."""
        path.write_bytes(self.content)
        return path

    def _heads(self, position: int) -> Iterator[int]:
        """Positions of the evaluation mask of each header of a readout: one in VE, one a channel in VB."""
        if self.is_ve:
            yield position + 40
            return
        n_samples, n_channels = struct.unpack_from("<HH", self.content, position + 28)
        for channel in range(n_channels):
            yield position + channel * (128 + 8 * n_samples) + 20
