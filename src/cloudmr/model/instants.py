"""Moments: always aware, always UTC; whoever needs the time is given a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Clock = Callable[[], datetime]
"""Tells what time it is, in UTC."""

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything that is counted."""


def utc_now() -> datetime:
    """Return the time of this machine's clock."""
    return datetime.now(UTC)


def require_utc(record: DataclassInstance) -> None:
    """Raise `ValueError` if a moment among the record's fields is naive or in another zone."""
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, datetime) and value.tzinfo is not UTC:
            raise ValueError(f"{type(record).__name__}.{field.name} is not in UTC")


def in_utc(moment: datetime | None) -> datetime | None:
    """Return the same moment in UTC; one so near the ends of time that it has none there is the end."""
    if moment is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST if moment.year == _FIRST.year else _LAST
