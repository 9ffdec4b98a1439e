"""Runs that take coil maps, a mask, a body-coil scan or a flip-angle map from files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from mroptimum.errors import ReconstructionError, TaskError
from mroptimum.export.package import Provenance, write_package
from mroptimum.phantom import Phantom, Scan, closed_form, simulate, write_twix_ve
from mroptimum.result import MapId, Result
from mroptimum.run import run
from mroptimum.task import TaskDocument
from tasks import map_of

PHANTOM = Phantom(n_coils=8, n_x=64, n_y=64, n_slices=2, sigma=0.005, acceleration=2, n_calibration_lines=24)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scan]:
    path = tmp_path_factory.mktemp("scan") / "scan.dat"
    scan = simulate(PHANTOM)
    write_twix_ve(path, scan)
    return path, scan


def local(path: Path) -> dict[str, Any]:
    return {"type": "file", "options": {"type": "local", "filename": str(path)}}


def run_with(path: Path, name: str = "sense", *, output: dict[str, bool] | None = None, **options: object) -> Result:
    reconstructor = {"name": name, "options": {"signal": local(path), **options}}
    task = {"name": "ac", "options": {"reconstructor": reconstructor}}
    document = TaskDocument.parse({"task": task, "output": output or {}})
    return run(document, locate=lambda reference: Path(reference.options.filename))


def sensitivity(**options: object) -> dict[str, Any]:
    return {"options": options}


@pytest.mark.parametrize("method", ["inner", "innerACL", "espirit", "walsh", "inati"])
def test_every_kind_of_coil_maps_gives_the_closed_form(method: str, scanned: tuple[Path, Scan]) -> None:
    path, scan = scanned
    truth = closed_form(scan)
    result = run_with(path, sensitivityMap=sensitivity(sensitivityMapMethod=method), acl=[None, 24])
    found = map_of(result, MapId.SNR).data[truth.mask].mean()
    # 24 lines of 64 blur the maps at the object's edge, which costs every method a few percent there at most.
    assert found / truth.sense_snr[truth.mask].mean() == pytest.approx(1, abs=0.03)
    assert any(sentence.startswith("Coil maps: ") for sentence in result.methods)


def test_maps_of_an_earlier_result_give_its_snr_again(scanned: tuple[Path, Scan], tmp_path: Path) -> None:
    path, _ = scanned
    first = run_with(path, output={"coilsensitivity": True})
    write_package(first, tmp_path / "package", provenance=Provenance())
    for source in ("package.zip", "data/coil_sensitivities.npz"):
        maps = sensitivity(loadSensitivity=True, sensitivityMapSource=local(tmp_path / "package" / source))
        again = run_with(path, sensitivityMap=maps)
        np.testing.assert_allclose(map_of(again, MapId.SNR).data, map_of(first, MapId.SNR).data, rtol=1e-4, atol=1e-3)
        assert [of_input.role for of_input in again.inputs] == ["signal", "coil maps"]


def test_a_mask_from_a_file_limits_every_map(scanned: tuple[Path, Scan], tmp_path: Path) -> None:
    path, scan = scanned
    mask = closed_form(scan).mask
    np.save(tmp_path / "mask.npy", mask)
    options = sensitivity(mask={"method": "upload", "file": local(tmp_path / "mask.npy")})
    result = run_with(path, sensitivityMap=options)
    for number in (MapId.SNR, MapId.SENSE_G, MapId.IMAGE):
        values = map_of(result, number).data
        assert not values[~mask].any()
        assert values[mask].all()


def test_a_flip_angle_map_corrects_the_snr(scanned: tuple[Path, Scan], tmp_path: Path) -> None:
    path, _ = scanned
    angle = np.full((2, 64, 64), 30.0)
    angle[:, :, :8] = 0
    np.save(tmp_path / "angle.npy", angle)
    correction = {"useCorrection": True, "faCorrection": local(tmp_path / "angle.npy")}
    plain, found = run_with(path), run_with(path, correction=correction)
    before, after = map_of(plain, MapId.SNR).data, map_of(found, MapId.SNR).data
    np.testing.assert_allclose(after[:, :, 8:], before[:, :, 8:] * 2, rtol=1e-5)
    assert not after[:, :, :8].any()
    np.save(tmp_path / "angle.npy", angle[:, :-1])
    with pytest.raises(ReconstructionError, match="flip-angle map has shape"):
        run_with(path, correction=correction)


def test_a_body_coil_scan_gives_maps_and_mask(tmp_path: Path) -> None:
    array = Phantom(n_coils=8, n_x=64, n_y=64, sigma=0.005)
    scan = simulate(array)
    write_twix_ve(tmp_path / "array.dat", scan)
    write_twix_ve(tmp_path / "body.dat", simulate(Phantom(n_coils=2, n_x=64, n_y=64, sigma=0.005, seed=3)))
    options = sensitivity(
        sensitivityMapMethod="bodycoil",
        sensitivityMapSource=local(tmp_path / "body.dat"),
        mask={"method": "reference"},
    )
    result = run_with(tmp_path / "array.dat", "b1", sensitivityMap=options)
    truth = closed_form(scan)
    mask = map_of(result, MapId.MASK).data > 0
    # The dark inserts and two voxels at the rim may go either way.
    assert not np.any(mask[0] & ~ndimage.binary_dilation(truth.mask[0], iterations=2))
    bright = np.abs(scan.image[0]) > 0.5 * np.abs(scan.image[0]).max()
    assert np.all(mask[0][ndimage.binary_erosion(bright, iterations=2)])
    both = mask & truth.mask
    assert map_of(result, MapId.SNR).data[both].mean() / truth.snr[both].mean() == pytest.approx(1, abs=0.02)


def test_without_calibration_lines_only_maps_from_a_file_will_do(tmp_path: Path) -> None:
    phantom = Phantom(n_coils=6, n_x=32, n_y=32, acceleration=2, sigma=0.005)
    scan = simulate(phantom)
    write_twix_ve(tmp_path / "scan.dat", scan)
    for name in ("sense", "grappa"):
        with pytest.raises(ReconstructionError, match=r"calibration"):
            run_with(tmp_path / "scan.dat", name)
    np.save(tmp_path / "maps.npy", scan.coil_maps.astype(np.complex64))
    maps = sensitivity(loadSensitivity=True, sensitivityMapSource=local(tmp_path / "maps.npy"))
    result = run_with(tmp_path / "scan.dat", sensitivityMap=maps)
    truth = closed_form(scan)
    found = map_of(result, MapId.SNR).data[truth.mask]
    # True maps: what is left is the noise of image and covariance, 1 % with 128 readouts of noise.
    assert found.mean() / truth.sense_snr[truth.mask].mean() == pytest.approx(1, abs=0.01)


def test_a_source_without_use_is_refused(scanned: tuple[Path, Scan], tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="sensitivityMapSource goes with"):
        run_with(scanned[0], sensitivityMap=sensitivity(sensitivityMapSource=local(tmp_path / "maps.npy")))
