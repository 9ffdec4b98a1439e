"""When to try again, and when to stop."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from cloudmr.client.errors import ClientError

Pause = Callable[[float], object]
"""Waits so many seconds; `time.sleep` outside tests."""

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be different in a moment."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often to try, and how long to wait between tries: twice as long each time, up to a limit."""

    n_tries: int
    first_delay_s: float
    longest_delay_s: float

    def delay_s(self, n_failed: int, *, jitter: float, asked_s: float | None = None) -> float | None:
        """Return how long to wait after `n_failed` failed tries; None: stop trying.

        `jitter`, in [0, 1), spreads clients that failed at the same moment over the half of the delay that follows it.
        What the server `asked_s` for is waited at least, unless it is more than the longest delay: then to stop and
        say so is better than to hang.
        """
        if n_failed >= self.n_tries or (asked_s or 0) > self.longest_delay_s:
            return None
        delay_s = min(self.first_delay_s * 2.0 ** (n_failed - 1), self.longest_delay_s)
        return max(delay_s * (1 + jitter / 2), asked_s or 0)


BRIEF = RetryPolicy(n_tries=4, first_delay_s=0.25, longest_delay_s=2)
"""For a question somebody waits for: about two seconds."""
PATIENT = RetryPolicy(n_tries=9, first_delay_s=0.5, longest_delay_s=30)
"""For a transfer that has got somewhere: about two minutes."""


class Tries:
    """Counts the failed tries of one thing."""

    def __init__(self, policy: RetryPolicy, pause: Pause) -> None:
        self._policy = policy
        self._pause = pause
        self._n_failed = 0

    def failed(self, error: ClientError, *, asked_s: float | None = None) -> None:
        """Wait before the next try, or raise `error` if there is to be none."""
        self._n_failed += 1
        jitter = random.random()  # noqa: S311  # spreads load; nothing about it is secret
        delay_s = self._policy.delay_s(self._n_failed, jitter=jitter, asked_s=asked_s)
        if delay_s is None:
            raise error
        self._pause(delay_s)

    def got_somewhere(self) -> None:
        """Forget the failures: since the last one something came of it."""
        self._n_failed = 0


def asked_delay_s(retry_after: str | None) -> float | None:
    """Return the seconds of a `Retry-After` header; a date, which none of our servers sends, counts as none."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdecimal() else None
