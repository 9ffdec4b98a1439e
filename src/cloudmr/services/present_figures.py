"""What stands in the database at this moment, as figures for whoever watches over a Brain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cloudmr.services.brain import Brain


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Jobs that have not ended, by state; how long the first one waits; units by mode and status; what is under way."""

    n_jobs: Mapping[str, int]
    longest_wait_s: float
    n_units: Mapping[tuple[str, str], int]
    n_uploads: int
    n_messages: int


def present_figures(brain: Brain) -> Figures:
    """Return the figures."""
    with brain.database.read() as transaction:
        return Figures(
            n_jobs=transaction.jobs.n_open(),
            longest_wait_s=_age_s(brain, transaction.jobs.oldest_queued_at()),
            n_units=transaction.units.count_by_status(),
            n_uploads=transaction.data_files.n_uploading(),
            n_messages=transaction.outbox.n_waiting(),
        )


def _age_s(brain: Brain, at: datetime | None) -> float:
    return (brain.now() - at).total_seconds() if at else 0.0
