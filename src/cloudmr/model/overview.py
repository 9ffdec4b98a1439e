"""What an administrator sees of everybody's jobs: where they are and why they failed, not what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cloudmr.model.instants import require_utc
from cloudmr.model.jobs import JobState


@dataclass(frozen=True, kw_only=True)
class OpenJob:
    """A job that has not ended."""

    job_id: str
    owner_id: str
    owner_email: str
    unit_id: str
    unit_alias: str
    state: JobState
    attempt: int
    created_at: datetime
    deadline_at: datetime
    dispatched_at: datetime | None
    cancel_requested_at: datetime | None
    waiting_reason: str | None

    def __post_init__(self) -> None:
        require_utc(self)


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """A job that ended without success, and the cause."""

    job_id: str
    owner_id: str
    owner_email: str
    unit_id: str
    unit_alias: str
    state: JobState
    attempt: int
    ended_at: datetime
    code: str
    message: str
    next_step: str

    def __post_init__(self) -> None:
        require_utc(self)
