"""The elements of a DICOM file, walked with every length held against the file, sequences and their items included.

A file (DICOM PS3.10) is 128 bytes of anything, ``DICM``, elements of group 2 that name the *transfer syntax*, and the
data set in that syntax. An element (PS3.5) is a tag (group, element), in explicit syntaxes two letters for what its
value is (*VR*), a length, and the value; a sequence is items, each of which holds elements again.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mroptimum.errors import UnreadableFile, UnsupportedData
from mroptimum.rawdata.bounded_file import BoundedFile

PREAMBLE_BYTES = 128
SIGNATURE = b"DICM"
UNKNOWN = "??"
"""The VR where the file does not tell it."""

TRANSFER_SYNTAX = 0x00020010
PIXEL_DATA = 0x7FE00010
IMPLICIT, EXPLICIT, EXPLICIT_BIG_ENDIAN, DEFLATED = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
)  # fmt: skip
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DELIMITERS = 0xFFFE
_GROUP_TWO = b"\x02\x00"
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_VRS = _LONG_VRS | frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_MOST_ELEMENTS = 200_000
_DEEPEST = 16
_EXPORT_AGAIN = "Export the image again."


@dataclass(frozen=True, kw_only=True)
class Element:
    """One element that holds a value: its tag as a number, its VR, where the value lies, and in how many sequences.

    ``is_encapsulated`` marks compressed pixel data, whose value is several fragments.
    """

    tag: int
    vr: str
    position: int
    length: int
    depth: int = 0
    is_encapsulated: bool = False

    @property
    def name(self) -> str:
        """The tag as DICOM writes it."""
        return f"({self.tag >> 16:04X},{self.tag & 0xFFFF:04X})"


@dataclass(frozen=True, kw_only=True)
class DicomStructure:
    """The elements of a file in its order, those inside of sequences too, and the syntax of the data set."""

    transfer_syntax: str
    elements: tuple[Element, ...]

    @property
    def byte_order(self) -> str:
        """How numbers of the data set are written, as `struct` says it."""
        return ">" if self.transfer_syntax == EXPLICIT_BIG_ENDIAN else "<"


def is_dicom(head: bytes) -> bool:
    """Return whether a file begins as DICOM files do."""
    return head[PREAMBLE_BYTES : PREAMBLE_BYTES + len(SIGNATURE)] == SIGNATURE


def walk_dicom(file: BoundedFile) -> DicomStructure:
    """Follow a file to its end. Raise `UnreadableFile` for damage, `UnsupportedData` for a deflated data set."""
    if not is_dicom(file.read_at(0, min(file.size, PREAMBLE_BYTES + len(SIGNATURE)))):
        raise UnreadableFile("The file is no DICOM file.", "Give a DICOM file (.dcm) with its 128-byte preamble.")
    meta = _Walk(file, is_explicit=True, order="<")
    start = meta.group_two(PREAMBLE_BYTES + len(SIGNATURE))
    syntax = next((_text(file, element) for element in meta.found if element.tag == TRANSFER_SYNTAX), None)
    if not syntax:
        raise UnreadableFile("It begins as a DICOM image and does not name its transfer syntax.", _EXPORT_AGAIN)
    if syntax == DEFLATED:
        raise UnsupportedData("The DICOM data set is deflated.", "Export it uncompressed (Explicit VR Little Endian).")
    body = _Walk(file, is_explicit=syntax != IMPLICIT, order=">" if syntax == EXPLICIT_BIG_ENDIAN else "<")
    body.elements(start, file.size, 0)
    return DicomStructure(transfer_syntax=syntax, elements=(*meta.found, *body.found))


@dataclass(frozen=True)
class _Head:
    tag: int
    vr: str
    length: int
    value_at: int


class _Walk:
    """Collects elements in one syntax."""

    def __init__(self, file: BoundedFile, *, is_explicit: bool, order: str) -> None:
        self._file = file
        self._is_explicit = is_explicit
        self._order = order
        self.found: list[Element] = []

    def group_two(self, position: int) -> int:
        """Collect the elements of group 2, and return where they end."""
        while position + 8 <= self._file.size and self._file.read_at(position, 2) == _GROUP_TWO:
            position = self._value(self._head(position, self._is_explicit), self._file.size, 0)
        return position

    def elements(self, position: int, end: int, depth: int, *, is_explicit: bool | None = None) -> int:
        """Collect elements up to `end`, or to the mark that ends an item; return where what follows begins."""
        explicit = self._is_explicit if is_explicit is None else is_explicit
        while position < end:
            head = self._head(position, explicit)
            if head.tag == _ITEM_END:
                return head.value_at
            if head.tag >> 16 == _DELIMITERS:
                raise _damaged(position)
            position = self._value(head, end, depth, is_explicit=explicit)
        if position > end:
            raise _damaged(end)
        return position

    def _value(self, head: _Head, end: int, depth: int, *, is_explicit: bool | None = None) -> int:
        explicit = self._is_explicit if is_explicit is None else is_explicit
        if head.length == _UNDEFINED:
            if head.tag == PIXEL_DATA and depth == 0:
                return self._fragments(head)
            # PS3.5, 6.2.2: unknown values of undefined length are sequences in the implicit syntax.
            return self._items(head.value_at, self._file.size, depth + 1, is_explicit=explicit and head.vr != "UN")
        after = head.value_at + head.length
        if after > end:
            raise _damaged(head.value_at)
        if head.vr == "SQ" or (head.vr == UNKNOWN and self._begins_with_item(head)):
            return self._items(head.value_at, after, depth + 1, is_explicit=explicit)
        self._add(Element(tag=head.tag, vr=head.vr, position=head.value_at, length=head.length, depth=depth))
        return after

    def _items(self, position: int, end: int, depth: int, *, is_explicit: bool) -> int:
        if depth > _DEEPEST:
            raise _damaged(position)
        while position < end:
            tag, length = self._item_head(position)
            position += 8
            if tag == _SEQUENCE_END:
                return position
            if tag != _ITEM:
                raise _damaged(position)
            item_end = end if length == _UNDEFINED else position + length
            if item_end > end:
                raise _damaged(position)
            position = self.elements(position, item_end, depth, is_explicit=is_explicit)
        return position

    def _fragments(self, head: _Head) -> int:
        position = head.value_at
        while True:
            tag, length = self._item_head(position)
            position += 8
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM or position + length > self._file.size:
                raise _damaged(position)
            position += length
        self._add(
            Element(
                tag=head.tag, vr=head.vr, position=head.value_at, length=position - head.value_at, is_encapsulated=True
            )
        )
        return position

    def _begins_with_item(self, head: _Head) -> bool:
        """Tell a sequence in the implicit syntax, which has no VR, by its first item."""
        if head.length < 8:
            return False
        tag, length = self._item_head(head.value_at)
        return tag == _ITEM and (length == _UNDEFINED or length + 8 <= head.length)

    def _item_head(self, position: int) -> tuple[int, int]:
        group, element, length = struct.unpack(f"{self._order}HHI", self._file.read_at(position, 8))
        return group << 16 | element, length

    def _head(self, position: int, is_explicit: bool) -> _Head:
        start = self._file.read_at(position, 8)
        group, element, length = struct.unpack(f"{self._order}HHI", start)
        tag = group << 16 | element
        if group == _DELIMITERS or not is_explicit:
            return _Head(tag, UNKNOWN, length, position + 8)
        vr = start[4:6]
        if vr not in _VRS:
            raise _damaged(position)
        if vr in _LONG_VRS:
            (length,) = struct.unpack(f"{self._order}I", self._file.read_at(position + 8, 4))
            return _Head(tag, vr.decode(), length, position + 12)
        (length,) = struct.unpack_from(f"{self._order}H", start, 6)
        return _Head(tag, vr.decode(), length, position + 8)

    def _add(self, element: Element) -> None:
        self.found.append(element)
        if len(self.found) > _MOST_ELEMENTS:
            raise UnreadableFile(f"The DICOM file has more than {_MOST_ELEMENTS:,} elements.", _EXPORT_AGAIN)


def _text(file: BoundedFile, element: Element) -> str:
    return file.read_at(element.position, min(element.length, 128)).decode("latin-1").rstrip("\0 ")


def _damaged(position: int) -> UnreadableFile:
    return UnreadableFile(f"The DICOM file is damaged or truncated at byte {position:,}.", _EXPORT_AGAIN)
