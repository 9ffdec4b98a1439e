"""What a person sees of jobs: the list, one job, its history, its log, its results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cloudmr.compute.base import LogLine
from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict, UnitUnavailable
from cloudmr.model.documents import FrozenDocument, failed_prefix, results_prefix
from cloudmr.model.events import JobEvent
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.results import MANIFEST, PACKAGE
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import visible_job
from cloudmr.services.queue_places import views_of
from cloudmr.services.views import JobView
from cloudmr.storage.base import Bucket, SignedRequest
from mroptimum.task import TaskDocument

_AT_ONCE = 200


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
    brain: Brain, caller: Caller, wanted: JobFilter | None = None, *, limit: int, before: str | None = None
) -> list[JobView]:
    """Return a person's jobs that are not deleted, the latest first, those before an id, as far as wanted."""
    with brain.database.read() as transaction:
        jobs = transaction.jobs.of_owner(caller.id, wanted or JobFilter(), limit=limit, before=before)
        return views_of(brain, transaction, jobs)


def get_job(brain: Brain, caller: Caller, job_id: str) -> JobView:
    """Return one job, the caller's own or shared with them. Raises `NotFound`."""
    with brain.database.read() as transaction:
        return _view(brain, transaction, caller, job_id)


def job_history(brain: Brain, caller: Caller, job_id: str, *, after: int = 0) -> tuple[JobView, list[JobEvent]]:
    """Return a job and what happened to it beyond an event's number, both of one moment. Raises `NotFound`."""
    with brain.database.read() as transaction:
        view = _view(brain, transaction, caller, job_id)
        return view, transaction.jobs.events(job_id, after=after)


def _view(brain: Brain, transaction: Transaction, caller: Caller, job_id: str) -> JobView:
    job = visible_job(transaction, caller, job_id, now=brain.now())
    [view] = views_of(brain, transaction, [job])
    return replace(view, is_own=job.owner_id == caller.id)


def frozen_document(job: Job) -> FrozenDocument:
    """Return what was asked for, as it was accepted."""
    return FrozenDocument.model_validate_json(job.document)


def shown_document(view: JobView) -> FrozenDocument:
    """Return what was asked for, to be shown: to others than the owner without the names and places of data files."""
    document = frozen_document(view.job)
    if view.is_own:
        return document
    task = TaskDocument.parse({"task": document.task, "output": document.output}).anonymous().as_json()["task"]
    return document.model_copy(update={"task": _without_places(task), "inputs": ()})


def every_job(brain: Brain, caller: Caller, wanted: JobFilter) -> Iterator[JobView]:
    """Yield all of a person's jobs, as far as wanted, the latest first; each page is of one moment."""
    before: str | None = None
    while page := list_jobs(brain, caller, wanted, limit=_AT_ONCE, before=before):
        yield from page
        before = page[-1].job.id


def job_log(brain: Brain, view: JobView) -> JobLog:
    """Return what the worker of a job's present attempt said so far."""
    if view.job.attempt == 0:
        return JobLog(lines=(), is_available=True)
    try:
        lines = brain.connect(view.unit).compute.log(view.job.execution_name)
    except UnitUnavailable:
        return JobLog(lines=(), is_available=False)
    return JobLog(lines=lines, is_available=True)


def job_result(brain: Brain, view: JobView) -> ResultPackage:
    """Return the files of a job's result, or of its failure package.

    Raises `Conflict` (`job_not_ended`; `result_expired` where their time is up), `UnitUnavailable`.
    """
    job = view.job
    if not job.has_ended:
        raise Conflict("The job has not ended yet.", "Wait for its end.", code="job_not_ended")
    _check_kept(job)
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


def _check_kept(job: Job) -> None:
    if job.purged_at is not None:
        raise Conflict(
            f"What the job left was kept until {job.expires_at:%Y-%m-%d}, and then removed.",
            "Run the job again, if its data files are still there.",
            code="result_expired",
        )
    if job.purge_after is not None:
        raise Conflict(
            f"What the job left was kept until {job.expires_at:%Y-%m-%d}.",
            f"Restore the job before {job.purge_after:%Y-%m-%d %H:%M} UTC; after that it is removed for good.",
            code="result_expired",
        )


def _without_places(value: Any) -> Any:
    """Return a task whose files are still there, but nobody can tell where."""
    match value:
        case {"type": "file", **rest}:
            return {**rest, "type": "file", "options": {}}
        case dict():
            return {name: _without_places(inner) for name, inner in value.items()}
        case list():
            return [_without_places(inner) for inner in value]
        case _:
            return value
