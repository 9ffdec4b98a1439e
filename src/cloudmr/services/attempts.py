"""One attempt at a job, as its unit is told of it: where to fetch the document, where to report, and with what key."""

from __future__ import annotations

from cloudmr.compute.base import ExecutionRequest, Resources
from cloudmr.model.callbacks import AttemptKey, derive_secret, key_id_of
from cloudmr.model.estimates import Estimate
from cloudmr.model.jobs import Job
from cloudmr.services.brain import Brain, UnitLink


def attempt_key(brain: Brain, job_id: str, attempt: int) -> AttemptKey:
    """Return the key with which a unit speaks for an attempt; derived anew each time, never stored."""
    key_id = key_id_of(brain.secret_key)
    secret = derive_secret(brain.secret_key, job_id=job_id, attempt=attempt, key_id=key_id)
    return AttemptKey(job_id=job_id, attempt=attempt, key_id=key_id, secret=secret)


def execution_request(brain: Brain, link: UnitLink, job: Job) -> ExecutionRequest:
    """Return what the unit is told of a job's present attempt: the same at each try, so that a repeat is harmless."""
    key = attempt_key(brain, job.id, job.attempt)
    address = f"{link.brain_url.rstrip('/')}/api/job/{job.id}"
    return ExecutionRequest(
        job_id=job.id,
        attempt=job.attempt,
        document_url=f"{address}/document?attempt={job.attempt}",
        callback_url=f"{address}/callback",
        progress_url=f"{address}/progress",
        key_id=key.key_id,
        secret=key.secret,
        resources=_resources(job.estimate),
        platform=job.platform,
    )


def _resources(estimate: Estimate) -> Resources:
    return Resources(
        memory_bytes=estimate.memory_bytes,
        cpu_time_s=estimate.cpu_time_s,
        disk_bytes=estimate.disk_bytes,
        deadline_s=estimate.deadline_s,
    )
