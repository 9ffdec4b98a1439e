"""A thing together with the unit it is at: what routes and pages show of it."""

from __future__ import annotations

from dataclasses import dataclass

from cloudmr.model.data_files import DataFile
from cloudmr.model.fair_share import QueuePlace
from cloudmr.model.jobs import Job
from cloudmr.model.units import ComputingUnit


@dataclass(frozen=True, kw_only=True)
class DataView:
    """A data file and the unit it lies in."""

    data_file: DataFile
    unit: ComputingUnit


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job, the unit it runs on, and its place in the queue there (None: it does not wait for its turn).

    `is_own` is False for somebody it was only shown to.
    """

    job: Job
    unit: ComputingUnit
    queue_place: QueuePlace | None = None
    is_own: bool = True

    @property
    def waiting_reason(self) -> str | None:
        """Why it does not go on, None if it does: what is known to be wrong, else that others are before it."""
        if self.job.waiting_reason is None and self.queue_place is not None:
            return self.queue_place.reason
        return self.job.waiting_reason
