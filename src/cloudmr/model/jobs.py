"""A job: what was asked for, where it stands, and which steps it may take from there.

    queued -> dispatched -> running -> succeeded | failed | cancelled | timed_out

An end state is a sink. A cancel request is a time, not a state: the job is cancelled when nothing of it runs any more.
An attempt that died of something that was not the task's fault goes back to the queue, and one for which its unit has
no machine at the moment waits there for the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from cloudmr.model.estimates import Estimate
from cloudmr.model.failures import JobFailure
from cloudmr.model.forecasts import Actual, Forecast
from cloudmr.model.instants import require_utc
from cloudmr.model.platforms import Platform

MAX_ATTEMPTS = 2
"""An attempt whose worker died is followed by one more; those for which there was no machine do not count."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    """Accepted; waits for its turn at its unit."""
    DISPATCHED = "dispatched"
    """Its unit was told to start it, or is about to be."""
    RUNNING = "running"
    """Its unit works at it."""
    SUCCEEDED = "succeeded"
    """The results are in the unit's results bucket."""
    FAILED = "failed"
    """There are no results; the failure says why and what to do."""
    CANCELLED = "cancelled"
    """Ended because a person asked for it."""
    TIMED_OUT = "timed_out"
    """Ended because its time was up."""


END_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.TIMED_OUT})

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.DISPATCHED, JobState.CANCELLED, JobState.FAILED, JobState.TIMED_OUT}),
    JobState.DISPATCHED: frozenset({JobState.RUNNING, JobState.QUEUED}) | END_STATES,
    JobState.RUNNING: frozenset({JobState.QUEUED}) | END_STATES,
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.TIMED_OUT: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the worker is: `done` of `total` at a step (total 0: not known). `sequence` orders an attempt's news."""

    sequence: int
    step: str
    done: int
    total: int
    message: str
    at: datetime

    def __post_init__(self) -> None:
        require_utc(self)


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a succeeded job left: all its files together, and the manifest that names each of them."""

    size_bytes: int
    n_files: int
    manifest_sha256: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. `version` counts its changes; each has an event of that number.

    `attempt` is 0 until it is first dispatched; for `n_unstarted` of them its unit had no machine, for which it may
    wait until `turn_by` (None: as long as jobs wait for their turn). `deadline_at` is when it must have left its
    present state: the queue, or the attempt. `check_at` is when the unit is asked about it next. `claimed_at` is when
    the unit first said that the attempt had ended. `document` is the frozen job document as JSON (see
    `documents.py`), `unit_reason` why it runs where it runs, `waiting_reason` why it does not go on (None: it does).
    `kind` is method and reconstruction in one word, for which `forecast` says what it is expected to take and
    `actual` what it took. What an ended job left is there until `expires_at` (None: as long as its unit keeps it);
    `purge_after` is when what was deleted, or has expired, can no longer be brought back, and `purged_at` when it was
    removed.
    """

    id: str
    owner_id: str
    unit_id: str
    app_name: str
    alias: str
    state: JobState
    version: int
    attempt: int
    document: str
    data_ids: tuple[str, ...]
    estimate: Estimate
    unit_reason: str
    created_at: datetime
    deadline_at: datetime
    check_at: datetime
    waiting_reason: str | None = None
    dispatched_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    claimed_at: datetime | None = None
    progress: Progress | None = None
    failure: JobFailure | None = None
    result: JobResult | None = None
    idempotency_key: str | None = None
    request_sha256: str | None = None
    kind: str | None = None
    platform: Platform = Platform.LOCAL
    rerun_of: str | None = None
    forecast: Forecast | None = None
    actual: Actual | None = None
    deleted_at: datetime | None = None
    expires_at: datetime | None = None
    purge_after: datetime | None = None
    purged_at: datetime | None = None
    turn_by: datetime | None = None
    n_unstarted: int = 0

    def __post_init__(self) -> None:
        require_utc(self)
        if self.has_ended != (self.ended_at is not None):
            raise ValueError(f"a job that is {self.state} ended at {self.ended_at}")
        if (self.state is JobState.SUCCEEDED) != (self.result is not None):
            raise ValueError(f"a job that is {self.state} has the result {self.result}")
        if (self.state in {JobState.FAILED, JobState.TIMED_OUT}) != (self.failure is not None):
            raise ValueError(f"a job that is {self.state} has the failure {self.failure}")

    @property
    def has_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in END_STATES

    @property
    def execution_name(self) -> str:
        """The present attempt's name at the unit."""
        return f"{self.id}-{self.attempt}"

    def evolve(self, **changes: Any) -> Self:
        """Return this job, its next version, with changes that leave it where it stands."""
        if "state" in changes:
            raise ValueError("a state is entered by `becomes`")
        return replace(self, version=self.version + 1, **changes)

    def becomes(self, state: JobState, **changes: Any) -> Self:
        """Return this job, its next version, in another state. Raise `ValueError` for a step that does not exist."""
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f"a job that is {self.state} cannot become {state}")
        return replace(self, version=self.version + 1, state=state, **changes)
