"""The guarantee behind the callbacks: every job that has not ended is looked at again, until it has."""

from __future__ import annotations

import logging
from datetime import timedelta

from cloudmr.services.brain import Brain
from cloudmr.services.settle_job import settle_job

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_KEPT_FROM_OTHERS = timedelta(minutes=2)


def reconcile_jobs(brain: Brain) -> int:
    """Look at every job that is due; return how many those were.

    Jobs that are looked at are kept from other Brains for a while, which saves asking twice and is no lock: what is
    decided twice is written once. A job whose look fails is due again after that while, and hinders no other.
    """
    now = brain.now()
    with brain.database.write() as transaction:
        due = transaction.jobs.claim_due(now=now, until=now + _KEPT_FROM_OTHERS, limit=_AT_ONCE)
    for job_id in due:
        try:
            settle_job(brain, job_id)
        except Exception:
            _log.exception("%s could not be looked at", job_id)
    return len(due)


def recover_jobs(brain: Brain) -> int:
    """After a start of the Brain: have every job that has not ended looked at now; return how many those are."""
    with brain.database.write() as transaction:
        n_open = transaction.jobs.make_all_due(now=brain.now())
    brain.check_alarm.set()
    brain.dispatch_alarm.set()
    return n_open
