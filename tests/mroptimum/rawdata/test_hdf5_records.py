from __future__ import annotations

import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.hdf5_records import GlobalHeap, read_records

FLOATS = h5py.special_dtype(vlen=np.dtype("<f4"))
RECORD = np.dtype([("number", "<i4"), ("values", FLOATS)])


def written(path: Path, n: int, **storage: object) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """Write n records, each with an array of its own length; return the arrays."""
    arrays = [np.arange(index * 7 % 50, dtype=np.float32) + index for index in range(n)]
    rows = np.empty(n, RECORD)
    for index, values in enumerate(arrays):
        rows[index] = (index, values)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=rows, **storage)
    return arrays


@pytest.mark.parametrize(
    "storage",
    [{}, {"chunks": (1,)}, {"chunks": (7,)}, {"chunks": (64,), "maxshape": (None,)}],
    ids=["contiguous", "chunks of 1", "chunks of 7", "one chunk"],
)
def test_arrays_agree_with_those_the_library_reads(tmp_path: Path, storage: dict[str, object]) -> None:
    arrays = written(tmp_path / "file.h5", 40, **storage)
    with h5py.File(tmp_path / "file.h5", "r") as library, (tmp_path / "file.h5").open("rb") as opened:
        file = BoundedFile.of(opened)
        records = read_records(library["data"], file, 20)
        heap = GlobalHeap(file, 0)
        np.testing.assert_array_equal(records.field(0, np.dtype("<i4")), np.arange(40))
        for index, expected in enumerate(arrays):
            found = np.frombuffer(heap.array(records.reference(index, 4), item_bytes=4), "<f4")
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(found, library["data"][index]["values"])


def heap_of(path: Path) -> tuple[BoundedFile, GlobalHeap, bytes]:
    written(path, 3, chunks=(3,))
    with h5py.File(path, "r") as library, path.open("rb") as opened:
        reference = read_records(library["data"], BoundedFile.of(opened), 20).reference(2, 4)
    file = BoundedFile.of(path.open("rb"))
    return file, GlobalHeap(file, 0), reference


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(struct.pack("<IQI", 2**32 - 1, 4096, 1), id="a length beyond the file"),
        pytest.param(struct.pack("<IQI", 14, 2**63, 1), id="an address beyond the file"),
        pytest.param(struct.pack("<IQI", 14, 0, 1), id="no heap at the address"),
        pytest.param(struct.pack("<IQI", 14, 7, 60_000), id="no such index"),
    ],
)
def test_a_damaged_reference_is_refused(tmp_path: Path, reference: bytes) -> None:
    file, heap, whole = heap_of(tmp_path / "file.h5")
    with file.file:
        assert len(heap.array(whole, item_bytes=4)) == 4 * 14
        with pytest.raises(UnreadableFile, match="not where they should be"):
            heap.array(reference, item_bytes=4)


def test_an_empty_array_needs_no_heap(tmp_path: Path) -> None:
    file, heap, _ = heap_of(tmp_path / "file.h5")
    with file.file:
        assert heap.array(struct.pack("<IQI", 0, 2**63, 9), item_bytes=4) == b""


def test_missing_chunks_are_missing_records(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file.create_dataset("data", (40,), RECORD, chunks=(10,))
    with (
        h5py.File(tmp_path / "file.h5", "r") as library,
        (tmp_path / "file.h5").open("rb") as opened,
        pytest.raises(UnreadableFile, match="40 readouts are missing"),
    ):
        read_records(library["data"], BoundedFile.of(opened), 20)


def test_a_file_that_shrinks_while_it_is_read_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(1000))
    with path.open("rb") as opened:
        file = BoundedFile.of(opened)
        path.write_bytes(bytes(400))
        with pytest.raises(UnreadableFile, match="at least 100 bytes are missing"):
            file.read_at(300, 200)
        with pytest.raises(UnreadableFile, match="at least 5 bytes are missing"):
            file.read_at(995, 10)
