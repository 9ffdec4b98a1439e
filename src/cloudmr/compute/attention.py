"""Signals as something to wait for, with a timeout and without a thread."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from select import select
from types import FrameType

WAKE_UP = signal.SIGUSR1
"""Says no more than: look around."""
_TOLD_TO_END = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


class Attention:
    """Receives this process's signals; one is made, early, in the main thread, and kept until the process ends."""

    def __init__(self) -> None:
        self.is_told_to_end = False
        self._readable, writable = os.pipe()
        os.set_blocking(self._readable, False)
        os.set_blocking(writable, False)
        signal.set_wakeup_fd(writable)
        for number in (*_TOLD_TO_END, signal.SIGCHLD, WAKE_UP):
            signal.signal(number, self._note)

    def wait(self, timeout_s: float) -> None:
        """Return at the next signal (a child's end is one), at once for one that came since the last call."""
        select([self._readable], [], [], max(timeout_s, 0))
        with suppress(BlockingIOError):
            os.read(self._readable, 4096)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a signal's function
        if number in _TOLD_TO_END:
            self.is_told_to_end = True
