"""docs/failures.md promises a test for every failure: each is there, and each row names one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "failures.md").read_text(encoding="utf-8")
ROWS = [row for row in PAGE.splitlines() if row.startswith("| ") and not row.startswith("| Failure")]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


@cache
def names_in(file: str) -> set[str]:
    tree = ast.parse((REPOSITORY / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_the_page_names_is_there(file: str, name: str) -> None:
    assert name in names_in(file)


def test_every_row_says_what_you_see_and_names_a_test() -> None:
    assert len(ROWS) > 50
    for row in ROWS:
        _, failure, seen, tests, _ = row.split("|")
        assert failure.strip(), row
        assert seen.strip(), row
        assert re.fullmatch(r" (`[\w/]+\.py::test_\w+`(, )?)+ ", tests), row


def test_every_file_of_this_folder_is_named() -> None:
    files = {f"failures/{path.name}" for path in Path(__file__).parent.glob("test_*.py")} - {
        "failures/test_failures_page.py"
    }
    assert files <= {file for file, _ in NAMED}
