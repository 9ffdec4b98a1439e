"""What tests hold the science to must not be made by it, or a wrong factor would judge itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JUDGED = ("convention", "noise", "fourier", "coils", "reconstruction", "snr", "one_slice", "maps", "run")
"""Rooms of `mroptimum` that are held to a truth."""
TRUTH = (
    *sorted((ROOT / "src" / "mroptimum" / "phantom").glob("*.py")),
    ROOT / "tests" / "support" / "scenes.py",
    ROOT / "tests" / "support" / "griswold.py",
    ROOT / "tests" / "support" / "coil_scenes.py",
)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", TRUTH, ids=lambda path: path.stem)
def test_a_truth_knows_nothing_of_what_it_judges(path: Path) -> None:
    judged = {f"mroptimum.{room}" for room in JUDGED}
    found = {name for name in imported(path) if any(name == room or name.startswith(f"{room}.") for room in judged)}
    assert not found
    of_the_tool = {name for name in imported(path) if name.startswith("mroptimum")}
    if "support" in path.parts:
        assert not of_the_tool


def test_the_search_finds_what_it_looks_for() -> None:
    """Such imports stand in the modules that are judged, so that finding none elsewhere means something."""
    assert "mroptimum.convention.snr" in imported(ROOT / "src" / "mroptimum" / "snr" / "analytic.py")
    assert {name for path in TRUTH for name in imported(path)} >= {"mroptimum.phantom.simulation.Scan", "numpy"}
