"""How long things are kept in the shared unit: until their time is up, and then for a while in which they come back.

In somebody's own unit (mode 2) nothing ever expires here: what happens there is for the bucket's own rules to say.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudmr.model.documents import FrozenDocument
from cloudmr.model.jobs import Job
from cloudmr.model.limits import Limits
from cloudmr.model.units import Mode


def expires_at(kept: timedelta | None, mode: Mode, *, now: datetime) -> datetime | None:
    """Return until when something is kept that came into a unit now, None for as long as the unit keeps it."""
    return now + kept if kept is not None and mode is Mode.MODE_1 else None


def results_expire_at(job: Job, *, now: datetime, limits: Limits) -> datetime | None:
    """Return until when what a job leaves is kept that ends now."""
    mode = FrozenDocument.model_validate_json(job.document).computing_unit.mode
    return expires_at(limits.results_kept, mode, now=now)
