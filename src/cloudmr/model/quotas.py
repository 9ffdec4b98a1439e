"""How much of the shared computing unit one person gets, and the words in which more is refused.

A person's own computing unit (mode 2) has no limits but those of its account.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from cloudmr.errors import LimitReached
from cloudmr.model.limits import Limits

_OWN_UNIT = "use a computing unit of your own (mode 2; docs/MODE2-QUICK-START.md)"
_ASK_AGAIN_S = 60


@dataclass(frozen=True, kw_only=True)
class QuotaUse:
    """What one person has of it now, beside their limits; the month's count starts anew at `month_ends_at` (UTC)."""

    n_this_month: int
    n_running: int
    n_queued: int
    stored_bytes: int
    limits: Limits
    month_ends_at: datetime


def month_start(now: datetime) -> datetime:
    """Return when the calendar month began, in UTC."""
    return datetime(now.year, now.month, 1, tzinfo=UTC)


def month_end(now: datetime) -> datetime:
    """Return when the next calendar month begins, in UTC."""
    years, month = divmod(now.month, 12)
    return datetime(now.year + years, month + 1, 1, tzinfo=UTC)


def check_submission(*, n_this_month: int, n_queued: int, limits: Limits, now: datetime) -> None:
    """Raise `LimitReached` (`monthly_jobs`, `queue_full`) if one more job would be one too many."""
    if n_this_month >= limits.n_monthly_each:
        month_ends_at = month_end(now)
        raise LimitReached(
            f"You have submitted {n_this_month} of {limits.n_monthly_each} jobs this month to the shared computing "
            "unit, which is the limit.",
            f"The count starts anew at {month_ends_at:%Y-%m-%d %H:%M} UTC; until then, {_OWN_UNIT}.",
            retry_after_s=max(1, math.ceil((month_ends_at - now).total_seconds())),
            code="monthly_jobs",
        )
    if n_queued >= limits.n_queued_each:
        raise LimitReached(
            f"You have {n_queued} jobs waiting at the shared computing unit; {limits.n_queued_each} is the limit.",
            f"It resets as your jobs have their turn: wait, cancel some, or {_OWN_UNIT}.",
            retry_after_s=_ASK_AGAIN_S,
            code="queue_full",
        )


def check_room(*, stored_bytes: int, more_bytes: int, limits: Limits) -> None:
    """Raise `LimitReached` (`storage_full`) if so many more bytes would be too many."""
    limit_bytes = limits.max_stored_bytes_each
    if stored_bytes + more_bytes > limit_bytes:
        raise LimitReached(
            f"Your data files in the shared computing unit have {stored_bytes} of {limit_bytes} bytes, "
            f"unfinished uploads and deleted files that can still be brought back included; the file has {more_bytes}.",
            "Delete data files for good, which makes room at once, give up uploads that you do not need, or "
            f"{_OWN_UNIT}.",
            retry_after_s=_ASK_AGAIN_S,
            code="storage_full",
        )
