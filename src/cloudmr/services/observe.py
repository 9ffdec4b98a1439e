"""What a unit and its buckets say of an attempt: the facts on which its end is decided. Only looks, changes nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from cloudmr.compute.base import Execution, ExecutionState
from cloudmr.errors import UnitUnavailable
from cloudmr.model.documents import failed_prefix, results_prefix
from cloudmr.model.failures import JobFailure
from cloudmr.model.jobs import Job, JobResult
from cloudmr.model.results import ERROR, MANIFEST, MAX_ERROR_BYTES, MAX_MANIFEST_BYTES, Manifest
from cloudmr.services.brain import UnitLink
from cloudmr.storage.base import Bucket, ObjectStorage
from cloudmr.storage.errors import ObjectNotFound, ObjectTooLarge


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was found. `result` is a complete package in the results bucket, `failure` what a failure package says."""

    execution: Execution
    result: JobResult | None = None
    failure: JobFailure | None = None


def observe(link: UnitLink, job: Job) -> Observation:
    """Look at a job's present attempt. Raises `UnitUnavailable` where the unit does not answer.

    The buckets are looked at only when nothing runs any more: until then they may still change.
    """
    execution = link.compute.describe(job.execution_name)
    if execution.state is ExecutionState.RUNNING:
        return Observation(execution=execution)
    try:
        result = _find_result(link.storage, job)
    except UnitUnavailable:
        # Whether there is a result cannot be seen; a failure package says that there is none.
        if (failure := _find_failure(link.storage, job)) is None:
            raise
        return Observation(execution=execution, failure=failure)
    failure = None if result else _find_failure_if_shown(link.storage, job, execution)
    return Observation(execution=execution, result=result, failure=failure)


def _find_failure_if_shown(storage: ObjectStorage, job: Job, execution: Execution) -> JobFailure | None:
    """Return what a failure package says; nothing of one that the unit's owner does not show."""
    try:
        return _find_failure(storage, job)
    except UnitUnavailable as error:
        if error.is_lasting and execution.state is not ExecutionState.SUCCEEDED:
            return None
        raise


def _find_result(storage: ObjectStorage, job: Job) -> JobResult | None:
    prefix = results_prefix(job.id, job.attempt)
    body = _read(storage, Bucket.RESULTS, f"{prefix}/{MANIFEST}", limit_bytes=MAX_MANIFEST_BYTES)
    manifest = Manifest.parse(body) if body is not None else None
    if body is None or manifest is None:
        return None
    sizes_bytes = {
        info.key.removeprefix(f"{prefix}/"): info.size_bytes for info in storage.list(Bucket.RESULTS, f"{prefix}/")
    }
    if not manifest.is_complete(sizes_bytes):
        return None
    return JobResult(
        size_bytes=sum(sizes_bytes.values()),
        n_files=len(sizes_bytes),
        manifest_sha256=hashlib.sha256(body).hexdigest(),
    )


def _find_failure(storage: ObjectStorage, job: Job) -> JobFailure | None:
    prefix = failed_prefix(job.id, job.attempt)
    if storage.head(Bucket.FAILED, f"{prefix}/{MANIFEST}") is None:
        return None
    body = _read(storage, Bucket.FAILED, f"{prefix}/{ERROR}", limit_bytes=MAX_ERROR_BYTES)
    return _parse_failure(body) if body is not None else None


def _parse_failure(body: bytes) -> JobFailure | None:
    # A unit of somebody else's may have written anything; what is not a failure is as good as none.
    try:
        error = json.loads(body)
        fields = {name: error[name] for name in ("code", "message", "next_step")}
    except (ValueError, KeyError, TypeError):
        return None
    if not all(isinstance(value, str) for value in fields.values()):
        return None
    return JobFailure.of({"code": fields["code"], "message": fields["message"], "next_step": fields["next_step"]})


def _read(storage: ObjectStorage, bucket: Bucket, key: str, *, limit_bytes: int) -> bytes | None:
    try:
        return storage.read(bucket, key, limit_bytes=limit_bytes)
    except (ObjectNotFound, ObjectTooLarge):
        return None
