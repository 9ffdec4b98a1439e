from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudmr.compute.base import LogLine
from cloudmr.worker.journal import Journal, to_file, to_stream
from mroptimum.result import LogEntry
from mroptimum.run import Progress

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """Every look at it takes a second."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def lines(file: Path) -> list[LogLine]:
    return [LogLine.from_row(json.loads(line)) for line in file.read_text().splitlines()]


def test_steps_are_written_at_once_and_reported(tmp_path: Path) -> None:
    reports: list[Progress] = []
    journal = Journal(to_file(tmp_path / "log"), clock=Clock(), report=reports.append)
    journal.say("fetching\u2028data", step="fetch", done=1, total=2)
    assert lines(tmp_path / "log") == [
        LogLine(at=START + timedelta(seconds=1), level="info", message="fetching\u2028data")
    ]
    journal.follow(Progress(step="read", done=0, total=4, message="reading"))
    assert [line.message for line in lines(tmp_path / "log")] == ["fetching\u2028data", "reading"]
    assert reports == [
        Progress(step="fetch", done=1, total=2, message="fetching\u2028data"),
        Progress(step="read", done=0, total=4, message="reading"),
    ]


def test_warnings_are_logged_and_not_reported(tmp_path: Path) -> None:
    reports: list[Progress] = []
    Journal(to_file(tmp_path / "log"), clock=Clock(), report=reports.append).warn("not as it should be")
    [line] = lines(tmp_path / "log")
    assert (line.level, reports) == ("warning", [])


def test_the_whole_log_has_the_computations_own_lines_instead_of_its_progress(tmp_path: Path) -> None:
    journal = Journal(to_file(tmp_path / "log"), clock=Clock(), report=lambda progress: None)
    journal.say("fetching", step="fetch")
    journal.follow(Progress(step="read", done=0, total=4, message="reading"))
    journal.say("storing", step="store")
    computation = [
        LogEntry(at=START + timedelta(seconds=1.5), level="info", message="reading"),
        LogEntry(at=START + timedelta(seconds=1.6), level="warning", message="a hint"),
    ]
    assert [entry.message for entry in journal.entries(computation)] == ["fetching", "reading", "a hint", "storing"]


def test_lines_of_several_executions_in_one_stream_are_told_apart() -> None:
    stream = io.StringIO()
    Journal(to_stream(stream, execution="job_a-1"), clock=Clock(), report=lambda _: None).say("fetching", step="fetch")
    Journal(to_stream(stream, execution="job_b-1"), clock=Clock(), report=lambda _: None).warn("strange\nname")
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [row.pop("execution") for row in rows] == ["job_a-1", "job_b-1"]
    assert [LogLine.from_row(row).message for row in rows] == ["fetching", "strange\nname"]
