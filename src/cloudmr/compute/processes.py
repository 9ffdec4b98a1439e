"""Telling one process from another that later got its number, and ending it with all it started."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process for good: its number, when it was started, and in which run of the machine."""

    pid: int
    started_s: float
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """Return the identity of a process. Raise `psutil.NoSuchProcess` when there is none."""
        # Seconds since the start of the machine: the wall clock may be set while the process runs.
        booted_at = psutil.boot_time()
        started_s = psutil.Process(pid).create_time() - booted_at
        return cls(pid=pid, started_s=round(started_s, 2), boot_id=_boot_id())

    def is_alive(self) -> bool:
        """Tell whether this very process runs; one that has ended and was not yet waited for does not."""
        try:
            return self._is_present() and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this very process; if it has ended, do nothing."""
        if self._is_present():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill_group(self, *, timeout_s: float = 5) -> None:
        """Kill this very process, the leader of its group, with the group, and wait for its end.

        If it has ended, do nothing. The wait is bounded: a process that hangs in the kernel ends when it can.
        """
        if self._is_present():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        give_up_at_s = time.monotonic() + timeout_s
        while self.is_alive() and time.monotonic() < give_up_at_s:
            time.sleep(0.005)

    def _is_present(self) -> bool:
        try:
            return ProcessIdentity.of(self.pid) == self
        except psutil.NoSuchProcess:
            return False


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except FileNotFoundError:  # not Linux
        return ""
