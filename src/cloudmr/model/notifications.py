"""When a person wants to be told that a job has ended, and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudmr.model.instants import require_utc
from cloudmr.model.jobs import JobState


class NotifyOn(StrEnum):
    """Which ends of jobs are worth a message."""

    NEVER = "never"
    """None."""
    FAILURE = "failure"
    """Those without a result that nobody asked for."""
    ALWAYS = "always"
    """Every one but those that their owner asked for."""

    def includes(self, end: JobState) -> bool:
        """Tell whether a job that ended so is worth a message. Who cancels a job knows of it."""
        if self is NotifyOn.NEVER or end is JobState.CANCELLED:
            return False
        return self is NotifyOn.ALWAYS or end is not JobState.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class NotificationSettings:
    """What one person wants. Without a `webhook_url` there is no webhook, whatever `webhook` says."""

    account_id: str
    mail: NotifyOn = NotifyOn.NEVER
    webhook: NotifyOn = NotifyOn.ALWAYS
    webhook_url: str | None = None
    changed_at: datetime

    def __post_init__(self) -> None:
        require_utc(self)
