from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from mroptimum.flags import Flags
from mroptimum.grid import Grid
from mroptimum.roi import Box, Ellipse, RegionError, drawn, maps_at, measure, one_stack, regions_of_mask, save_region
from mroptimum.volume_file import UnreadableMap, read_volume
from packages import code_of, write_result, write_scan


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return write_result(
        folder / "out", write_scan(folder / "scan.dat"), Flags(reconstruction="sense", coil_sensitivities=True)
    )


def test_a_saved_region_lies_where_the_map_lies_and_gives_the_same_numbers(package: Path, tmp_path: Path) -> None:
    [stack] = maps_at(package)
    ellipse = Ellipse(centre=(12, 10), half_axes=(5, 4), z=(1, 1))
    region = drawn(ellipse, stack.grid, name="Heart, left: 1")
    measured = measure([region], stack.maps)
    mask, about = save_region(
        tmp_path / "regions", region, shape=ellipse, measurements=measured, package_sha256=stack.package_sha256
    )
    assert mask.name == "Heart_left_1.nii.gz"
    snr: Any = nibabel.load(package / "data" / "snr.nii.gz")
    saved: Any = nibabel.load(mask)
    np.testing.assert_array_equal(saved.affine, snr.affine)
    assert saved.shape == snr.shape
    [again] = regions_of_mask(read_volume(mask), stack.grid, name="Heart, left: 1")
    assert measure([again], stack.maps) == measured
    content = json.loads(about.read_bytes())
    assert content["drawn_as"] == {"kind": "ellipse", "centre": [12, 10], "half_axes": [5, 4], "z": [1, 1]}
    assert content["measurements"][0]["map"] == "SNR"
    assert content["measurements"][0]["statistics"]["mean"] == measured[0].statistics.mean
    assert content["package_manifest_sha256"] == stack.package_sha256
    assert content["n_voxels"] == int(region.voxels.sum())


def test_saving_takes_nothings_place(package: Path, tmp_path: Path) -> None:
    [stack] = maps_at(package)
    region = drawn(Box(x=(1, 2), y=(1, 2)), stack.grid, name="b")
    (tmp_path / "b.json").write_text("mine")
    with pytest.raises(RegionError) as refusal:
        save_region(tmp_path, region, shape=None, measurements=(), package_sha256=None)
    assert code_of(refusal.value) == "output_exists"
    assert [p.name for p in tmp_path.iterdir()] == ["b.json"]


def test_a_name_cannot_lead_out_of_the_folder(package: Path, tmp_path: Path) -> None:
    [stack] = maps_at(package)
    region = drawn(Box(x=(1, 2), y=(1, 2)), stack.grid, name="../../b\x00")
    mask, _ = save_region(tmp_path / "in", region, shape=None, measurements=(), package_sha256=None)
    assert mask.parent == tmp_path / "in"


def test_maps_are_chosen_by_name_or_number(package: Path) -> None:
    [stack] = maps_at(package)
    assert [m.id for m in stack.maps] == [0, 3, 4, 201, 202]
    [stack] = maps_at(package, ["inverse_g_factor", "0", "Coil Sensitivity 2"])
    assert [m.id for m in stack.maps] == [4, 0, 11]
    [stack] = maps_at(package, ["all"])
    assert {0, 10, 100, 2000} <= {m.id for m in stack.maps}
    with pytest.raises(RegionError, match="no map T1") as refusal:
        maps_at(package, ["T1"])
    assert "0 SNR" in refusal.value.next_step


def test_a_map_alone_will_do(package: Path) -> None:
    [stack] = maps_at(package / "data" / "snr.nii.gz")
    [of_package] = maps_at(package, ["snr"])
    np.testing.assert_array_equal(stack.maps[0].volume.data, of_package.maps[0].volume.data)
    assert stack.grid.coincides_with(of_package.grid)
    with pytest.raises(UnreadableMap) as refusal:
        maps_at(package / "data" / "nothing.nii")
    assert code_of(refusal.value) == "file_not_found"


def test_a_region_lies_on_one_stack(package: Path) -> None:
    [stack] = maps_at(package)
    moved = Grid(shape=stack.grid.shape, affine=stack.grid.affine + np.diag([0.0, 0, 0, 0]), slice_axis=2)
    moved.affine[2, 3] += 500
    other = replace(stack, grid=moved)
    mask = replace(stack.maps[0].volume, affine=moved.affine)
    assert one_stack([stack, other], number=None, mask=mask) is other
    assert one_stack([stack, other], number=1, mask=None) is stack
    with pytest.raises(RegionError, match="2 stacks"):
        one_stack([stack, other], number=None, mask=None)
    with pytest.raises(RegionError, match="no stack 3"):
        one_stack([stack, other], number=3, mask=None)
