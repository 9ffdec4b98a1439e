"""How often something may be tried: a count within a window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudmr.errors import LimitReached


@dataclass(frozen=True, kw_only=True)
class Tries:
    """How often something was tried since the window opened."""

    count: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """At most `limit` tries within `window`."""

    limit: int
    window: timedelta

    def count(self, tries: Tries | None, *, now: datetime) -> Tries:
        """Return the tries with one more. Raise `LimitReached`, which says when to come back, if that is too many."""
        if tries is None or now >= tries.since + self.window:
            return Tries(count=1, since=now)
        if tries.count >= self.limit:
            wait_s = max(1, math.ceil((tries.since + self.window - now).total_seconds()))
            raise LimitReached(
                f"There were {self.limit} tries within {self.window.total_seconds() / 60:.0f} minutes.",
                f"Try again in {wait_s} s.",
                retry_after_s=wait_s,
                code="too_many_tries",
            )
        return Tries(count=tries.count + 1, since=tries.since)
