"""Workflows get no right they do not need, use others by hash only, and put no stranger's words into a shell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from code_blocks import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAY_SIGN_IN = {"image", "deploy-mode1", "register"}
ACTION = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
PAGE = (ROOT / "docs" / "operate-brain.md").read_text("utf-8")


def read(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def jobs(path: Path) -> list[dict[str, Any]]:
    return list(read(path)["jobs"].values())


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path) for step in job["steps"]]


def test_every_workflow_is_on_the_operators_page() -> None:
    assert {path.name for path in WORKFLOWS} == set(re.findall(r"^\| `(\w[\w-]*\.yml)`", PAGE, re.MULTILINE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_rights_are_few(path: Path) -> None:
    assert read(path)["permissions"] == {}
    for job in jobs(path):
        allowed = {"contents": "read"} | ({"id-token": "write"} if path.stem in MAY_SIGN_IN else {})
        assert job["permissions"] == allowed
        assert job["timeout-minutes"] <= 90
        # Whoever may approve the environment decides who gets at AWS.
        assert ("environment" in job) == (path.stem in MAY_SIGN_IN)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_of_others_are_named_by_hash_and_release(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_is_put_into_a_shell_but_by_its_environment(path: Path) -> None:
    assert not [step["run"] for step in steps(path) if "${{" in step.get("run", "")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_key_of_aws_is_kept(path: Path) -> None:
    assert set(re.findall(r"secrets\.(\w+)", path.read_text("utf-8"))) <= {"CLOUDMR_EMAIL", "CLOUDMR_PASSWORD"}


def test_every_variable_is_on_the_operators_page() -> None:
    used = {name for path in WORKFLOWS for name in re.findall(r"(?:vars|secrets)\.(\w+)", path.read_text("utf-8"))}
    assert not {name for name in used if f"`{name}`" not in PAGE}
