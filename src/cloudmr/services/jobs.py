"""What a person sees of jobs: the list, one job, its history, its log, its results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cloudmr.compute.base import LogLine
from cloudmr.errors import Conflict, UnitUnavailable
from cloudmr.model.documents import FrozenDocument, failed_prefix, results_prefix
from cloudmr.model.events import JobEvent
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.results import MANIFEST, PACKAGE
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import own_job, unit_of
from cloudmr.services.views import JobView
from cloudmr.storage.base import Bucket, SignedRequest


@dataclass(frozen=True, kw_only=True)
class JobLog:
    """What the worker said so far. `is_available` is False where the unit does not answer."""

    lines: Sequence[LogLine]
    is_available: bool


@dataclass(frozen=True, kw_only=True)
class ResultFile:
    """One file of a package, and how to get it, for minutes."""

    name: str
    size_bytes: int
    request: SignedRequest


@dataclass(frozen=True, kw_only=True)
class ResultPackage:
    """What an ended job left: everything in one file (None: there is no such file), and each file by itself."""

    job: Job
    package: ResultFile | None
    files: Sequence[ResultFile]


def list_jobs(
    brain: Brain, caller: Caller, *, states: Collection[JobState] = (), limit: int, before: str | None = None
) -> list[JobView]:
    """Return a person's jobs, the latest first, those before an id, in these states (none given: in any)."""
    with brain.database.read() as transaction:
        jobs = transaction.jobs.of_owner(caller.id, states=states, limit=limit, before=before)
        units = {unit.id: unit for unit in transaction.units.by_ids({job.unit_id for job in jobs})}
    return [JobView(job=job, unit=units[job.unit_id]) for job in jobs]


def get_job(brain: Brain, caller: Caller, job_id: str) -> JobView:
    """Return one job. Raises `NotFound`."""
    with brain.database.read() as transaction:
        job = own_job(transaction, caller, job_id)
        return JobView(job=job, unit=unit_of(transaction, job))


def job_history(brain: Brain, caller: Caller, job_id: str, *, after: int = 0) -> tuple[JobView, list[JobEvent]]:
    """Return a job and what happened to it beyond an event's number, both of one moment. Raises `NotFound`."""
    with brain.database.read() as transaction:
        job = own_job(transaction, caller, job_id)
        view = JobView(job=job, unit=unit_of(transaction, job))
        return view, transaction.jobs.events(job_id, after=after)


def frozen_document(job: Job) -> FrozenDocument:
    """Return what was asked for, as it was accepted."""
    return FrozenDocument.model_validate_json(job.document)


def job_log(brain: Brain, view: JobView) -> JobLog:
    """Return what the worker of a job's present attempt said so far."""
    if view.job.attempt == 0:
        return JobLog(lines=(), is_available=True)
    try:
        lines = brain.connect(view.unit).compute.log(view.job.execution_name)
    except UnitUnavailable:
        return JobLog(lines=(), is_available=False)
    return JobLog(lines=lines, is_available=True)


def job_result(brain: Brain, caller: Caller, job_id: str) -> ResultPackage:
    """Return the files of a job's result, or of its failure package.

    Raises `NotFound`, `Conflict` (`job_not_ended`), `UnitUnavailable`.
    """
    view = get_job(brain, caller, job_id)
    job = view.job
    if not job.has_ended:
        raise Conflict("The job has not ended yet.", "Wait for its end.", code="job_not_ended")
    succeeded = job.state is JobState.SUCCEEDED
    bucket = Bucket.RESULTS if succeeded else Bucket.FAILED
    prefix = (results_prefix if succeeded else failed_prefix)(job.id, job.attempt)
    storage = brain.connect(view.unit).storage
    files = {}
    for info in storage.list(bucket, f"{prefix}/"):
        name = info.key.removeprefix(f"{prefix}/")
        download_name = f"{job.id}.zip" if name == PACKAGE else name.rpartition("/")[2]
        request = storage.sign_get(bucket, info.key, filename=download_name)
        files[name] = ResultFile(name=name, size_bytes=info.size_bytes, request=request)
    is_complete = MANIFEST in files
    return ResultPackage(
        job=job,
        package=files.get(PACKAGE) if is_complete else None,
        files=[file for name, file in files.items() if name != PACKAGE] if is_complete else (),
    )
