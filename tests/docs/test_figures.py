"""The documents' figures are those that the code draws."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from code_blocks import ROOT

FIGURES = ROOT / "docs" / "figures"
IMAGES = ROOT / "docs" / "images"
NOT_DRAWN = {
    "report": "a picture of a report, as a browser shows it",
    "home": "the first page, with the sample job",
    "results": "its SNR map with two regions",
    "compare": "SENSE and GRAPPA of the same scan side by side",
}
TOOLS = {"__main__", "style", "measured"}
"""Modules of the folder that draw nothing themselves."""


def names() -> set[str]:
    return {path.stem for path in FIGURES.glob("*.py")} - TOOLS


def test_every_image_is_drawn_by_a_module_of_its_name() -> None:
    assert {path.stem for path in IMAGES.iterdir()} == names() | NOT_DRAWN.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["few_samples", "low_snr", "g_maps"])
def test_drawn_anew_it_is_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FIGURES)
    with importlib.import_module("style").house_style():
        importlib.import_module(name).draw(tmp_path)
    drawn, kept = (Image.open(folder / f"{name}.png").convert("RGB") for folder in (tmp_path, IMAGES))
    assert drawn.size == kept.size
    # Another processor may move a dot by a pixel, and no more.
    assert np.abs(np.asarray(drawn, dtype=float) - np.asarray(kept, dtype=float)).mean() < 1
