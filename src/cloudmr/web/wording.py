"""Values as people read them: sizes, moments, durations, money."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cloudmr.model.prices import in_dollars

_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(n_bytes: int) -> str:
    """Return a number of bytes in the unit that fits: `1.5 MB`."""
    value, unit = float(n_bytes), 0
    while value >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_BYTE_UNITS[unit]}" if unit == 0 or value >= 99.5 else f"{value:.1f} {_BYTE_UNITS[unit]}"


def moment(at: datetime) -> str:
    """Return an instant to the minute; the page shows it in the reader's own time."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def duration(seconds: float) -> str:
    """Return a length of time in the two units that matter: `1 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def word(value: object) -> str:
    """Return a word of the code as a person reads it: `mode_1` as `mode 1`, `session:opened` as `session opened`."""
    return str(value).replace("_", " ").replace(":", " ")


FILTERS: dict[str, Callable[..., Any]] = {
    "size": size,
    "moment": moment,
    "duration": duration,
    "dollars": in_dollars,
    "word": word,
}
