from __future__ import annotations

import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

from mroptimum.errors import RawDataError, UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.phantom import Phantom, Scan, simulate
from mroptimum.rawdata import FileFormat, inspect, mat5, read, read_noise
from mroptimum.rawdata.bounded_file import BoundedFile

Array = NDArray[np.generic]


@pytest.fixture(scope="module")
def scan() -> Scan:
    return simulate(Phantom(n_x=20, n_y=16, n_coils=3, n_slices=2, n_noise_readouts=18, sigma=0.05))


@pytest.fixture(scope="module")
def signal(scan: Scan) -> NDArray[np.complex64]:
    """K-space as MATLAB tools keep it: (x, y, slice, coil)."""
    return np.ascontiguousarray(scan.kspace[0, 0].transpose(3, 2, 0, 1))


@pytest.fixture(scope="module")
def noise(scan: Scan) -> NDArray[np.complex64]:
    """The noise as MATLAB tools keep it: (x, y, coil)."""
    return np.ascontiguousarray(scan.noise.transpose(2, 0, 1))


def save_v73(path: Path, arrays: dict[str, Array]) -> None:
    """Write as MATLAB's `save -v7.3` does: HDF5 behind 512 bytes of text, axes reversed, complex numbers as pairs."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            real = array.real.astype(array.real.dtype)
            pairs = np.empty(array.T.shape, [("real", real.dtype), ("imag", real.dtype)])
            pairs["real"], pairs["imag"] = array.real.T, array.imag.T
            file[name] = pairs
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def save(path: Path, kind: str, arrays: dict[str, Array]) -> None:
    if kind == "v7.3":
        save_v73(path, arrays)
    else:
        scipy.io.savemat(path, arrays, do_compression=kind == "v7")


@pytest.mark.parametrize("kind", ["v6", "v7", "v7.3"])
@pytest.mark.parametrize("precision", [np.complex64, np.complex128])
def test_signal_and_noise_are_read(
    tmp_path: Path, scan: Scan, signal: Array, noise: Array, kind: str, precision: type[np.complexfloating]
) -> None:
    save(tmp_path / "scan.mat", kind, {"S": signal.astype(precision), "N": noise.astype(precision), "note": np.ones(3)})
    acquisition = read(tmp_path / "scan.mat")
    assert acquisition.file_format is FileFormat.MAT
    np.testing.assert_array_equal(acquisition.kspace, scan.kspace[:, :, :, :, np.newaxis])
    assert acquisition.noise is not None
    np.testing.assert_array_equal(acquisition.noise.samples, scan.noise)
    np.testing.assert_array_equal(read_noise(tmp_path / "scan.mat").samples, scan.noise)
    assert acquisition.dwell_time_s is None
    assert acquisition.geometry == ()
    assert not acquisition.is_oversampling_known
    assert inspect(tmp_path / "scan.mat").kind == "imaging"


@pytest.mark.parametrize("kind", ["v6", "v7", "v7.3"])
def test_one_slice_and_one_coil_need_no_axis(tmp_path: Path, signal: Array, kind: str) -> None:
    save(tmp_path / "slice.mat", kind, {"kspace": signal[:, :, 0]})
    assert read(tmp_path / "slice.mat").kspace.shape == (1, 1, 1, 3, 1, 16, 20)
    save(tmp_path / "coil.mat", kind, {"kspace": signal[:, :, 0, 1]})
    np.testing.assert_array_equal(read(tmp_path / "coil.mat").kspace[0, 0, 0, 0, 0], signal[:, :, 0, 1].T)


def test_a_single_array_needs_no_name(tmp_path: Path, signal: Array, noise: Array) -> None:
    save(tmp_path / "any.mat", "v7", {"whatever": signal})
    assert read(tmp_path / "any.mat").n_slices == 2
    save(tmp_path / "noise.mat", "v7", {"something": noise})
    assert read_noise(tmp_path / "noise.mat").n_coils == 3


def test_names_that_say_nothing_are_refused_with_the_names_that_do(tmp_path: Path, signal: Array) -> None:
    save(tmp_path / "two.mat", "v7", {"a": signal, "b": signal})
    for reader, wanted in ((read, "kspace"), (read_noise, "noise")):
        with pytest.raises(WrongKindOfFile, match=r"a \(20, 16, 2, 3\)") as caught:
            reader(tmp_path / "two.mat")
        assert wanted in caught.value.next_step


def test_real_arrays_are_no_raw_data(tmp_path: Path, signal: Array) -> None:
    save(tmp_path / "image.mat", "v7", {"S": np.abs(signal)})
    with pytest.raises(WrongKindOfFile, match="it holds none"):
        read(tmp_path / "image.mat")


def test_five_axes_are_refused(tmp_path: Path, signal: Array) -> None:
    save(tmp_path / "five.mat", "v7", {"S": np.stack([signal, signal], axis=-1)})
    with pytest.raises(UnsupportedData, match="5 axes"):
        read(tmp_path / "five.mat")


def test_undersampling_is_seen_in_the_zeros(tmp_path: Path, signal: Array) -> None:
    undersampled = signal.copy()
    keep = sorted({*range(1, 16, 2), *range(6, 10)})
    undersampled[:, [line for line in range(16) if line not in keep]] = 0
    save(tmp_path / "r2.mat", "v7", {"S": undersampled})
    acquisition = read(tmp_path / "r2.mat")
    assert acquisition.acceleration == (2, 1)
    np.testing.assert_array_equal(np.flatnonzero(acquisition.sampled[0]), range(1, 16, 2))
    assert (acquisition.kspace[..., ::2, :] == 0).all()
    assert acquisition.calibration is not None
    np.testing.assert_array_equal(np.flatnonzero(acquisition.calibration.sampled[0]), [5, 6, 7, 8, 9])
    np.testing.assert_array_equal(acquisition.calibration.kspace[0, :, 0, 6], signal[:, 6, 0].T)


@pytest.mark.parametrize("kind", ["v6", "v7"])
def test_our_reader_of_version_5_agrees_with_scipy(tmp_path: Path, rng: np.random.Generator, kind: str) -> None:
    def integers(shape: tuple[int, ...], limit: int) -> Array:
        return (rng.integers(-limit, limit, shape) + 1j * rng.integers(-limit, limit, shape)).astype(np.complex128)

    arrays: dict[str, Array] = {
        "x": (rng.standard_normal((3, 4)) + 1j).astype(np.complex64),
        "a_rather_long_name_of_an_array": integers((5, 2, 3), 100),
        "large": integers((2, 2), 10**6),
        "column": integers((7, 1), 3),
        "empty": np.empty((0, 3), np.complex64),
    }
    others = {"text": np.array("hello"), "real": np.eye(3), "cells": np.array([1, "a"], object), "s": {"b": 1}}
    scipy.io.savemat(tmp_path / "file.mat", {**others, **arrays}, do_compression=kind == "v7")
    expected = scipy.io.loadmat(tmp_path / "file.mat")
    with (tmp_path / "file.mat").open("rb") as opened:
        file = BoundedFile.of(opened)
        found = {matrix.name: mat5.load(file, matrix) for matrix in mat5.complex_matrices(file)}
    assert set(found) == set(arrays)
    for name in arrays:
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].dtype == expected[name].dtype


def element(kind: int, content: bytes, order: str) -> bytes:
    return struct.pack(f"{order}II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(order: str, numbers: str, kind: int, real: list[int], imaginary: list[int]) -> bytes:
    """A complex double matrix 2 x 2 whose numbers are stored as small integers, as MATLAB does where it can."""
    return element(
        14,
        element(6, struct.pack(f"{order}II", 6 | 0x0800, 0), order)
        + element(5, struct.pack(f"{order}ii", 2, 2), order)
        + element(1, b"S", order)
        + element(kind, struct.pack(f"{order}4{numbers}", *real), order)
        + element(kind, struct.pack(f"{order}4{numbers}", *imaginary), order),
        order,
    )


@pytest.mark.parametrize(("order", "mark"), [("<", b"IM"), (">", b"MI")])
@pytest.mark.parametrize(("numbers", "kind"), [("b", 1), ("h", 3), ("i", 5), ("d", 9)])
def test_numbers_may_be_stored_as_integers_in_either_byte_order(
    tmp_path: Path, order: str, mark: bytes, numbers: str, kind: int
) -> None:
    content = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", 0x0100) + mark
    content += matrix(order, numbers, kind, [1, 2, 3, 4], [-1, -2, -3, -4])
    (tmp_path / "file.mat").write_bytes(content)
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / "file.mat")["S"], [[1 - 1j, 3 - 3j], [2 - 2j, 4 - 4j]])
    with (tmp_path / "file.mat").open("rb") as opened:
        file = BoundedFile.of(opened)
        (found,) = mat5.complex_matrices(file)
        np.testing.assert_array_equal(mat5.load(file, found), [[1 - 1j, 3 - 3j], [2 - 2j, 4 - 4j]], strict=True)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A small compressed element that claims to hold gigabytes, and does."""
    head = element(6, struct.pack("<II", 6 | 0x0800, 0), "<") + element(5, struct.pack("<ii", 20_000, 20_000), "<")
    inner = head + element(1, b"S", "<") + struct.pack("<II", 9, 8 * 20_000**2)
    packed = zlib.compress(struct.pack("<II", 14, 2**31) + inner + bytes(10**7))
    content = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(packed)) + packed
    (tmp_path / "bomb.mat").write_bytes(content)
    with pytest.raises(UnreadableFile, match="MiB"):
        read(tmp_path / "bomb.mat")


def test_an_absurd_shape_in_hdf5_allocates_nothing(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.mat", "w", userblock_size=512) as file:
        file.create_dataset("S", (10_000, 10_000, 100), [("real", "<f8"), ("imag", "<f8")], chunks=True)
    with (tmp_path / "file.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    with pytest.raises(UnreadableFile, match="MiB"):
        read(tmp_path / "file.mat")


@pytest.mark.parametrize("kind", ["v6", "v7", "v7.3"])
def test_truncation_is_refused_wherever_it_is(tmp_path: Path, signal: Array, kind: str) -> None:
    save(tmp_path / "whole.mat", kind, {"S": signal})
    content = (tmp_path / "whole.mat").read_bytes()
    for share in np.linspace(0.02, 0.99, 20):
        (tmp_path / "cut.mat").write_bytes(content[: int(share * len(content))])
        with pytest.raises(RawDataError):
            read(tmp_path / "cut.mat")


def test_numbers_beyond_single_precision_are_refused(tmp_path: Path, signal: Array) -> None:
    save(tmp_path / "huge.mat", "v7", {"S": signal.astype(np.complex128) * 1e60})
    with pytest.raises(UnreadableFile, match="not finite"):
        read(tmp_path / "huge.mat")
