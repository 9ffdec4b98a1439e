"""What a worker says while it works: lines of the job's log, and progress for whoever watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TextIO

from cloudmr.compute.base import LogLine
from cloudmr.model.instants import Clock
from mroptimum.result import LogEntry
from mroptimum.run import Progress

Write = Callable[[LogLine], None]
"""Takes a line of the log, which can be read from then on."""


def to_file(file: Path) -> Write:
    """Return what writes to a file, one JSON object a line."""

    def write(line: LogLine) -> None:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(line.to_row()) + "\n")

    return write


def to_stream(stream: TextIO, *, execution: str) -> Write:
    """Return what writes to a stream that takes lines of several executions, each with the name of its own."""

    def write(line: LogLine) -> None:
        stream.write(json.dumps({"execution": execution, **line.to_row()}) + "\n")
        stream.flush()

    return write


class Journal:
    """Keeps the log, and tells of each step as it comes."""

    def __init__(self, write: Write, *, clock: Clock, report: Callable[[Progress], None]) -> None:
        self._write = write
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


def _moment(entry: LogEntry) -> datetime:
    return entry.at
