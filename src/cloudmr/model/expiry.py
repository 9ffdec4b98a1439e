"""Things whose time in a shared unit is nearly up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cloudmr.model.instants import require_utc


@dataclass(frozen=True, kw_only=True)
class Expiring:
    """A data file, or what a job left, that is deleted at a moment."""

    id: str
    owner_id: str
    expires_at: datetime
    size_bytes: int | None

    def __post_init__(self) -> None:
        require_utc(self)
