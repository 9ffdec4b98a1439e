"""/api/quota: how much of the shared computing unit the caller has used, and how much there is."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from cloudmr.api.access import Reader, TheBrain
from cloudmr.api.bodies import Body, with_examples
from cloudmr.services.quotas import get_quota

router = APIRouter(prefix="/api/quota", tags=["jobs"])


class Amount(Body):
    """How much of how much."""

    used: int
    limit: int


class QuotaAnswer(Body):
    """What one person has of the shared unit. A unit of one's own has no limits but those of its account."""

    model_config = with_examples(
        {
            "jobs_this_month": {"used": 12, "limit": 100},
            "month_ends_at": "2026-12-01T00:00:00Z",
            "running": {"used": 1, "limit": 2},
            "queued": {"used": 0, "limit": 20},
            "stored_bytes": {"used": 734003200, "limit": 20000000000},
        }
    )

    jobs_this_month: Amount
    month_ends_at: datetime
    running: Amount
    queued: Amount
    stored_bytes: Amount


@router.get("")
def show(caller: Reader, brain: TheBrain) -> QuotaAnswer:
    """Return what the caller has used of the shared unit."""
    use = get_quota(brain, caller)
    limits = use.limits
    return QuotaAnswer(
        jobs_this_month=Amount(used=use.n_this_month, limit=limits.n_monthly_each),
        month_ends_at=use.month_ends_at,
        running=Amount(used=use.n_running, limit=limits.n_running_each),
        queued=Amount(used=use.n_queued, limit=limits.n_queued_each),
        stored_bytes=Amount(used=use.stored_bytes, limit=limits.max_stored_bytes_each),
    )
