"""Slabs and calibration lines put back, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from mroptimum.phantom import Phantom, simulate, write_mrd, write_twix_ve

SLAB = Phantom(
    n_x=12,
    n_y=24,
    n_slices=8,
    is_3d=True,
    n_coils=8,
    sigma=0.002,
    slice_thickness_mm=12.0,
    acceleration=2,
    n_calibration_lines=14,
    centre_mm=(0.0, 0.0, 40.0),
)


@pytest.fixture
def full(tmp_path: Path) -> Path:
    path = tmp_path / "full.h5"
    write_mrd(path, simulate(Phantom(n_x=12, n_y=24, n_slices=8, is_3d=True, n_coils=8, sigma=0.002)))
    return path


def test_a_full_slab_is_decimated_along_both_directions(call: Callable[..., Any], full: Path, tmp_path: Path) -> None:
    said = call(
        *("snr", "--signal", full, "--reconstruction", "sense", "--acceleration", 2, "--partition-acceleration", 2),
        *("--decimate", "--acs-lines", 12, "--acs-partitions", 6, "--coil-maps", "innerACL"),
        *("-o", tmp_path / "out", "--json"),
    )
    assert said.exit_code == 0
    assert said.value()["snr"]["n_voxels"] == 12 * 24 * 8
    info = json.loads((tmp_path / "out" / "info.json").read_text())
    assert info["info"]["protocol"]["acceleration"] == [2, 2]
    task = info["headers"]["options"]["task"]
    assert task["acquisition"] == 3
    options = task["options"]["reconstructor"]["options"]
    assert (options["accelerations"], options["acl"]) == ([1, 2, 2], [None, 12, 6])


def test_one_direction_said_of_a_slab_is_told_to_be_ambiguous(
    call: Callable[..., Any], full: Path, tmp_path: Path
) -> None:
    words = ("snr", "--signal", full, "--reconstruction", "sense", "--acceleration", 2, "--decimate")
    said = call(*words, "-o", tmp_path / "out")
    assert said.exit_code == 1
    assert "three numbers" in said.errors
    assert "--partition-acceleration" in said.errors.replace("\n", " ")
    assert call(*words, "--partition-acceleration", 1, "-o", tmp_path / "other").exit_code == 0


def test_the_nifti_file_of_a_slab_holds_its_partitions_where_they_lie(call: Callable[..., Any], tmp_path: Path) -> None:
    write_twix_ve(tmp_path / "slab.dat", simulate(SLAB))
    said = call("snr", "--signal", tmp_path / "slab.dat", "--reconstruction", "grappa", "-o", tmp_path / "out")
    assert said.exit_code == 0
    volume = nibabel.Nifti1Image.from_filename(tmp_path / "out" / "data" / "snr.nii.gz")
    assert volume.shape == (12, 24, 8)
    heights = [(volume.affine @ [0, 0, k, 1])[2] for k in range(8)]
    # Partition 4 lies at the centre of the slab; the slices run along phase x readout = (0, 1, 0) x (-1, 0, 0) = z.
    np.testing.assert_allclose(heights, 40.0 + 12.0 * (np.arange(8) - 4), atol=1e-3)


def test_lines_are_put_back_with_replicas_only(call: Callable[..., Any], tmp_path: Path) -> None:
    write_twix_ve(tmp_path / "slab.dat", simulate(SLAB))
    words = ("snr", "--signal", tmp_path / "slab.dat", "--reconstruction", "grappa", "--keep-acs")
    refused = call(*words, "-o", tmp_path / "refused", "--json")
    assert refused.exit_code == 1
    assert "keepAcs has no analytic noise" in refused.errors + refused.output
    kept = call(*words, "--method", "pmr", "--replicas", 20, "-o", tmp_path / "kept", "--json")
    usual = call(*words[:-1], "--method", "pmr", "--replicas", 20, "-o", tmp_path / "usual", "--json")
    assert kept.exit_code == usual.exit_code == 0
    assert kept.value()["snr"]["median"] > usual.value()["snr"]["median"]
    assert not (tmp_path / "kept" / "data" / "g_factor.nii.gz").exists()
    assert (tmp_path / "usual" / "data" / "g_factor.nii.gz").exists()
