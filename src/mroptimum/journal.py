"""What a run says while it works: progress to whoever watches, a log and warnings for the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mroptimum.errors import Cancelled
from mroptimum.result import LogEntry


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: ``done`` of ``total`` units of the whole, and what is going on."""

    step: str
    done: int
    total: int
    message: str


STEPS_BESIDE_SLICES = 3
"""Reading, measuring the noise, putting the result together: one unit each."""


@dataclass(kw_only=True)
class Journal:
    """Keeps the log and the warnings, reports progress, and stops the run when it is asked to."""

    progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    log: list[LogEntry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    done: int = 0
    total: int = STEPS_BESIDE_SLICES + 1
    step: str = ""
    message: str = ""

    def expect(self, units: int) -> None:
        """Say how much there is to do, once it is known: replicas of slices, or of columns of a slab."""
        self.total = STEPS_BESIDE_SLICES + units

    def begin(self, step: str, message: str) -> None:
        """Start a step. Raises `Cancelled` when the run is asked to stop."""
        self.step, self.message = step, message
        self.say(message)
        self._report(message)

    def finish(self, units: int = 1) -> None:
        """End a step that took some units."""
        self.done += units

    def within(self, done: int, where: str) -> None:
        """Report how many units of the present step are done. Raises `Cancelled` when the run is asked to stop."""
        self._report(f"{self.message}, {where}", self.done + done)

    def say(self, message: str) -> None:
        """Add a line to the log."""
        self.log.append(LogEntry(at=datetime.now(UTC), level="info", message=message))

    def warn(self, message: str) -> None:
        """Add a warning, to the log and to every output; the same one only once."""
        if message not in self.warnings:
            self.warnings.append(message)
            self.log.append(LogEntry(at=datetime.now(UTC), level="warning", message=message))

    def _report(self, message: str, done: int | None = None) -> None:
        if self.cancelled():
            raise Cancelled("The job was cancelled.", "Nothing needs to be done; submit it again if it is wanted.")
        done = self.done if done is None else done
        self.progress(Progress(step=self.step, done=done, total=self.total, message=message))
