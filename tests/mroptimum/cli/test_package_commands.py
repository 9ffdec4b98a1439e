from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mroptimum.cli import ExitCode
from packages import changed, contents_of, write_zip


@pytest.mark.parametrize("form", ["ac", "ac/package.zip"])
def test_a_package_is_verified_and_repeated_from_its_file(call: Any, shelf: Path, form: str) -> None:
    said = call("verify", shelf / form, "--signal", shelf / "scan.dat", "--json")
    assert said.exit_code == ExitCode.DONE
    found = said.value()
    assert (found["is_whole"], found["is_repeated"]) == (True, True)
    assert {of_map["agreement"] for of_map in found["repetition"]["maps"]} == {"identical"}
    text = call("verify", shelf / form, "--signal", shelf / "scan.dat")
    assert found["integrity"]["manifest_sha256"] in text.output
    assert "identical" in text.output
    assert "reading the signal" in text.errors


def test_without_files_only_the_hashes_are_checked(call: Any, shelf: Path) -> None:
    found = call("verify", shelf / "pmr", "--json").value()
    assert (found["is_whole"], found["is_repeated"], found["repetition"]) == (True, None, None)


def test_a_changed_package_has_an_exit_code_of_its_own_and_is_not_repeated(
    call: Any, shelf: Path, tmp_path: Path
) -> None:
    package = Path(shutil.copytree(shelf / "ac", tmp_path / "p"))
    (package / "report.html").write_text("mine")
    said = call("verify", package, "--signal", shelf / "scan.dat")
    assert said.exit_code == ExitCode.DIFFERENT
    assert "changed: report.html" in said.output
    assert "Nothing was repeated" in said.errors
    assert call("verify", package, "--json").value()["is_whole"] is False


def test_a_map_that_does_not_come_out_again_has_the_same_exit_code(call: Any, shelf: Path, tmp_path: Path) -> None:
    """A result of other replicas put in the place of the one that the task gives."""
    contents = contents_of(shelf / "pmr" / "package.zip")
    other = contents_of(shelf / "ac" / "package.zip")["data/snr.nii.gz"]
    said = call(
        "verify",
        write_zip(tmp_path / "p.zip", changed(contents, "data/snr.nii.gz", other)),
        *("--signal", shelf / "scan.dat", "--json"),
    )
    assert said.exit_code == ExitCode.DIFFERENT
    assert (said.value()["is_whole"], said.value()["is_repeated"]) == (True, False)


def test_the_wrong_file_is_refused(call: Any, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "other.dat").write_bytes(b"other")
    said = call("verify", shelf / "ac", "--signal", tmp_path / "other.dat", "--json")
    assert said.exit_code == ExitCode.REFUSED
    assert said.value()["error"]["code"] == "not_the_inputs"


def test_two_results_are_compared_into_a_folder(call: Any, shelf: Path, tmp_path: Path) -> None:
    said = call("compare", shelf / "ac", shelf / "pmr" / "package.zip", "-o", tmp_path / "c", "--json")
    assert said.exit_code == ExitCode.DONE
    assert said.value()["maps"][0]["name"] == "SNR"
    assert {p.name for p in (tmp_path / "c").iterdir()} == {
        "comparison.html",
        "comparison.json",
        *(f"ratio_{name}.nii.gz" for name in ("snr", "g_factor", "inverse_g_factor", "noise_sd", "image")),
    }
    numbers = json.loads((tmp_path / "c" / "comparison.json").read_bytes())
    assert said.value() == {"page": str(tmp_path / "c" / "comparison.html"), **numbers}
    again = call("compare", shelf / "ac", shelf / "pmr", "-o", tmp_path / "c", "--json")
    assert again.exit_code == ExitCode.REFUSED
    assert again.value()["error"]["code"] == "output_not_empty"


def test_regions_of_a_mask_are_compared_too(call: Any, shelf: Path, tmp_path: Path) -> None:
    call("roi", shelf / "ac", "--box", "3,8,2,5,1", "--save", tmp_path)
    said = call("compare", shelf / "ac", shelf / "pmr", "-o", tmp_path / "c", "--mask", tmp_path / "region.nii.gz")
    assert said.exit_code == ExitCode.DONE
    [row] = [line for line in said.output.splitlines() if line.startswith("SNR") and "region" in line]
    assert row.split()[2] == "24"


def test_a_failed_comparison_leaves_nothing(call: Any, shelf: Path, tmp_path: Path) -> None:
    said = call("compare", shelf / "ac", shelf / "scan.dat", "-o", tmp_path / "c", "--json")
    assert said.exit_code == ExitCode.REFUSED
    assert said.value()["error"]["code"] == "not_a_package"
    assert not (tmp_path / "c").exists()


def test_a_report_is_written_anew_as_html_and_as_pdf(call: Any, shelf: Path, tmp_path: Path) -> None:
    said = call("report", shelf / "ac", "-o", tmp_path / "r.html", "--json")
    assert said.exit_code == ExitCode.DONE
    assert (tmp_path / "r.html").read_bytes() == (shelf / "ac" / "report.html").read_bytes()
    assert call("report", shelf / "ac" / "package.zip", "-o", tmp_path / "r.PDF").exit_code == ExitCode.DONE
    assert (tmp_path / "r.PDF").read_bytes().startswith(b"%PDF-")


def test_a_report_takes_nothings_place(call: Any, shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("mine")
    said = call("report", shelf / "ac", "-o", tmp_path / "r.html", "--json")
    assert (said.exit_code, said.value()["error"]["code"]) == (ExitCode.REFUSED, "output_exists")
    assert (tmp_path / "r.html").read_text() == "mine"
    assert call("report", shelf / "ac", "-o", tmp_path / "r.docx").exit_code == ExitCode.USAGE
    nowhere = call("report", shelf / "ac", "-o", tmp_path / "no" / "r.html", "--json")
    assert (nowhere.exit_code, nowhere.value()["error"]["code"]) == (ExitCode.REFUSED, "file")


def test_without_the_extra_a_pdf_ends_as_wrong_usage(
    call: Any, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    said = call("report", shelf / "ac", "-o", tmp_path / "r.pdf", "--json")
    assert said.exit_code == ExitCode.USAGE
    assert "mroptimum[report]" in said.value()["error"]["next_step"]
    assert not (tmp_path / "r.pdf").exists()


@pytest.mark.parametrize("command", ["verify", "report", "compare", "roi"])
def test_what_is_no_package_is_refused_by_every_command(call: Any, tmp_path: Path, command: str) -> None:
    (tmp_path / "photo.zip").write_bytes(b"\xff\xd8\xff\xe0" + bytes(300))
    more = {
        "verify": (),
        "report": ("-o", tmp_path / "r.html"),
        "compare": (tmp_path / "photo.zip", "-o", tmp_path / "c"),
        "roi": ("--box", "0,1,0,1"),
    }[command]
    for path in (tmp_path / "photo.zip", tmp_path / "nothing", tmp_path):
        said = call(command, path, *more, "--json")
        assert said.exit_code == ExitCode.REFUSED
        assert said.value()["error"]["code"] == "not_a_package"
        assert said.value()["error"]["next_step"]


def test_exit_codes_stand_in_the_help_and_in_one_table() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "mroptimum.cli", "verify", "--help"], capture_output=True, text=True, check=True
    )
    words = " ".join(said.stdout.split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning.split(',')[0]}" in words
