"""The operator's page has every setting, every figure and every file there is."""

from __future__ import annotations

import re

from tools.settings_table import PAGE, with_table

from cloudmr.metrics import Metrics
from code_blocks import ROOT

TEXT = PAGE.read_text("utf-8")


def test_the_table_of_settings_is_what_the_code_reads() -> None:
    assert with_table(TEXT) == TEXT, "python -m tools.settings_table"
    assert "| `CLOUDMR_HOME` | `~/.cloudmr` |" in TEXT


def test_figures_to_watch_are_there() -> None:
    metrics = Metrics()
    counted = set(re.findall(r"^# TYPE (\w+)", metrics.exposition().decode(), re.MULTILINE))
    present = set(re.findall(r'"(cloudmr_\w+)"', (ROOT / "src/cloudmr/api/metrics.py").read_text("utf-8")))
    named = set(re.findall(r"`(cloudmr_\w+)", TEXT))
    assert named
    assert named <= counted | present


def test_files_that_are_named_are_there() -> None:
    named = set(re.findall(r"`?\b(brain-deployment/[\w.-]+\w)", TEXT)) - {"brain-deployment/.env"}
    assert len(named) >= 4
    assert not {name for name in named if not (ROOT / name).is_file()}
