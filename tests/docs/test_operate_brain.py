"""The operator's page has every setting, every figure and every file there is."""

from __future__ import annotations

import re

import pytest
from tools.document_tables import DOCS, TABLES, with_tables

from cloudmr.metrics import Metrics
from code_blocks import ROOT

TEXT = (DOCS / "operate-brain.md").read_text("utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_what_the_code_says(name: str) -> None:
    page = (DOCS / name).read_text("utf-8")
    assert with_tables(name, page) == page, "python -m tools.document_tables"


def test_a_table_that_is_not_there_is_missed() -> None:
    assert "| `CLOUDMR_HOME` | `~/.cloudmr` |" in TEXT
    with pytest.raises(ValueError, match="no table"):
        with_tables("operate-brain.md", "# Nothing")


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
