from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

from mroptimum.coils.array_file import ONLY, is_matlab, read_arrays
from mroptimum.errors import UnreadableFile

VALUES = np.arange(24.0).reshape(2, 3, 4) * (1 + 2j)


def matlab_v73(path: Path, values: NDArray[np.complexfloating[Any, Any]]) -> None:
    """Write as MATLAB does: its own text, then HDF5 with axes reversed and complex numbers as pairs."""
    pairs = np.empty(values.T.shape, dtype=[("real", "<f8"), ("imag", "<f8")])
    pairs["real"], pairs["imag"] = values.T.real, values.T.imag
    with h5py.File(path, "w", userblock_size=512) as file:
        file["maps"] = pairs
        file["kept"] = values.T.real
        file.create_group("not an array")
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(512))


def test_npy_and_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(VALUES))
    np.savez(tmp_path / "a.npz", maps=VALUES, names=np.array(["text"]))
    assert np.array_equal(read_arrays(tmp_path / "a.npy", max_bytes=1000)[ONLY], VALUES)
    found = read_arrays(tmp_path / "a.npz", max_bytes=1000)
    assert found.keys() == {"maps"}
    assert np.array_equal(found["maps"], VALUES)
    assert not is_matlab(tmp_path / "a.npz")


def test_matlab_axes_are_reversed_in_both_versions(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "5.mat", {"maps": VALUES.transpose(2, 1, 0), "text": "words"})
    matlab_v73(tmp_path / "73.mat", VALUES.transpose(2, 1, 0))
    for name in ("5.mat", "73.mat"):
        assert is_matlab(tmp_path / name)
        assert np.array_equal(read_arrays(tmp_path / name, max_bytes=1000)["maps"], VALUES)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat", "73.mat"])
def test_what_is_too_large_to_be_meant_is_left_out_unread(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    match name:
        case "a.npy":
            np.save(path, VALUES)
        case "a.npz":
            np.savez_compressed(path, maps=VALUES)
        case "a.mat":
            scipy.io.savemat(path, {"maps": VALUES})
        case _:
            matlab_v73(path, VALUES)
    assert read_arrays(path, max_bytes=20) == {}


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert read_arrays(tmp_path / "a.npy", max_bytes=1000) == {}


def test_a_header_that_claims_more_than_there_is_is_not_believed(tmp_path: Path) -> None:
    header = b"{'descr': '<c16', 'fortran_order': False, 'shape': (999, 999), }".ljust(117) + b"\n"
    claimed = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    (tmp_path / "a.npy").write_bytes(claimed)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("maps.npy", claimed)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(UnreadableFile, match="EOFError"):
            read_arrays(tmp_path / name, max_bytes=10**8)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat", "73.mat"])
def test_every_damaged_file_is_an_error_in_words_or_still_arrays(
    name: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / name
    match name:
        case "a.npy":
            np.save(path, VALUES)
        case "a.npz":
            np.savez(path, maps=VALUES)
        case "a.mat":
            scipy.io.savemat(path, {"maps": VALUES}, do_compression=True)
        case _:
            matlab_v73(path, VALUES)
    whole = path.read_bytes()
    refused = 0
    for length in rng.integers(16, len(whole), 12):
        path.write_bytes(whole[:length])
        refused += _is_refused(path)
    assert refused > 0
    for _ in range(40):
        mutated = bytearray(whole)
        for place in rng.integers(8, len(whole), 3):
            mutated[place] = rng.integers(256)
        path.write_bytes(mutated)
        _is_refused(path)


def _is_refused(path: Path) -> bool:
    try:
        read_arrays(path, max_bytes=10_000)
    except UnreadableFile:
        return True
    return False


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"GIF89a" + bytes(50))
    with pytest.raises(UnreadableFile, match="no arrays"):
        read_arrays(tmp_path / "a", max_bytes=1000)
