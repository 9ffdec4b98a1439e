"""Where jobs run, as the Brain sees it: start an execution, ask what became of it, stop it.

A port with two real things behind it: processes on this machine (`local.py`) and a Step Functions state machine. Both
pass the conformance suite in `cloudmr.compute.conformance`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from cloudmr.model.platforms import Platform


class ExecutionState(StrEnum):
    """What the unit says of an execution."""

    RUNNING = "running"
    """Accepted and not ended."""
    SUCCEEDED = "succeeded"
    """Ended; the worker says that the results are in place."""
    FAILED = "failed"
    """Ended without results: the task was wrong, or the worker died."""
    TIMED_OUT = "timed_out"
    """Ended by its deadline."""
    STOPPED = "stopped"
    """Ended because it was asked to."""
    UNKNOWN = "unknown"
    """The unit has never heard of it: it was not started."""


class Cause(StrEnum):
    """Why an execution ended without results."""

    TASK_FAILED = "task_failed"
    """The worker says why, in the failure package."""
    OUT_OF_MEMORY = "out_of_memory"
    """It needed more memory than it was given."""
    CPU_TIME = "cpu_time"
    """It used up its processor time."""
    DISK_FULL = "disk_full"
    """It needed more disk than it was given, or than there is."""
    DEADLINE = "deadline"
    """It was not done in time."""
    STOPPED = "stopped"
    """Somebody asked for its end."""
    KILLED = "killed"
    """It was ended from outside: by a signal, or by the end of the machine."""
    CRASHED = "crashed"
    """The worker ended by itself, without a word."""
    NO_CAPACITY = "no_capacity"
    """The unit had no machine for it at the moment."""
    NOT_STARTED = "worker_not_started"
    """The unit could not start a worker: its image, its network or its rights are not as they should be."""
    UNHEARD = "unheard"
    """The worker could not get its job document from the Brain."""


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What an execution may use: address space, processor time, disk, and time on the clock."""

    memory_bytes: int
    cpu_time_s: int
    disk_bytes: int
    deadline_s: int


@dataclass(frozen=True, kw_only=True)
class ExecutionRequest:
    """One attempt at one job. The name `{job_id}-{attempt}` makes a repeated start harmless."""

    job_id: str
    attempt: int
    document_url: str
    callback_url: str
    progress_url: str
    key_id: str
    secret: str
    resources: Resources
    platform: Platform = Platform.LOCAL

    @property
    def name(self) -> str:
        """The execution's name, unique for the attempt."""
        return f"{self.job_id}-{self.attempt}"

    def __repr__(self) -> str:
        return f"ExecutionRequest({self.name})"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What became of one attempt. Without results, `cause` is a word for why and `detail` a sentence with figures."""

    name: str
    state: ExecutionState
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """A line of a job's log, as the person who runs the job may read it; `level` is `info` or `warning`."""

    at: datetime
    level: str
    message: str

    def to_row(self) -> dict[str, str]:
        """Return the line as it stands in `log.json` of a package, and in every other log file."""
        return {"when": self.at.isoformat(timespec="milliseconds"), "type": self.level, "what": self.message}

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Self:
        """Return the line of a row."""
        return cls(at=datetime.fromisoformat(row["when"]), level=row["type"], message=row["what"])


class ComputeBackend(Protocol):
    """What a unit's compute can do. Where the unit does not answer, `cloudmr.errors.UnitUnavailable` is raised."""

    def start(self, request: ExecutionRequest) -> None:
        """Start an execution; one that was started before is left alone."""

    def describe(self, name: str) -> Execution:
        """Return what is true of an execution now."""

    def stop(self, name: str) -> None:
        """Ask an execution to end; `describe` tells when it has. Of an ended or unknown one, do nothing."""

    def log(self, name: str) -> Sequence[LogLine]:
        """Return the log so far; nothing where the unit does not show it (yet, or any more)."""
