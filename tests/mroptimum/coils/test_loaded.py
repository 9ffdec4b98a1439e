from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray

from mroptimum.coils.loaded import read_maps
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.errors import ReconstructionError, UnreadableFile, WrongKindOfFile
from mroptimum.export.nifti import stacks, write_nifti

GRID = SliceGrid(n_slices=2, n_coils=3, n_y=4, n_x=5)


@pytest.fixture
def maps(rng: np.random.Generator) -> NDArray[np.complex64]:
    """(slice, coil, y, x)."""
    values = rng.normal(size=(2, 3, 4, 5)) + 1j * rng.normal(size=(2, 3, 4, 5))
    return np.asarray(values, dtype=np.complex64)


@pytest.fixture
def lower(rng: np.random.Generator) -> NDArray[np.complex128]:
    """L of a noise covariance L L^H."""
    values = np.tril(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)), -1) + np.diag([1.0, 2.0, 0.5])
    return np.asarray(values, dtype=np.complex128)


def whitened(maps: NDArray[np.complex64], lower: NDArray[np.complex128]) -> NDArray[np.complex64]:
    return np.asarray(np.einsum("cd,sdyx->scyx", np.linalg.inv(lower), maps), dtype=np.complex64)


@pytest.mark.parametrize("name", ["a.npy", "maps.npz", "any_name.npz", "maps.mat", "any_name.mat"])
def test_maps_of_the_recorded_coils_come_back_as_they_are(
    name: str, maps: NDArray[np.complex64], tmp_path: Path
) -> None:
    path = tmp_path / name
    match path.suffix:
        case ".npy":
            np.save(path, maps)
        case ".npz":
            arrays: dict[str, Any] = {path.stem: maps, "comment": np.array(["text"])}
            np.savez(path, **arrays)
        case _:
            scipy.io.savemat(path, {path.stem: maps.transpose(3, 2, 0, 1)})
    found = read_maps(path, GRID)
    assert np.array_equal(found, maps)
    assert found.dtype == np.complex64


def test_an_axis_of_one_slice_or_one_coil_may_be_missing(maps: NDArray[np.complex64], tmp_path: Path) -> None:
    np.save(tmp_path / "slice.npy", maps[0])
    np.save(tmp_path / "coil.npy", maps[:, 0])
    scipy.io.savemat(tmp_path / "slice.mat", {"maps": maps[0].transpose(2, 1, 0)})
    one_slice = SliceGrid(n_slices=1, n_coils=3, n_y=4, n_x=5)
    one_coil = SliceGrid(n_slices=2, n_coils=1, n_y=4, n_x=5)
    assert np.array_equal(read_maps(tmp_path / "slice.npy", one_slice), maps[:1])
    assert np.array_equal(read_maps(tmp_path / "slice.mat", one_slice), maps[:1])
    assert np.array_equal(read_maps(tmp_path / "coil.npy", one_coil), maps[:, :1])


def test_maps_that_say_how_they_were_whitened_are_taken_back(
    maps: NDArray[np.complex64], lower: NDArray[np.complex128], tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", maps=whitened(maps, lower), whitening=np.linalg.inv(lower))
    np.testing.assert_allclose(read_maps(tmp_path / "a.npz", GRID), maps, atol=1e-5)


def test_our_own_matlab_export_is_known_and_taken_back(
    maps: NDArray[np.complex64], lower: NDArray[np.complex128], tmp_path: Path
) -> None:
    arrays = {
        "SNR": np.ones((5, 4, 2)),
        "Noise_Covariance": lower @ lower.conj().T,
        "Noise_Coefficients": np.eye(3),
        "Coil_Sensitivities": whitened(maps, lower).transpose(3, 2, 0, 1),
    }
    scipy.io.savemat(tmp_path / "matlab.mat", arrays)
    np.testing.assert_allclose(read_maps(tmp_path / "matlab.mat", GRID), maps, atol=1e-5)


def package(
    folder: Path, maps: NDArray[np.complex64], lower: NDArray[np.complex128], *, arrays: bool, top: str = ""
) -> Path:
    """Lay out maps as a result package does: arrays and noise as .npz, magnitude and phase as NIfTI pairs."""
    data = folder / "data"
    data.mkdir()
    stored = whitened(maps, lower)
    np.savez_compressed(data / "noise.npz", covariance=lower @ lower.conj().T, correlation=np.eye(3))
    if arrays:
        np.savez_compressed(data / "coil_sensitivities.npz", maps=stored)
    [stack] = stacks((), len(maps), maps.shape[2:])
    for coil in range(maps.shape[1]):
        for name, values in (("", np.abs(stored[:, coil])), ("_phase", np.angle(stored[:, coil]))):
            path = data / f"coil_sensitivity_{coil + 1}{name}.nii.gz"
            write_nifti(path, values.astype(np.float32), stack, unit="1", description="test")
    with zipfile.ZipFile(folder / "package.zip", "w") as archive:
        archive.writestr("info.json", "{}")
        for path in sorted(data.iterdir()):
            archive.write(path, f"{top}data/{path.name}")
    return folder / "package.zip"


@pytest.mark.parametrize("arrays", [True, False])
@pytest.mark.parametrize("top", ["", "result of Monday/"])
def test_the_package_of_an_earlier_result_gives_the_maps_of_the_recorded_coils(
    arrays: bool, top: str, maps: NDArray[np.complex64], lower: NDArray[np.complex128], tmp_path: Path
) -> None:
    path = package(tmp_path, maps, lower, arrays=arrays, top=top)
    np.testing.assert_allclose(read_maps(path, GRID), maps, atol=1e-5)


def test_a_package_of_fewer_coils_is_refused(
    maps: NDArray[np.complex64], lower: NDArray[np.complex128], tmp_path: Path
) -> None:
    path = package(tmp_path, maps, lower, arrays=False)
    with pytest.raises(ReconstructionError, match=r"6 files of coil maps .* 4 coils and needs 8"):
        read_maps(path, SliceGrid(n_slices=2, n_coils=4, n_y=4, n_x=5))


def test_a_zip_without_maps_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("data/snr.nii.gz", b"")
    with pytest.raises(WrongKindOfFile, match="no coil maps"):
        read_maps(tmp_path / "a.zip", GRID)


@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (3, 4, 5), (2, 4, 5), (2, 2, 4, 5), (4, 3, 4, 5)])
def test_maps_of_another_scan_are_refused_with_both_shapes(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", maps=np.ones(shape, dtype=np.complex64))
    with pytest.raises(ReconstructionError) as refusal:
        read_maps(tmp_path / "a.npz", GRID)
    assert str(shape) in refusal.value.message
    assert "(2, 3, 4, 5)" in refusal.value.message


def test_magnitudes_are_not_maps(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", maps=np.ones((2, 3, 4, 5)))
    with pytest.raises(WrongKindOfFile, match="maps are complex"):
        read_maps(tmp_path / "a.npz", GRID)


def test_several_arrays_are_not_guessed_at(maps: NDArray[np.complex64], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=maps, right=maps)
    with pytest.raises(WrongKindOfFile, match="2 arrays"):
        read_maps(tmp_path / "a.npz", GRID)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_refused(value: float, maps: NDArray[np.complex64], tmp_path: Path) -> None:
    maps[0, 0, 0, 0] = value
    np.save(tmp_path / "a.npy", maps)
    with pytest.raises(UnreadableFile, match="not numbers"):
        read_maps(tmp_path / "a.npy", GRID)


@pytest.mark.parametrize("whitening", [np.ones((3, 3)), np.eye(2), np.ones(9)])
def test_a_whitening_matrix_that_is_none_is_refused(
    whitening: NDArray[np.float64], maps: NDArray[np.complex64], tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", maps=maps, whitening=whitening)
    with pytest.raises((ReconstructionError, UnreadableFile), match="whitening matrix"):
        read_maps(tmp_path / "a.npz", GRID)
