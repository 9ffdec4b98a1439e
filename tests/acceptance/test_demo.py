"""`cloudmr demo`, started as a person starts it: right numbers within seconds, and nothing left but the results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from cloudmr.cli.app import app
from mroptimum.phantom import Written
from small_job import raw_data

pytestmark = pytest.mark.slow

LIMIT_S = 120
"""Far more than it takes, on a machine that does much else."""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Return where temporary files of the command go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@contextmanager
def demo(temporary: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "cloudmr.cli", "demo", *map(str, arguments)],
        # Settings of somebody's real Brain must not matter.
        env=os.environ | {"TMPDIR": str(temporary), "CLOUDMR_PORT": "1", "DATABASE_URL": "sqlite:////nowhere"},
        cwd=temporary.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def finished(temporary: Path, *arguments: object) -> tuple[int, str, str]:
    with demo(temporary, *arguments) as process:
        output, errors = process.communicate(timeout=LIMIT_S)
        return process.returncode, output, errors


def left_behind(temporary: Path) -> tuple[list[Path], list[psutil.Process]]:
    """Return the files and processes of a demonstration that are still there."""
    processes = [
        process for process in psutil.process_iter(["environ"]) if str(temporary) in str(process.info["environ"])
    ]
    return list(temporary.iterdir()), processes


def test_it_shows_that_the_numbers_are_right_and_leaves_only_them(temporary: Path) -> None:
    exit_code, output, errors = finished(temporary, "--json")
    assert exit_code == 0, errors
    said = json.loads(output)
    assert said["is_right"] is True
    assert {found["name"] for found in said["comparisons"]} == {"mean SNR", "mean g"}
    assert all(abs(found["deviation_percent"]) < 1 for found in said["comparisons"])
    package = temporary.parent / "demo-output"
    assert said["report"] == str(package / "report.html")
    assert (package / "data" / "g_factor.nii.gz").is_file()
    assert "file://" in errors
    assert left_behind(temporary) == ([], [])


def earlier_result(package: Path) -> Path:
    (package / "data").mkdir(parents=True)
    (package / "data" / "g_factor.nii.gz").write_bytes(b"of an earlier result")
    outputs = [{"path": "data/g_factor.nii.gz", "size_bytes": 1}]
    (package / "manifest.json").write_text(json.dumps({"outputs": outputs}))
    return package


def test_ones_own_files_take_the_same_way_in_place_of_an_earlier_result(
    temporary: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    package = earlier_result(tmp_path / "out")
    raw_file = raw_data(tmp_path / "meas.npz", rng)
    exit_code, output, errors = finished(temporary, "--signal", raw_file, "-o", package)
    assert exit_code == 0, errors
    assert "SNR IN THE MASK" in output
    assert not (package / "data" / "g_factor.nii.gz").exists()
    assert (package / "data" / "snr.nii.gz").is_file()


def test_a_job_without_a_result_says_why(temporary: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    raw_file = raw_data(tmp_path / "meas.npz", rng, noise=False)
    package = earlier_result(tmp_path / "out")
    exit_code, _, errors = finished(temporary, "--signal", raw_file, "-o", package)
    assert exit_code == 1
    assert "no_noise" in errors
    assert left_behind(temporary) == ([], [])
    assert (package / "data" / "g_factor.nii.gz").is_file(), "an earlier result stays until there is another"
    exit_code, output, errors = finished(
        temporary, "--signal", raw_file, "--noise-estimate", "image_corners", "-o", package
    )
    assert exit_code == 0, errors
    assert "SNR IN THE MASK" in output


def test_what_is_not_an_earlier_result_is_left_alone(temporary: Path) -> None:
    package = temporary.parent / "demo-output"
    package.mkdir()
    (package / "thesis.txt").write_text("years of work")
    exit_code, _, errors = finished(temporary)
    assert exit_code == 1
    assert "output_not_empty" in errors
    assert [path.name for path in package.iterdir()] == ["thesis.txt"]


def test_an_interrupt_leaves_nothing_running(temporary: Path, phantom: Written) -> None:
    with demo(temporary, "--signal", phantom.raw, "--reconstruction", "sense") as process:
        assert process.stderr is not None
        assert any("was accepted" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 130
    assert left_behind(temporary) == ([], [])
    assert not (temporary.parent / "demo-output").exists()


def test_wrong_numbers_fail(temporary: Path, phantom: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = replace(phantom.truth, sense_g=1.02 * phantom.truth.sense_g)
    monkeypatch.setattr("mroptimum.phantom.write_demo", lambda _: replace(phantom, truth=truth))
    result = CliRunner().invoke(app, ["demo", "--json", "-o", str(temporary.parent / "out")])
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["is_right"] is False
    deviations = [found["deviation_percent"] for found in said["comparisons"]]
    assert [abs(deviation) < 1 for deviation in deviations] == [True, False]
