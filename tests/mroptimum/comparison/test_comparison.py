from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from mroptimum.comparison import Comparison, Difference, NotComparable, compare, write_comparison
from mroptimum.export.nifti import nifti_file
from mroptimum.flags import Flags
from mroptimum.package import ResultPackage, opened, read_package
from mroptimum.phantom import Phantom
from mroptimum.roi import Box, OtherGrid, Region, drawn, maps_at
from mroptimum.volume_file import volume_from
from packages import changed, contents_of, write_result, write_scan, write_zip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan measured analytically (`ac`), with 40 replicas (`pmr`), and with 40 others (`again`)."""
    folder = tmp_path_factory.mktemp("packages")
    scan = write_scan(folder / "scan.dat")
    write_result(folder / "ac", scan, Flags(reconstruction="sense"))
    write_result(folder / "pmr", scan, Flags(reconstruction="sense", method="pmr", replicas=40, seed=1))
    write_result(folder / "again", scan, Flags(reconstruction="sense", method="pmr", replicas=40, seed=2))
    return folder


@contextmanager
def both(a: Path, b: Path) -> Iterator[tuple[ResultPackage, ResultPackage]]:
    with ExitStack() as stack:
        yield read_package(stack.enter_context(opened(a))), read_package(stack.enter_context(opened(b)))


def compared(a: Path, b: Path, regions: Sequence[Region] = ()) -> Comparison:
    with both(a, b) as (package_a, package_b):
        return compare(package_a, package_b, regions)


def found(comparison: Comparison, name: str, region: str = "object") -> Difference:
    [pair] = [pair for pair in comparison.pairs if pair.name == name]
    [difference] = [row.difference for row in pair.differences if row.region == region]
    assert difference is not None
    return difference


def test_a_package_does_not_differ_from_itself(folder: Path) -> None:
    comparison = compared(folder / "ac", folder / "ac" / "package.zip")
    assert [pair.name for pair in comparison.pairs] == ["SNR", "g Factor", "Inverse g Factor", "Noise SD", "Image"]
    for pair in comparison.pairs:
        difference = found(comparison, pair.name)
        assert (difference.mean, difference.sd, difference.largest, difference.median_ratio) == (0, 0, 0, 1)
        assert difference.stated is None


def test_two_sets_of_replicas_agree_within_the_errors_they_state(folder: Path) -> None:
    for a in ("ac", "pmr"):
        comparison = compared(folder / a, folder / "again")
        stated = found(comparison, "SNR").stated
        assert stated is not None
        assert not stated.is_exceeded
        assert stated.part_beyond == pytest.approx(0.05, abs=0.03)
        assert found(comparison, "g Factor").stated is None
    assert compared(folder / "ac", folder / "again").only_in_b == ("SNR Standard Error",)


def test_more_noise_shows_beyond_what_errors_explain(folder: Path, tmp_path: Path) -> None:
    """10 % more noise in the package gives an SNR a tenth lower, and that is not chance."""
    contents = contents_of(folder / "again" / "package.zip")
    snr = volume_from(contents["data/snr.nii.gz"])
    np.divide(snr.data, np.float32(1.1), out=snr.data)
    louder = write_zip(
        tmp_path / "p.zip", changed(contents, "data/snr.nii.gz", nifti_file(snr, unit="1", description="SNR"))
    )
    difference = found(compared(folder / "pmr", louder), "SNR")
    assert difference.median_ratio == pytest.approx(1 / 1.1, rel=0.02)
    assert difference.stated is not None
    assert difference.stated.is_exceeded


def test_regions_are_compared_beside_the_object(folder: Path) -> None:
    [stack] = maps_at(folder / "ac")
    region = drawn(Box(x=(3, 5), y=(4, 6), z=(1, 1)), stack.grid, name="b")
    comparison = compared(folder / "ac", folder / "pmr", [region])
    snr = found(comparison, "SNR", "b")
    assert snr.n_voxels == 9
    [values] = [m.volume.data[region.voxels] for m in stack.maps if m.name == "SNR"]
    assert snr.mean_a == pytest.approx(float(values.astype(np.float64).mean()), rel=1e-14)


def test_the_files_say_what_was_found(folder: Path, tmp_path: Path) -> None:
    with both(folder / "ac", folder / "pmr") as (a, b):
        write_comparison(tmp_path, compare(a, b), a, b)
    numbers: dict[str, Any] = json.loads((tmp_path / "comparison.json").read_bytes())
    assert [row["name"] for row in numbers["maps"]] == ["SNR", "g Factor", "Inverse g Factor", "Noise SD", "Image"]
    assert numbers["a"]["method"] == "AC"
    assert numbers["b"]["states_errors"]
    assert numbers["a"]["signal_sha256"] == numbers["b"]["signal_sha256"]
    snr_row = numbers["maps"][0]["regions"][0]["difference"]
    assert snr_row["stated"]["is_exceeded"] in {True, False}

    ratio: Any = nibabel.load(tmp_path / "ratio_snr.nii.gz")
    snr_a: Any = nibabel.load(folder / "ac" / "data" / "snr.nii.gz")
    snr_b: Any = nibabel.load(folder / "pmr" / "data" / "snr.nii.gz")
    first, second = np.asanyarray(snr_a.dataobj), np.asanyarray(snr_b.dataobj)
    expected = np.divide(second, first, out=np.zeros_like(first), where=(first != 0) & (second != 0))
    np.testing.assert_array_equal(np.asanyarray(ratio.dataobj), expected)
    np.testing.assert_array_equal(ratio.affine, snr_a.affine)


def test_the_page_shows_both_maps_in_one_window_and_needs_nothing_outside_itself(folder: Path, tmp_path: Path) -> None:
    with both(folder / "ac", folder / "pmr") as (a, b):
        write_comparison(tmp_path, compare(a, b), a, b)
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    for name in ("SNR, A", "SNR, B", "SNR, B / A"):
        assert f'alt="{name}, 3 slice(s)"' in page
    scales = [part.split("</div>")[0] for part in page.split('<div class="ticks">')[1:]]
    assert len(scales) == 3 * 5
    for of_a, of_b, of_ratio in zip(scales[0::3], scales[1::3], scales[2::3], strict=True):
        assert of_a == of_b
        assert "<span>1</span>" in of_ratio
    assert "from the same raw data" in page
    assert "The same everywhere." in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_packages_on_other_voxels_are_refused_with_both_grids(folder: Path, tmp_path: Path) -> None:
    other = write_scan(tmp_path / "other.dat", Phantom(n_coils=4, n_x=16, n_y=16))
    write_result(tmp_path / "other", other, Flags())
    with pytest.raises(NotComparable) as refusal:
        compared(folder / "ac", tmp_path / "other")
    assert "24 x 20 x 3 voxels" in refusal.value.message
    assert "16 x 16 x 1 voxels" in refusal.value.message


def test_packages_without_a_common_map_are_refused(folder: Path, tmp_path: Path) -> None:
    contents = contents_of(folder / "ac" / "package.zip")
    info = json.loads(contents["info.json"])
    info["data"] = [entry | {"id": entry["id"] + 300} for entry in info["data"] if entry["name"] == "SNR"]
    path = write_zip(tmp_path / "p.zip", {**contents, "info.json": json.dumps(info).encode()})
    with pytest.raises(NotComparable, match="no map in common"):
        compared(folder / "ac", path)


def test_a_region_that_lies_nowhere_is_refused(folder: Path) -> None:
    [stack] = maps_at(folder / "ac")
    region = drawn(Box(x=(0, 1), y=(0, 1)), stack.grid, name="b")
    region.grid.affine[0, 3] += 300
    with pytest.raises(OtherGrid):
        compared(folder / "ac", folder / "pmr", [region])
