from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import scipy.io

from mroptimum.errors import TaskError
from mroptimum.export.package import Provenance, write_failure_package, write_package
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from mroptimum.result import MapId, Result
from mroptimum.run import NoSnr
from tasks import local, map_of, run_flags

PHANTOM = Phantom(n_coils=4, n_x=32, n_y=32, n_slices=3, acceleration=2, n_calibration_lines=16, sigma=0.01)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    path = tmp_path_factory.mktemp("scan") / "jane_doe.dat"
    write_twix_ve(path, simulate(PHANTOM))
    return run_flags(Flags(reconstruction="sense", coil_sensitivities=True, matlab=True), path)


@pytest.fixture(scope="module")
def package(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    manifest = write_package(result, folder, provenance=Provenance(unit_id="unit_1", job_id="job_1", attempt=1))
    assert manifest == folder / "manifest.json"
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_the_manifest_names_every_other_file_with_its_hash(package: Path) -> None:
    manifest = read(package / "manifest.json")
    listed = {entry["path"]: entry for entry in manifest["outputs"]}
    present = {p.relative_to(package).as_posix() for p in package.rglob("*") if p.is_file()}
    assert listed.keys() == present - {"manifest.json", "package.zip"}
    for name, entry in listed.items():
        content = (package / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert len(content) == entry["size_bytes"]
    assert manifest["computing_unit"]["job_id"] == "job_1"
    assert manifest["scale_factors"]


def test_the_archive_holds_the_same_files(package: Path) -> None:
    with zipfile.ZipFile(package / "package.zip") as archive:
        assert archive.testzip() is None
        present = {p.relative_to(package).as_posix() for p in package.rglob("*") if p.is_file()} - {"package.zip"}
        assert set(archive.namelist()) == present
        for name in archive.namelist():
            assert archive.read(name) == (package / name).read_bytes()


def test_info_is_laid_out_as_existing_readers_expect(package: Path) -> None:
    info = read(package / "info.json")
    assert set(info) == {"headers", "data", "info"}
    assert set(info["headers"]) == {"calculation_time", "options", "log"}
    ids = {entry["id"]: entry for entry in info["data"]}
    names = {0: "SNR", 1: "Noise Covariance", 2: "Noise Coefficients", 3: "g Factor", 4: "Inverse g Factor"}
    assert {number: ids[number]["name"] for number in names} == names
    assert {10, 11, 12, 13} <= ids.keys()
    assert ids[100]["type"] == "mask"
    for entry in info["data"]:
        assert set(entry) >= {"filename", "id", "dim", "name", "type", "numpyPixelType", "pixelType"}
        image: Any = nibabel.load(package / entry["filename"])
        assert str(image.get_data_dtype()) == entry["numpyPixelType"]


def test_maps_come_back_from_nifti_voxel_for_voxel(package: Path, result: Result) -> None:
    image: Any = nibabel.load(package / "data" / "snr.nii.gz")
    found = np.sort(image.get_fdata().ravel())
    np.testing.assert_array_equal(found, np.sort(map_of(result, MapId.SNR).data.ravel().astype(float)))
    assert image.shape == (32, 32, 3)


def test_covariance_and_coil_maps_are_kept_whole(package: Path, result: Result) -> None:
    assert result.noise is not None
    with np.load(package / "data" / "noise.npz") as noise:
        np.testing.assert_array_equal(noise["covariance"], result.noise.covariance)
    with np.load(package / "data" / "coil_sensitivities.npz") as maps:
        assert maps["maps"].shape == (3, 4, 32, 32)
    matlab = scipy.io.loadmat(package / "matlab.mat")
    np.testing.assert_array_equal(matlab["SNR"], map_of(result, MapId.SNR).data.transpose(2, 1, 0))
    assert matlab["Coil_Sensitivities"].shape == (32, 32, 3, 4)


def test_snr_follows_from_image_and_noise_sd_as_the_description_says(result: Result) -> None:
    snr, image, sd = (map_of(result, number).data for number in (MapId.SNR, MapId.IMAGE, MapId.NOISE_SD))
    inside = sd > 0
    np.testing.assert_allclose(snr[inside], np.sqrt(2) * image[inside] / sd[inside], rtol=1e-5)


def test_no_file_holds_the_name_of_the_input(package: Path) -> None:
    for path in package.rglob("*"):
        if path.is_file():
            assert b"jane" not in path.read_bytes(), path.name


def test_a_package_never_overwrites(result: Result, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError):
        write_package(result, tmp_path, provenance=Provenance())


def test_a_failure_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    document = Flags().document(local(tmp_path / "jane.dat"), None)
    error = TaskError("It cannot be.", "Do something else.")
    manifest = write_failure_package(
        tmp_path / "out", error=error.explain(), document=document, log=(), provenance=Provenance()
    )
    explained = {"code": "invalid_task", "message": "It cannot be.", "next_step": "Do something else."}
    assert read(tmp_path / "out" / "error.json") == explained
    assert read(manifest)["error"] == explained
    assert "jane" not in (tmp_path / "out" / "task.json").read_text()


def test_a_failure_for_want_of_noise_holds_the_image(tmp_path: Path) -> None:
    path = tmp_path / "scan.dat"
    write_twix_ve(path, simulate(Phantom(n_coils=4, n_x=32, n_y=32, n_noise_readouts=0)))
    with pytest.raises(NoSnr) as refusal:
        run_flags(Flags(), path)
    partial = refusal.value.partial
    write_failure_package(
        tmp_path / "out",
        error=refusal.value.explain(),
        document=partial.document,
        log=partial.log,
        provenance=Provenance(),
        partial=partial,
    )
    assert [entry["name"] for entry in read(tmp_path / "out" / "info.json")["data"]] == ["Image"]
    assert "There is no SNR in this package" in (tmp_path / "out" / "report.html").read_text()
