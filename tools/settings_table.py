"""Write the table of settings in docs/operate-brain.md anew (`python -m tools.settings_table`)."""

from __future__ import annotations

import re
from pathlib import Path

from cloudmr.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "operate-brain.md"
_TABLE = re.compile(r"(?<=^\| Setting \| Default \| What it is \|\n\|---\|---\|---\|\n)(\|.*\n)*", re.MULTILINE)


def table() -> str:
    """Return the rows, one for each setting, with what it is where nobody sets it."""
    rows = Settings(home=Path("~/.cloudmr")).describe()
    return "".join(f"| `{row.name}` | {_shown(row.value)} | {row.meaning} |\n" for row in rows)


def with_table(page: str) -> str:
    """Return a page with its table as it has to be."""
    return _TABLE.sub(lambda _: table(), page, count=1)


def _shown(value: str) -> str:
    if not value:
        return "none"
    return value[1:-1] if value.startswith("(") else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
