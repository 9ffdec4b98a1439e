"""Where jobs run, as the Brain sees it: start an execution, ask what became of it, stop it.

A port with two real things behind it: processes on this machine (`local.py`) and a Step Functions state machine. Both
pass the conformance suite in `cloudmr.compute.conformance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


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


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What an execution may use."""

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

    @property
    def name(self) -> str:
        """The execution's name, unique for the attempt."""
        return f"{self.job_id}-{self.attempt}"

    def __repr__(self) -> str:
        return f"ExecutionRequest({self.name})"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What became of one attempt. `cause` is a short word (`out_of_memory`, `killed`, …), `detail` a sentence."""

    name: str
    state: ExecutionState
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cause: str | None = None
    detail: str | None = None


class ComputeBackend(Protocol):
    """What a unit's compute can do. Raise `UnitUnreachable` where the unit does not answer."""

    def start(self, request: ExecutionRequest) -> None:
        """Start an execution; one that was started before is left alone."""

    def describe(self, name: str) -> Execution:
        """Return what is true of an execution now."""

    def stop(self, name: str) -> None:
        """Ask an execution to end; `describe` tells when it has. Of an ended or unknown one, do nothing."""
