"""Spans of time as people type them: 30m, 12h, 90d."""

from __future__ import annotations

import re
from datetime import timedelta

import typer

_UNIT = {"m": "minutes", "h": "hours", "d": "days"}


def in_time(text: str) -> timedelta:
    """Return how long a text says. Raise `typer.BadParameter` for one that says nothing of it."""
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", text.strip())
    if found is None:
        raise typer.BadParameter("give a number and m, h or d, such as 90d.")
    return timedelta(**{_UNIT[found[2]]: int(found[1])})
