"""A person calls a job something else."""

from __future__ import annotations

from cloudmr.errors import InvalidRequest
from cloudmr.model.events import JobAction
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.ownership import own_job
from cloudmr.services.submit_job import clean_alias


def rename_job(brain: Brain, caller: Caller, job_id: str, *, alias: str) -> None:
    """Call a job something else. Raises `NotFound`, `InvalidRequest` for a name that is none, or too long."""
    alias = clean_alias(alias)
    if not alias:
        raise InvalidRequest("A job needs a name.", "Give at least one printable character.")
    with brain.database.write() as transaction:
        before = own_job(transaction, caller, job_id, for_change=True)
        if before.alias != alias:
            after = before.evolve(alias=alias)
            reason = "Its owner called it something else."
            write_change(brain, transaction, before, after, JobAction.RENAMED, reason=reason, actor=caller.id)
