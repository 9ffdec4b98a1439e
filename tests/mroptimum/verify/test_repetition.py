from __future__ import annotations

import gzip
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mroptimum.export.nifti import nifti_file
from mroptimum.export.package import Provenance, write_package
from mroptimum.flags import Flags
from mroptimum.package import opened, read_package
from mroptimum.phantom import Phantom
from mroptimum.rawdata.anonymise.cleaning import anonymise
from mroptimum.verify import Agreement, Repetition, VerificationError, repeat
from mroptimum.volume_file import volume_from
from packages import changed, code_of, contents_of, write_result, write_scan, write_zip
from tasks import run_flags

TASKS = [
    Flags(reconstruction="sense", coil_sensitivities=True),
    Flags(reconstruction="sense", method="pmr", replicas=5, seed=4),
    Flags(reconstruction="sense", method="cr", replicas=3, box_size=2),
]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scan(tmp_path_factory.mktemp("scan") / "scan.dat")


@pytest.fixture(scope="module")
def package(scan: Path) -> Path:
    return write_result(scan.parent / "package", scan, TASKS[0])


def repeated(package: Path, *given: Path) -> Repetition:
    with opened(package) as files:
        return repeat(read_package(files), given)


def by_name(found: Repetition) -> dict[str, Agreement]:
    return {of_map.map: of_map.agreement for of_map in found.maps}


@pytest.mark.parametrize("flags", TASKS, ids=lambda flags: flags.method)
def test_the_same_files_give_the_same_bits(scan: Path, flags: Flags, tmp_path: Path) -> None:
    """The file is known by what it holds, not by its name."""
    elsewhere = Path(shutil.copy(scan, tmp_path / "renamed.bin"))
    found = repeated(write_result(tmp_path / "package", scan, flags), elsewhere)
    assert set(by_name(found).values()) == {Agreement.IDENTICAL}
    assert {"SNR", "Noise SD", "Mask", "Noise covariance (complex)"} <= by_name(found).keys()
    assert found.is_good


def test_an_image_without_an_snr_is_repeated_too(tmp_path: Path) -> None:
    silent = write_scan(tmp_path / "scan.dat", Phantom(n_coils=4, n_x=16, n_y=16, n_noise_readouts=0))
    found = repeated(write_result(tmp_path / "package", silent, Flags()), silent)
    assert by_name(found) == {"Image": Agreement.IDENTICAL}


def test_a_map_that_was_changed_is_found_though_its_hash_was_changed_with_it(
    package: Path, scan: Path, tmp_path: Path
) -> None:
    contents = contents_of(package / "package.zip")
    volume = volume_from(contents["data/snr.nii.gz"])
    volume.data[3, 4, 1] *= 1.001
    file = nifti_file(volume, unit="1", description="SNR")
    found = repeated(write_zip(tmp_path / "p.zip", changed(contents, "data/snr.nii.gz", file)), scan)
    assert by_name(found)["SNR"] is Agreement.DEVIATES
    assert by_name(found)["g Factor"] is Agreement.IDENTICAL
    [snr] = [of_map for of_map in found.maps if of_map.map == "SNR"]
    assert (snr.n_deviating, snr.n_voxels) == (1, 24 * 20 * 3)
    assert snr.largest_deviation is not None
    assert snr.largest_deviation <= 1e-3
    assert not found.is_good


def test_the_noise_is_held_to_its_repetition(package: Path, scan: Path, tmp_path: Path) -> None:
    contents = contents_of(package / "package.zip")
    with np.load(io.BytesIO(contents["data/noise.npz"])) as arrays:
        matrices = dict(arrays)
    matrices["covariance"] = matrices["covariance"] * 1.01
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **matrices)
    found = repeated(write_zip(tmp_path / "p.zip", changed(contents, "data/noise.npz", file.getvalue())), scan)
    assert by_name(found)["Noise covariance (complex)"] is Agreement.DEVIATES


def test_maps_on_other_voxels_missing_or_added_are_not_repeated(package: Path, scan: Path, tmp_path: Path) -> None:
    contents = contents_of(package / "package.zip")
    moved = bytearray(gzip.decompress(contents["data/snr.nii.gz"]))
    moved[292:296] = np.float32(500).tobytes()  # srow_x[3]: the place of the first voxel along x
    info = json.loads(contents["info.json"])
    info["data"] = [entry for entry in info["data"] if entry["name"] != "g Factor"]
    info["data"][-1] |= {"id": 250, "name": "T1"}
    contents = changed(contents, "data/snr.nii.gz", gzip.compress(bytes(moved)))
    contents = changed(contents, "info.json", json.dumps(info).encode())
    found = by_name(repeated(write_zip(tmp_path / "p.zip", contents), scan))
    assert found["SNR"] is Agreement.NOT_REPEATED
    assert found["g Factor"] is Agreement.NOT_STORED
    assert found["Image"] is Agreement.IDENTICAL


def test_a_file_that_is_none_of_the_inputs_is_refused_before_anything_is_computed(
    package: Path, tmp_path: Path
) -> None:
    other = write_scan(tmp_path / "other.dat", Phantom(n_coils=4, n_x=16, n_y=16))
    with pytest.raises(VerificationError, match="not one of the files") as refusal:
        repeated(package, other)
    assert code_of(refusal.value) == "not_the_inputs"
    with pytest.raises(VerificationError, match="There is no file"):
        repeated(package, tmp_path / "nothing.dat")


def test_a_file_whose_header_was_cleaned_on_its_way_is_known_again(scan: Path, tmp_path: Path) -> None:
    """The unit computed from the clean copy; its sender has the file as the scanner wrote it."""
    named = tmp_path / "named.dat"
    named.write_bytes(scan.read_bytes().replace(b"xxxxxxxx", b"Doe^Jane"))
    anonymise(named, tmp_path / "sent.dat")
    package = write_result(tmp_path / "p", tmp_path / "sent.dat", TASKS[0])
    found = repeated(package, named)
    assert {of_map.agreement for of_map in found.maps} == {Agreement.IDENTICAL}


def test_every_input_is_needed(scan: Path, tmp_path: Path) -> None:
    """Noise in a file of its own, and given in any order."""
    noise = write_scan(tmp_path / "noise.dat")
    noise.write_bytes(noise.read_bytes() + bytes(512))
    write_package(run_flags(Flags(reconstruction="sense"), scan, noise), tmp_path / "p", provenance=Provenance())
    with pytest.raises(VerificationError, match="The noise is needed too"):
        repeated(tmp_path / "p", scan)
    assert repeated(tmp_path / "p", noise, scan).is_good


def test_a_second_repetition_is_found_by_its_role(tmp_path: Path) -> None:
    phantom = Phantom(n_coils=4, n_x=16, n_y=16, n_noise_readouts=0)
    first = write_scan(tmp_path / "1.dat", phantom)
    second = write_scan(tmp_path / "2.dat", replace(phantom, seed=phantom.seed + 1))
    result = run_flags(Flags(noise_estimate="repetitions"), first, second=second)
    write_package(result, tmp_path / "p", provenance=Provenance())
    assert repeated(tmp_path / "p", second, first).is_good


def test_a_manifest_without_inputs_contradicts_its_task(package: Path, tmp_path: Path) -> None:
    contents = contents_of(package / "package.zip")
    manifest = json.loads(contents["manifest.json"]) | {"inputs": []}
    path = write_zip(tmp_path / "p.zip", {**contents, "manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(VerificationError, match="does not list"):
        repeated(path)
