"""Write the tables of the documents that say what code says, anew (`python -m tools.document_tables`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from cloudmr.deploy.options import OPTIONS, Option
from cloudmr.deploy.template import find_template
from cloudmr.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
_ROWS = r"(\|.*\n)*"


def settings() -> str:
    """Return a row for each setting of a Brain, with what it is where nobody sets it."""
    rows = Settings(home=Path("~/.cloudmr")).describe()
    return "".join(f"| `{row.name}` | {_setting(row.value)} | {row.meaning} |\n" for row in rows)


def options() -> str:
    """Return a row for each thing that can be said of a deployment."""
    return "".join(
        f"| {_code(option.flag)} | {', '.join(map(_code, option.variables)) or '–'} | {_default(option)} "
        f"| {option.meaning} |\n"
        for option in OPTIONS
    )


def parameters() -> str:
    """Return a row for each parameter of a unit's template."""
    text = find_template().text
    section = text[text.index("\nParameters:\n") : text.index("\nRules:\n")]
    found = yaml.safe_load(section)["Parameters"]
    return "".join(f"| `{name}` | {_parameter(each)} | {each['Description']} |\n" for name, each in found.items())


TABLES: Mapping[str, tuple[tuple[str, Callable[[], str]], ...]] = {
    "operate-brain.md": (("| Setting | Default | What it is |", settings),),
    "MODE2-DEPLOYMENT-GUIDE.md": (
        ("| Flag | Variable | Default | What it is |", options),
        ("| Parameter | Default | What it is |", parameters),
    ),
}
"""Which documents have which tables: how each begins, and who makes its rows."""


def with_tables(name: str, page: str) -> str:
    """Return a document with its tables as they have to be."""
    for head, rows in TABLES[name]:
        rule = "|---" * (head.count("|") - 1) + "|"
        before, found, after = page.partition(f"{head}\n{rule}\n")
        if not found:
            raise ValueError(f"{name} has no table that begins with {head}")
        page = before + found + rows() + re.sub(rf"\A{_ROWS}", "", after)
    return page


def _setting(value: str) -> str:
    if not value:
        return "none"
    return value[1:-1] if value.startswith("(") else f"`{value}`"


def _parameter(each: Mapping[str, Any]) -> str:
    if "Default" not in each:
        return "needed"
    return f"`{each['Default']}`" if each["Default"] != "" else "empty"


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "–"


def _default(option: Option) -> str:
    return f"`{option.default}`" if option.default else "–"


if __name__ == "__main__":
    for name in TABLES:
        (DOCS / name).write_text(with_tables(name, (DOCS / name).read_text("utf-8")), "utf-8")
