"""What happened to a job: every change has one event, and an event is never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudmr.model.instants import require_utc
from cloudmr.model.jobs import JobState

BRAIN = "brain"
"""The actor of what nobody asked for at that moment: the dispatcher, the reconciler."""


class JobAction(StrEnum):
    """What can happen to a job."""

    SUBMITTED = "submitted"
    """It was accepted."""
    DISPATCHED = "dispatched"
    """Its turn came."""
    STARTED = "started"
    """Its unit works at it."""
    RETRIED = "retried"
    """Its worker died, or there was no machine for one, and it queues for another attempt."""
    CANCEL_REQUESTED = "cancel_requested"
    """A person asked for its end."""
    ENDED = "ended"
    """It reached its end state."""
    RENAMED = "renamed"
    """Its owner called it something else."""
    INPUT_CLEANED = "input_cleaned"
    """Its worker blanked what named a person in a data file."""
    EXPIRED = "expired"
    """The time of what it left is up."""
    DELETED = "deleted"
    """Its owner removed it."""
    RESTORED = "restored"
    """Its owner brought it, or what it left, back."""
    PURGED = "purged"
    """What it left was removed for good."""
    LATE_REPORT = "late_report"
    """Its unit said something that no longer counts."""


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """One change: its number is the version of the job that it made. `old` and `new` are None where the state stayed.

    `actor` is `brain`, or the id of a person or a unit; `reason` is a sentence for a person.
    """

    job_id: str
    number: int
    at: datetime
    actor: str
    action: JobAction
    reason: str
    old: JobState | None = None
    new: JobState | None = None

    def __post_init__(self) -> None:
        require_utc(self)
