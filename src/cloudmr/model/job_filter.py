"""Which of their jobs a person wants to see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from cloudmr.model.instants import require_utc
from cloudmr.model.jobs import JobState


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Those in these states (none given: in any), at this unit, with this text in their name, submitted in a while.

    `created_from` belongs to the while, `created_to` does not. Upper and lower case are the same.
    """

    states: Collection[JobState] = ()
    unit_id: str | None = None
    text: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)
