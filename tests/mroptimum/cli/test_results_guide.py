"""The guide to results does what it says: its commands are run in their order, in one folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mroptimum.cli import ExitCode
from mroptimum.cli.terminal import in_digits

GUIDE = Path(__file__).parents[3] / "docs" / "results.md"


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.mark.slow
def test_every_command_of_the_guide_ends_well(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for program, *arguments in commands():
        assert program == "mroptimum"
        said = call(*arguments)
        assert said.exit_code == ExitCode.DONE, f"{arguments}: {said.errors}"
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "a" / "report.html").read_bytes()
    assert (tmp_path / "comparison" / "ratio_snr.nii.gz").is_file()


def test_the_guide_lists_every_exit_code() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for code in ExitCode:
        assert f"| {code.value} | {code.meaning} |" in text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.0, "0"), (1234.5678, "1235"), (1e-9, "1e-09")])
def test_numbers_are_printed_as_people_read_them(value: float | None, text: str) -> None:
    assert in_digits(value) == text
