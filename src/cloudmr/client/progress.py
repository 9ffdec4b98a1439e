"""How a transfer tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Advance = Callable[[int], object]
"""Told how many more bytes have been transferred; a negative number where a try was in vain. Called by any thread."""


def unheard(_: int) -> None:
    """Tell nobody."""
