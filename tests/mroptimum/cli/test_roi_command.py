from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from mroptimum.cli import ExitCode
from packages import contents_of, write_zip


def test_a_box_is_what_numpy_cuts_out(call: Any, shelf: Path) -> None:
    said = call("roi", shelf / "ac", "--box", "3,8,2,5,1", "--json")
    assert said.exit_code == ExitCode.DONE
    rows = {row["map"]: row["statistics"] for row in said.value()["measurements"]}
    assert list(rows) == ["SNR", "g Factor", "Inverse g Factor", "Noise SD", "Image"]
    image: Any = nibabel.load(shelf / "ac" / "data" / "snr.nii.gz")
    values = image.get_fdata()[3:9, 2:6, 1]
    found = rows["SNR"]
    assert found["n_voxels"] == values.size == 24
    assert found["mean"] == pytest.approx(values.mean(), rel=1e-14)
    assert found["sd"] == pytest.approx(values.std(ddof=1), rel=1e-14)
    assert found["volume_mm3"] == pytest.approx(24 * abs(np.linalg.det(image.affine[:3, :3])), rel=1e-12)
    assert found["mean_interval"]["low"] < found["mean"] < found["mean_interval"]["high"]
    assert "independent" in said.value()["mean_interval"]


def test_a_saved_region_measures_the_same_in_another_package(call: Any, shelf: Path, tmp_path: Path) -> None:
    drawn = call("roi", shelf / "ac", "--ellipse", "12,10,4,3.5", "--name", "core", "--save", tmp_path, "--json")
    assert drawn.exit_code == ExitCode.DONE
    assert "core.nii.gz" in drawn.errors
    again = call("roi", shelf / "ac" / "package.zip", "--mask", tmp_path / "core.nii.gz", "--name", "core", "--json")
    assert again.value() == drawn.value()
    elsewhere = call("roi", shelf / "pmr", "--mask", tmp_path / "core.nii.gz", "--map", "g_factor", "--json")
    [g] = elsewhere.value()["measurements"]
    assert g["statistics"] == next(m["statistics"] for m in drawn.value()["measurements"] if m["map"] == "g Factor")
    assert json.loads((tmp_path / "core.json").read_bytes())["drawn_as"]["kind"] == "ellipse"


def test_csv_has_every_digit(call: Any, shelf: Path) -> None:
    said = call("roi", shelf / "ac", "--box", "3,8,2,5,1", "--map", "0", "--map", "202", "--csv")
    rows = list(csv.DictReader(io.StringIO(said.output)))
    assert [row["map"] for row in rows] == ["SNR", "Image"]
    exact = call("roi", shelf / "ac", "--box", "3,8,2,5,1", "--json").value()["measurements"][0]["statistics"]
    assert float(rows[0]["mean"]) == exact["mean"]
    assert float(rows[0]["mean_95_high"]) == exact["mean_interval"]["high"]
    one = call("roi", shelf / "ac", "--box", "3,3,2,2,1", "--csv")
    assert next(csv.DictReader(io.StringIO(one.output)))["sd"] == ""


def test_text_names_map_unit_and_what_the_interval_means(call: Any, shelf: Path) -> None:
    said = call("roi", shelf / "ac" / "data" / "snr.nii.gz", "--box", "0,23,0,19")
    assert said.exit_code == ExitCode.DONE
    assert "95 % of mean" in said.output
    assert "too narrow where neighbours share noise" in said.errors


def test_zeros_are_pointed_out_and_can_be_left_out(call: Any, shelf: Path, tmp_path: Path) -> None:
    arguments = ("snr", "--signal", shelf / "scan.dat", "-o", tmp_path / "m", "--reconstruction", "sense")
    assert call(*arguments, "--mask-percentage", "30").exit_code == ExitCode.DONE
    everything = call("roi", tmp_path / "m", "--box", "0,23,0,19", "--map", "SNR")
    assert "exactly 0, as outside the object" in everything.errors
    inside = call("roi", tmp_path / "m", "--box", "0,23,0,19", "--map", "SNR", "--within-mask")
    assert "exactly 0" not in inside.errors
    alone = call("roi", tmp_path / "m" / "data" / "snr.nii.gz", "--box", "0,1,0,1", "--within-mask", "--json")
    assert alone.exit_code == ExitCode.REFUSED
    assert "no object mask" in alone.value()["error"]["message"]


def test_a_mask_on_other_voxels_is_refused_in_three_lines(call: Any, shelf: Path, tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 5, 5), dtype=np.uint8), np.eye(4)), tmp_path / "m.nii.gz")
    said = call("roi", shelf / "ac", "--mask", tmp_path / "m.nii.gz", "--json")
    assert said.exit_code == ExitCode.REFUSED
    error = said.value()["error"]
    assert error["code"] == "other_grid"
    assert "5 x 5 x 5 voxels" in error["message"]
    assert "24 x 20 x 3 voxels" in error["message"]
    text = call("roi", shelf / "ac", "--mask", tmp_path / "m.nii.gz")
    assert text.output == ""
    assert text.errors.startswith("other_grid: ")
    assert "\nNext: " in text.errors


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--box", "1,2,3,4", "--ellipse", "1,2,3,4"),
        ("--box", "1,2,3"),
        ("--box", "1,2,3,4,5,6,7"),
        ("--box", "a,b,c,d"),
        ("--box", "1.5,2,3,4"),
        ("--box", "2,1,3,4"),
        ("--ellipse", "1,2,0,4"),
        ("--ellipse", "1,2,nan,4"),
        ("--box", "1,2,3,4", "--csv", "--json"),
    ],
)
def test_what_is_no_region_is_wrong_usage(call: Any, shelf: Path, arguments: tuple[str, ...]) -> None:
    said = call("roi", shelf / "ac", *arguments)
    assert said.exit_code == ExitCode.USAGE
    assert said.output == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--box", "0,99,0,1"), "outside_map"),
        (("--box", "0,1,0,1", "--map", "T1"), "no_such_map"),
        (("--box", "0,1,0,1", "--stack", "2"), "region"),
        (("--mask", "nothing.nii"), "file_not_found"),
    ],
)
def test_what_cannot_be_measured_is_refused(call: Any, shelf: Path, arguments: tuple[str, ...], code: str) -> None:
    said = call("roi", shelf / "ac", *arguments, "--json")
    assert said.exit_code == ExitCode.REFUSED
    assert said.value()["error"]["code"] == code


def test_names_from_a_package_cannot_move_the_cursor(call: Any, shelf: Path, tmp_path: Path) -> None:
    contents = contents_of(shelf / "ac" / "package.zip")
    contents["info.json"] = contents["info.json"].replace(b'"name": "SNR"', b'"name": "SNR\\u001b[2J"')
    said = call("roi", write_zip(tmp_path / "p.zip", contents), "--box", "0,1,0,1")
    assert said.exit_code == ExitCode.DONE
    assert "\x1b" not in said.output
