"""`mroptimum difference` and `mroptimum anonymise`, as a person types them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dicom_files import PERSON, image, save
from mroptimum.cli import ExitCode
from mroptimum.rawdata.anonymise.cleaning import identifying_fields
from packages import write_scan


@pytest.fixture
def pair(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    first, second = (rng.normal(1000, 20, size=(32, 40)).round().astype(np.uint16) for _ in range(2))
    return save(image(first, **PERSON), tmp_path / "a.dcm"), save(image(second, **PERSON), tmp_path / "b.dcm")


Call = Callable[..., Any]


def test_a_difference_prints_numbers_and_writes_a_package(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    said = call("difference", *pair, "-o", tmp_path / "out", "--mask-percentage", 1, "--json")
    assert said.exit_code == ExitCode.DONE
    found = said.value()
    [region] = found["regions"]
    assert (region["region"], region["n_voxels"]) == ("object", 32 * 40)
    assert region["snr"] == pytest.approx(50, abs=4 * region["standard_error"])
    assert region["standard_error"] == pytest.approx(50 / np.sqrt(2 * 1279), rel=0.1)
    assert Path(found["report"]).is_file()
    assert "Jane" not in (tmp_path / "out" / "report.html").read_text()
    assert call("verify", tmp_path / "out", "--signal", pair[0], "--input", pair[1]).exit_code == ExitCode.DONE


def test_regions_are_those_of_roi(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    box = ("--box", "3,20,4,25", "--name", "centre")
    said = call("difference", *pair, "-o", tmp_path / "out", *box, "--json")
    [region] = said.value()["regions"]
    assert (region["region"], region["n_voxels"]) == ("centre", 18 * 22)
    call("roi", tmp_path / "out", *box, "--save", tmp_path / "regions", "--map", "Image")
    drawn = call(
        "difference", *pair, "-o", tmp_path / "again", "--mask", tmp_path / "regions" / "centre.nii.gz", "--json"
    )
    assert drawn.value()["regions"][0]["snr"] == region["snr"]
    text = call("difference", *pair, "-o", tmp_path / "text", *box)
    assert "centre" in text.output
    assert "without bias" in text.output
    assert "parallel imaging" in text.errors


@pytest.mark.parametrize("regions", [("--box", "1,2,3,4", "--ellipse", "1,2,3,4"), ("--box", "1,2")])
def test_regions_that_mean_nothing_are_wrong_usage(
    call: Call, pair: tuple[Path, Path], tmp_path: Path, regions: tuple[str, ...]
) -> None:
    assert call("difference", *pair, "-o", tmp_path / "out", *regions).exit_code == ExitCode.USAGE


def test_the_same_image_twice_is_refused_in_words(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    said = call("difference", pair[0], pair[0], "-o", tmp_path / "out", "--json")
    assert said.exit_code == ExitCode.REFUSED
    assert said.value()["error"]["code"] == "same_image"


def test_a_clean_copy_lies_beside_the_file(call: Call, pair: tuple[Path, Path]) -> None:
    said = call("anonymise", pair[0])
    assert said.exit_code == ExitCode.DONE
    assert "PatientName" in said.output
    assert "Jane" not in said.output + said.errors
    clean = pair[0].with_name("a.anonymous.dcm")
    assert identifying_fields(clean) == ()
    again = call("anonymise", pair[0], "--json")
    assert again.exit_code == ExitCode.REFUSED
    assert again.value()["error"]["code"] == "output_exists"


def test_a_clean_copy_as_json(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    said = call("anonymise", pair[0], "-o", tmp_path / "clean.dcm", "--json")
    found = said.value()
    assert set(PERSON) <= set(found["fields"])
    assert (found["file_format"], found["output"]) == ("dicom", str(tmp_path / "clean.dcm"))
    assert found["size_bytes"] == pair[0].stat().st_size == (tmp_path / "clean.dcm").stat().st_size


def test_what_is_unknown_is_not_copied(call: Call, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Jane" * 200)
    said = call("anonymise", tmp_path / "letter.txt", "-o", tmp_path / "out.txt")
    assert said.exit_code == ExitCode.REFUSED
    assert not (tmp_path / "out.txt").exists()


def test_the_guide_to_headers_says_what_can_be_typed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "patient-fields.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
    write_scan(tmp_path / "meas.dat")
    monkeypatch.chdir(tmp_path)
    for program, *arguments in map(shlex.split, block.splitlines()):
        assert program == "mroptimum"
        assert call(*arguments).exit_code == ExitCode.DONE
    assert identifying_fields(tmp_path / "clean.dat") == ()
