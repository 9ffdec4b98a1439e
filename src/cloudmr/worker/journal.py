"""What a worker says while it works: lines of the job's log, and progress for whoever watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from cloudmr.compute.base import LogLine
from cloudmr.model.instants import Clock
from mroptimum.result import LogEntry
from mroptimum.run import Progress


class Journal:
    """Keeps the log in a file that can be read while the worker works, one JSON object a line."""

    def __init__(self, file: Path, *, clock: Clock, report: Callable[[Progress], None]) -> None:
        self._file = file
        self._clock = clock
        self._report = report
        self._lines: list[LogLine] = []

    def say(self, message: str, *, step: str, done: int = 0, total: int = 0) -> None:
        """Log a step of the worker's own, and report it."""
        self._add(LogLine(at=self._clock(), level="info", message=message))
        self._report(Progress(step=step, done=done, total=total, message=message))

    def warn(self, message: str) -> None:
        """Log something that is not as it should be."""
        self._add(LogLine(at=self._clock(), level="warning", message=message))

    def follow(self, progress: Progress) -> None:
        """Log and report a step of the computation."""
        self._write(LogLine(at=self._clock(), level="info", message=progress.message))
        self._report(progress)

    def entries(self, computation: Iterable[LogEntry] = ()) -> tuple[LogEntry, ...]:
        """Return the whole log: the worker's own lines and the computation's, by time."""
        own = (LogEntry(at=line.at, level=line.level, message=line.message) for line in self._lines)
        return tuple(sorted((*own, *computation), key=_moment))

    def _add(self, line: LogLine) -> None:
        self._lines.append(line)
        self._write(line)

    def _write(self, line: LogLine) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line.to_row()) + "\n")


def _moment(entry: LogEntry) -> datetime:
    return entry.at
