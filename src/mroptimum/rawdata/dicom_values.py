"""Values of a DICOM data set by their tags, and nothing looked at that is not asked for."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cached_property

from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.dicom_elements import DicomStructure, Element

_LONGEST_TEXT = 1024


@dataclass(frozen=True)
class DicomValues:
    """The data set of an open file."""

    file: BoundedFile
    structure: DicomStructure

    def element(self, tag: int) -> Element | None:
        """Return the element with a tag: that of the data set, else the first in a sequence, None if there is none."""
        return self._by_tag.get(tag)

    @cached_property
    def _by_tag(self) -> dict[int, Element]:
        found: dict[int, Element] = {}
        for element in self.structure.elements:
            known = found.get(element.tag)
            if element.length and (known is None or element.depth < known.depth):
                found[element.tag] = element
        return found

    def private(self, group: int, number: int, creator: str) -> Element | None:
        """Return a private element: `number` in the block of its group that belongs to `creator`."""
        for block in range(0x10, 0x100):
            if self.text(group << 16 | block) == creator:
                return self.element(group << 16 | block << 8 | number)
        return None

    def content(self, element: Element) -> bytes:
        """Return the bytes of a value."""
        return self.file.read_at(element.position, element.length)

    def text(self, tag: int) -> str:
        """Return a value as text, empty where there is none."""
        return self.text_of(self.element(tag))

    def text_of(self, element: Element | None) -> str:
        """Return a value as text, empty where there is none."""
        if element is None or element.length > _LONGEST_TEXT:
            return ""
        return self.content(element).decode("latin-1").strip("\0 ")

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return the numbers of a decimal text, empty if one of them is none."""
        return decimals(self.text(tag))

    def number(self, tag: int) -> float | None:
        """Return the first number of a decimal text."""
        return next(iter(self.numbers(tag)), None)

    def whole(self, tag: int) -> int | None:
        """Return an unsigned number of two bytes (US)."""
        element = self.element(tag)
        if element is None or element.length != 2:
            return None
        return int(struct.unpack(f"{self.structure.byte_order}H", self.content(element))[0])

    def double(self, tag: int) -> float | None:
        """Return a binary number of eight bytes (FD)."""
        element = self.element(tag)
        if element is None or element.length != 8:
            return None
        value = float(struct.unpack(f"{self.structure.byte_order}d", self.content(element))[0])
        return value if math.isfinite(value) else None


def decimals(text: str) -> tuple[float, ...]:
    r"""Return the numbers of a decimal text, `1.5\2`, empty if one of them is none."""
    try:
        values = tuple(float(part) for part in text.split("\\") if part.strip())
    except ValueError:
        return ()
    return values if all(math.isfinite(value) and abs(value) < 1e15 for value in values) else ()
