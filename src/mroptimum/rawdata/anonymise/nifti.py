"""NIfTI: the fields of text in the header, and header extensions, where converters copy what they find."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.anonymise.blanks import Kind, Patch, patch
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.patient_fields import Place, rules

_NIFTI1_BYTES, _NIFTI2_BYTES = 348, 540
_VOX_OFFSET_1, _VOX_OFFSET_2 = 108, 168
_LARGEST_EXTENSION = 2**26


def is_nifti(head: bytes) -> bool:
    """Return whether a file begins as NIfTI-1 or NIfTI-2 in one file does."""
    return head[344:348] == b"n+1\0" or head[4:12] == b"n+2\0\r\n\x1a\n"


def nifti_patches(file: BoundedFile) -> Iterator[Patch]:
    """Yield what to write over an uncompressed file so that its header identifies nobody."""
    head = file.read_at(0, min(_NIFTI2_BYTES, file.size))
    is_second = head[4:12] == b"n+2\0\r\n\x1a\n"
    header_bytes = _NIFTI2_BYTES if is_second else _NIFTI1_BYTES
    places: list[Place] = rules()["nifti"]["nifti2" if is_second else "nifti1"]
    for place in places:
        value = head[place["offset"] : place["offset"] + place["bytes"]]
        yield from patch(place["name"], Kind.BYTES, place["offset"], value)
    order = "<" if struct.unpack_from("<i", head)[0] == header_bytes else ">"
    if is_second:
        (data_at,) = struct.unpack_from(f"{order}q", head, _VOX_OFFSET_2)
    else:
        (offset,) = struct.unpack_from(f"{order}f", head, _VOX_OFFSET_1)
        data_at = int(offset) if 0 <= offset < 2**31 else 0
    first = header_bytes + 4
    if not first <= data_at <= min(file.size, first + _LARGEST_EXTENSION):
        if data_at == header_bytes:
            return
        raise UnreadableFile("The NIfTI header says nothing usable of where its voxels begin.", "Save the image again.")
    # The four bytes before say whether there are extensions: they go, too, for what is left is none.
    has_extensions = file.read_at(first, data_at - first).strip(b"\0")
    if has_extensions:
        extensions = file.read_at(header_bytes, data_at - header_bytes)
        yield from patch(rules()["nifti"]["extensions"], Kind.BYTES, header_bytes, extensions)
