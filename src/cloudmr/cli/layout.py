"""What is printed, as values: records and tables of short texts, and how they look without a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of the same columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> Iterator[str]:
        """Yield the table as plain lines, columns aligned, nothing cut off."""
        rows = (tuple(column.upper() for column in self.columns), *(tuple(map(printable, row)) for row in self.rows))
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.columns))]
        for row in rows:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


@dataclass(frozen=True, kw_only=True)
class Record:
    """Names and values of one thing; empty values are left out."""

    fields: tuple[tuple[str, str], ...]

    def lines(self) -> Iterator[str]:
        """Yield one plain line for each value."""
        shown = [(name, value) for name, value in self.fields if value]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            yield f"{name.ljust(width)}  {printable(value)}"


def printable(text: str) -> str:
    """Return a text of somebody else's without what could move the cursor or change colours."""
    return "".join(character if character.isprintable() else "�" for character in text)


def in_bytes(n_bytes: int) -> str:
    """Return a size in words, with three digits."""
    value, unit = float(n_bytes), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{n_bytes} {_UNITS[0]}" if unit == 0 else f"{value:.3g} {_UNITS[unit]}"


def local_time(moment: datetime | None) -> str:
    """Return a moment in the time of this machine, to the second; nothing for None."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""
