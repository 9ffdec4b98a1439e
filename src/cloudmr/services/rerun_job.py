"""A person wants a job once more: the same document, as a job of its own that says of which it is a repetition."""

from __future__ import annotations

from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.jobs import frozen_document
from cloudmr.services.ownership import own_job
from cloudmr.services.submit_job import JobOrder, submit_job


def rerun_job(brain: Brain, caller: Caller, job_id: str, *, idempotency_key: str | None = None) -> Job:
    """Ask for a job again, on the same unit and data, and return the new one. Raises what `submit_job` raises."""
    with brain.database.read() as transaction:
        job = own_job(transaction, caller, job_id)
    document = frozen_document(job)
    order = JobOrder(
        document={"task": document.task, "output": document.output},
        app_name=job.app_name,
        alias=job.alias,
        unit_id=job.unit_id,
        idempotency_key=idempotency_key,
        rerun_of=job.id,
    )
    return submit_job(brain, caller, order)
