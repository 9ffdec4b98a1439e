"""One attempt at one job on this machine, as a folder: `run/{job_id}-{attempt}`.

    supervisor.json   which process looks after it, since when; there from the first moment of the folder
    worker.json       which process does the work
    stop              somebody asked for its end
    status.json       how it ended; there once and never changed
    log.jsonl         what the worker says of its steps, a JSON object a line
    outcome.json      what the worker itself says of its end, for the callback
    worker.log        what the worker printed, tracebacks included; for the operator only
    supervisor.log    likewise
    work/             input, intermediate and output files; removed at the end

Only the attempt's secret is nowhere here. Files appear whole, by rename or link.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cloudmr.compute.base import Cause, Execution, ExecutionState, LogLine
from cloudmr.compute.outcome import MAX_OUTCOME_BYTES, Outcome
from cloudmr.compute.processes import ProcessIdentity
from cloudmr.storage.durable import make_folder, sync_folder, write_new


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who looks after an attempt, and since when."""

    supervisor: ProcessIdentity
    started_at: datetime


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """The folder of one attempt, there or not."""

    path: Path

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.path.name

    @property
    def work(self) -> Path:
        """Where the worker works."""
        return self.path / "work"

    @property
    def worker_log(self) -> Path:
        """What the worker printed."""
        return self.path / "worker.log"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor printed."""
        return self.path / "supervisor.log"

    @property
    def log(self) -> Path:
        """What the worker says of its steps."""
        return self.path / "log.jsonl"

    @property
    def outcome(self) -> Path:
        """What the worker says of its end."""
        return self.path / "outcome.json"

    def claim(self, claim: Claim) -> bool:
        """Make the folder, unless it is there: then somebody else has the attempt, and the answer is False."""
        make_folder(self.path.parent)
        # Complete from its first moment: a folder without supervisor could not be told from one being made.
        draft = self.path.with_name(f".{self.name}.{secrets.token_hex(4)}")
        draft.mkdir(mode=0o700)
        (draft / "work").mkdir(mode=0o700)
        _write(draft / "supervisor.json", asdict(claim) | {"started_at": claim.started_at.isoformat()})
        try:
            draft.rename(self.path)
        except OSError:
            shutil.rmtree(draft)
            if not self.path.exists():
                raise
            return False
        sync_folder(self.path.parent)
        return True

    def read_claim(self) -> Claim | None:
        """Return who looks after the attempt, None if nobody ever did."""
        fields = _read(self.path / "supervisor.json")
        if fields is None:
            return None
        return Claim(
            supervisor=ProcessIdentity(**fields["supervisor"]),
            started_at=datetime.fromisoformat(fields["started_at"]),
        )

    def note_worker(self, worker: ProcessIdentity) -> None:
        """Write down which process does the work."""
        _write(self.path / "worker.json", asdict(worker))

    def read_worker(self) -> ProcessIdentity | None:
        """Return which process does or did the work, None if none was started."""
        fields = _read(self.path / "worker.json")
        return None if fields is None else ProcessIdentity(**fields)

    def request_stop(self) -> None:
        """Write down that somebody asks for the end."""
        with suppress(FileNotFoundError):
            (self.path / "stop").touch()

    @property
    def is_stop_requested(self) -> bool:
        """Whether somebody asked for the end."""
        return (self.path / "stop").exists()

    def settle(self, end: Execution) -> Execution:
        """Write down how it ended and return that; if that was done before, return what was written then."""
        fields = {
            "state": end.state,
            "started_at": end.started_at.isoformat() if end.started_at else None,
            "ended_at": end.ended_at.isoformat() if end.ended_at else None,
            "cause": end.cause,
            "detail": end.detail,
        }
        try:
            _write(self.path / "status.json", fields)
        except FileExistsError:
            return self.read_end() or end
        return end

    def read_end(self) -> Execution | None:
        """Return how it ended, None while that is not settled."""
        fields = _read(self.path / "status.json")
        if fields is None:
            return None
        return Execution(
            name=self.name,
            state=ExecutionState(fields["state"]),
            started_at=datetime.fromisoformat(fields["started_at"]) if fields["started_at"] else None,
            ended_at=datetime.fromisoformat(fields["ended_at"]) if fields["ended_at"] else None,
            cause=Cause(fields["cause"]) if fields["cause"] else None,
            detail=fields["detail"],
        )

    def remove_work(self) -> None:
        """Remove the worker's files; nobody reads them any more, and they may be a patient's."""
        shutil.rmtree(self.work, ignore_errors=True)

    def remove(self) -> None:
        """Remove all of it; the execution becomes unknown."""
        shutil.rmtree(self.path)

    def write_outcome(self, outcome: Outcome) -> None:
        """Write down what the worker says of its end."""
        _write(self.outcome, asdict(outcome))

    def read_outcome(self) -> Outcome:
        """Return what the worker says of its end; nothing, if it did not come to that."""
        try:
            with self.outcome.open("rb") as file:
                return Outcome.parse(file.read(MAX_OUTCOME_BYTES))
        except (FileNotFoundError, ValueError):
            return Outcome()

    def read_log(self) -> Iterator[LogLine]:
        """Yield the worker's log so far; a line that is being written is left out."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                yield LogLine.from_row(json.loads(line))


def _write(path: Path, fields: dict[str, Any]) -> None:
    """Write a JSON file that appears whole. Raise FileExistsError if it is there already."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_new(draft, json.dumps(fields, sort_keys=True).encode())
        path.hardlink_to(draft)  # unlike a rename, refused when the name is taken
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        fields: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return fields
