"""Jobs under the ids that existing clients announce them with, and how many there were."""

from __future__ import annotations

from cloudmr.model.ids import Kind, is_id
from cloudmr.model.instants import EPOCH
from cloudmr.model.people import Caller
from cloudmr.model.units import Mode
from cloudmr.services.brain import Brain
from cloudmr.services.jobs import get_job
from cloudmr.services.views import JobView


def key_of(pipeline: str) -> str:
    """Return the idempotency key of a job that is asked for under an id that was given before."""
    return f"pipeline|{pipeline}"


def get_pipeline(brain: Brain, caller: Caller, pipeline: str) -> JobView:
    """Return a job by its own id, or by the one that it was announced with. Raises `NotFound`."""
    job = None
    if is_id(Kind.JOB, pipeline):
        with brain.database.read() as transaction:
            job = transaction.jobs.by_idempotency_key(caller.id, key_of(pipeline))
    return get_job(brain, caller, job.id if job else pipeline)


def count_pipelines(brain: Brain, caller: Caller, *, mode: Mode) -> int:
    """Return how many jobs a person ever submitted to units of a mode."""
    with brain.database.read() as transaction:
        return transaction.jobs.n_submitted(caller.id, since=EPOCH, mode=mode)
