"""What one person has of the shared computing unit, and whether there may be more."""

from __future__ import annotations

from dataclasses import dataclass

from cloudmr.database.base import Transaction
from cloudmr.model.people import Caller
from cloudmr.model.quotas import QuotaUse, check_room, check_submission, month_end, month_start
from cloudmr.model.units import ComputingUnit, Mode
from cloudmr.services.brain import Brain
from cloudmr.services.limits import limits_of


@dataclass(frozen=True, kw_only=True)
class MonthlyUse:
    """What one person has used in this calendar month: of the shared unit, and of units of their own.

    A unit of one's own has no limits but those of its account; `own_microdollars` is what its ended jobs cost there.
    """

    shared: QuotaUse
    n_own: int
    own_microdollars: int


def get_quota(brain: Brain, caller: Caller) -> QuotaUse:
    """Return what the caller has of the shared unit."""
    with brain.database.read() as transaction:
        return quota_use(brain, transaction, caller.id)


def monthly_use(brain: Brain, caller: Caller) -> MonthlyUse:
    """Return what the caller has used in this month, in either mode."""
    since = month_start(brain.now())
    with brain.database.read() as transaction:
        return MonthlyUse(
            shared=quota_use(brain, transaction, caller.id),
            n_own=transaction.jobs.n_submitted(caller.id, since=since, mode=Mode.MODE_2),
            own_microdollars=transaction.jobs.spent_microdollars(caller.id, since=since, mode=Mode.MODE_2),
        )


def require_submission(brain: Brain, transaction: Transaction, caller: Caller, unit: ComputingUnit) -> None:
    """Raise `LimitReached` if the caller may not submit one more job to a unit; one's own has no limits."""
    if unit.mode is Mode.MODE_1:
        now = brain.now()
        jobs = transaction.jobs.n_of_owner(caller.id, since=month_start(now), mode=Mode.MODE_1)
        check_submission(
            n_this_month=jobs.n_submitted,
            n_queued=jobs.n_queued,
            limits=limits_of(brain, transaction, caller.id),
            now=now,
        )


def require_room(brain: Brain, transaction: Transaction, caller: Caller, unit: ComputingUnit, size_bytes: int) -> None:
    """Raise `LimitReached` if the caller may not store so many more bytes in a unit; one's own has no limits."""
    if unit.mode is Mode.MODE_1:
        check_room(
            stored_bytes=transaction.data_files.stored_bytes(caller.id, mode=Mode.MODE_1, now=brain.now()),
            more_bytes=size_bytes,
            limits=limits_of(brain, transaction, caller.id),
        )


def quota_use(brain: Brain, transaction: Transaction, account_id: str) -> QuotaUse:
    """Return what a person has of the shared unit."""
    now = brain.now()
    jobs = transaction.jobs.n_of_owner(account_id, since=month_start(now), mode=Mode.MODE_1)
    return QuotaUse(
        n_this_month=jobs.n_submitted,
        n_running=jobs.n_active,
        n_queued=jobs.n_queued,
        stored_bytes=transaction.data_files.stored_bytes(account_id, mode=Mode.MODE_1, now=now),
        limits=limits_of(brain, transaction, account_id),
        month_ends_at=month_end(now),
    )
