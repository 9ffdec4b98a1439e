"""Records of an HDF5 dataset and the variable-length arrays they point to, read without the library's own conversion.

The HDF5 library crashes, or never returns, on a damaged reference to a variable-length array, and it is slow with
many of them. So the library only says where the records lie; they and the heaps with the arrays are read here, every
position held against the size of the file.

On disk a variable-length array is a reference: its length (4 bytes), the address of a *global heap collection* (8) and
an index in it (4). A collection is ``GCOL``, its version (1), 3 bytes, its size (8), then objects: index (2), count
(2), 4 bytes, size (8) and the bytes themselves, padded to a multiple of 8 (HDF5 file format specification, III.E).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, UnsupportedData
from mroptimum.rawdata.bounded_file import BoundedFile

REFERENCE_BYTES = 16
_COLLECTION_HEADER_BYTES = 16
_OBJECT_HEADER_BYTES = 16
_DAMAGED = "Export or convert the measurement again."


@dataclass(frozen=True, kw_only=True)
class Records:
    """The bytes of all records of a one-dimensional dataset, ``(record, byte)``; the first begins at ``position``."""

    content: NDArray[np.uint8]
    position: int = 0

    def field(self, offset: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return one field of every record."""
        part = np.ascontiguousarray(self.content[:, offset : offset + dtype.itemsize])
        return part.view(dtype)[:, 0]

    def reference(self, record: int, offset: int) -> bytes:
        """Return the reference to a variable-length array in one record."""
        return self.content[record, offset : offset + REFERENCE_BYTES].tobytes()


def read_records(dataset: Any, file: BoundedFile, record_bytes: int) -> Records:
    """Read all records, each `record_bytes` long on disk, of an uncompressed, one-dimensional h5py dataset."""
    (n_records,) = dataset.shape
    if dataset.id.get_create_plist().get_nfilters():
        raise UnsupportedData(
            "The readouts' headers are stored compressed.", "Rewrite the file with `h5repack -f NONE`."
        )
    content = np.zeros((n_records, record_bytes), np.uint8)
    if dataset.chunks is None:
        position = dataset.id.get_offset()
        if position is None:
            raise UnsupportedData("The readouts are stored in an uncommon way.", "Rewrite the file with `h5repack`.")
        content[:] = _bytes_at(file, int(position), n_records * record_bytes).reshape(n_records, record_bytes)
        return Records(content=content, position=int(position))
    (chunk_records,) = dataset.chunks
    chunks: list[tuple[int, int]] = []
    dataset.id.chunk_iter(lambda chunk: chunks.append((int(chunk.chunk_offset[0]), int(chunk.byte_offset))))
    reached = 0
    for first, position in sorted(chunks):
        if first != reached:
            break
        count = min(chunk_records, n_records - first)
        content[first : first + count] = _bytes_at(file, position, count * record_bytes).reshape(count, record_bytes)
        reached = first + count
    if reached < n_records:
        raise UnreadableFile(f"The file is truncated or damaged: {n_records - reached} readouts are missing.", _DAMAGED)
    return Records(content=content, position=min(chunks)[1] if chunks else 0)


@dataclass(frozen=True)
class GlobalHeap:
    """The variable-length arrays of a file, found by reference. `base` is where HDF5's addresses count from."""

    file: BoundedFile
    base: int
    _collections: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def array(self, reference: bytes, item_bytes: int) -> bytes:
        """Return the bytes of a variable-length array of items of a given size."""
        position, count = self.place(reference, item_bytes)
        return self.file.read_at(position, count)

    def place(self, reference: bytes, item_bytes: int) -> tuple[int, int]:
        """Return where a variable-length array of items of a given size begins, and its bytes."""
        length, address, index = struct.unpack("<IQI", reference)
        if length == 0:
            return 0, 0
        position, size = self._objects(self.base + address).get(index, (0, 0))
        if length * item_bytes > size:
            raise UnreadableFile("The file is damaged: a readout's samples are not where they should be.", _DAMAGED)
        return position, length * item_bytes

    def _objects(self, address: int) -> dict[int, tuple[int, int]]:
        """Return position and size of each object of a collection; none where there is no collection."""
        if address not in self._collections:
            self._collections[address] = _collection(self.file, address)
        return self._collections[address]


def _collection(file: BoundedFile, address: int) -> dict[int, tuple[int, int]]:
    if address + _COLLECTION_HEADER_BYTES > file.size:
        return {}
    signature, size = struct.unpack("<4s4xQ", file.read_at(address, _COLLECTION_HEADER_BYTES))
    if signature != b"GCOL":
        return {}
    end = min(address + size, file.size)
    position = address + _COLLECTION_HEADER_BYTES
    objects: dict[int, tuple[int, int]] = {}
    while position + _OBJECT_HEADER_BYTES <= end:
        index, _, object_bytes = struct.unpack("<HH4xQ", file.read_at(position, _OBJECT_HEADER_BYTES))
        start = position + _OBJECT_HEADER_BYTES
        if index == 0 or start + object_bytes > end:  # index 0 is the free space at the end
            break
        objects[index] = (start, object_bytes)
        position = start + object_bytes + -object_bytes % 8
    return objects


def _bytes_at(file: BoundedFile, position: int, count: int) -> NDArray[np.uint8]:
    return np.frombuffer(file.read_at(position, count), np.uint8)
