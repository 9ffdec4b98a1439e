"""Waiting for another process without guessing how long it takes: the condition ends the wait, a deadline the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
DEADLINE_S = 30


def wait_until(look: Callable[[], Found | None], *, what: str, deadline_s: float = DEADLINE_S) -> Found:
    """Return the first answer of `look` that is something; fail the test when there is none in time."""
    give_up_at_s = time.monotonic() + deadline_s
    pause = threading.Event()
    while not (found := look()):
        assert time.monotonic() < give_up_at_s, f"waited {deadline_s} s for {what}"
        pause.wait(0.01)
    return found
