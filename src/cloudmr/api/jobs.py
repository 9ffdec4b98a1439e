"""/api/job: to ask for a job, to see how it stands, to end it, to get what it left."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from pydantic import StringConstraints

from cloudmr.api.access import Reader, TheBrain, Worker
from cloudmr.api.bodies import Body, CamelBody, IdText
from cloudmr.model.estimates import Estimate
from cloudmr.model.events import JobAction, JobEvent
from cloudmr.model.jobs import JobState, Progress
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode, Provider
from cloudmr.services import jobs
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.jobs import ResultFile
from cloudmr.services.submit_job import JobOrder, submit_job
from cloudmr.services.views import JobView

router = APIRouter(prefix="/api/job", tags=["jobs"])

JobId = Annotated[IdText, Path(description="id of a job")]


class JobRequest(CamelBody):
    """A job to be: the task (`mroptimum schema` prints what it may contain), and where to run it, if that matters."""

    task: dict[str, Any]
    output: dict[str, Any] | None = None
    app_name: Annotated[str, StringConstraints(max_length=64)] = APP_NAME
    alias: Annotated[str, StringConstraints(max_length=255)] | None = None
    mode: Mode | None = None
    computing_unit_id: IdText | None = None


class JobUnit(CamelBody):
    """The computing unit of a job."""

    computing_unit_id: str
    mode: Mode
    provider: Provider
    alias: str

    @classmethod
    def of(cls, unit: ComputingUnit) -> JobUnit:
        """Return a unit as JSON has it."""
        return cls(computing_unit_id=unit.id, mode=unit.mode, provider=unit.provider, alias=unit.alias)


class EstimateAnswer(CamelBody):
    """What the job may use, and what that was reckoned from."""

    memory_bytes: int
    cpu_time_s: int
    disk_bytes: int
    deadline_s: int
    basis: str

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateAnswer:
        """Return an estimate as JSON has it."""
        return cls(**vars(estimate))


class ProgressAnswer(CamelBody):
    """How far the worker is: `done` of `total` at a step (total 0: not known)."""

    step: str
    done: int
    total: int
    message: str
    at: datetime

    @classmethod
    def of(cls, progress: Progress) -> ProgressAnswer:
        """Return progress as JSON has it."""
        return cls(
            step=progress.step, done=progress.done, total=progress.total, message=progress.message, at=progress.at
        )


class FailureAnswer(Body):
    """Why there is no result, in the three fields that every error has."""

    code: str
    message: str
    next_step: str


class ResultSummary(CamelBody):
    """What the job left, all files together."""

    size_bytes: int
    n_files: int
    manifest_sha256: str


class JobAnswer(CamelBody):
    """A job.

    `reason` says why it runs on this unit, `waiting_reason` why it does not go on (null: it does). `deadline_at` is
    when it must have left the queue, or ended its attempt. `version` counts its changes, and is the number of its
    latest event.
    """

    job_id: str
    alias: str
    app_name: str
    status: JobState
    version: int
    attempt: int
    computing_unit: JobUnit
    reason: str
    waiting_reason: str | None
    estimate: EstimateAnswer
    data_ids: list[str]
    created_at: datetime
    deadline_at: datetime
    dispatched_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    progress: ProgressAnswer | None
    failure: FailureAnswer | None
    result: ResultSummary | None

    @classmethod
    def of(cls, view: JobView) -> JobAnswer:
        """Return a job as JSON has it."""
        return cls(**_fields(view))


class JobDetail(JobAnswer):
    """A job with its task, as it was accepted."""

    task: dict[str, Any]
    output: dict[str, Any]

    @classmethod
    def of(cls, view: JobView) -> JobDetail:
        """Return a job and its task as JSON has them."""
        document = jobs.frozen_document(view.job)
        return cls(**_fields(view), task=document.task, output=document.output)


class JobPage(CamelBody):
    """Some jobs, the latest first; `next` is what to give as `before` for those before them."""

    jobs: list[JobAnswer]
    next: str | None


class EventAnswer(CamelBody):
    """Something that happened to a job. `old` and `new` are null where its status stayed."""

    number: int
    at: datetime
    actor: str
    action: JobAction
    reason: str
    old: JobState | None
    new: JobState | None

    @classmethod
    def of(cls, event: JobEvent) -> EventAnswer:
        """Return an event as JSON has it."""
        return cls(**{name: value for name, value in vars(event).items() if name != "job_id"})


class LineAnswer(CamelBody):
    """A line of a log; `level` is `info` or `warning`."""

    at: datetime
    level: str
    message: str


class LogAnswer(CamelBody):
    """What the worker said so far, and what happened to the job.

    `is_available` is false where the unit does not show the worker's lines (it does not answer).
    """

    job_id: str
    attempt: int
    is_available: bool
    lines: list[LineAnswer]
    events: list[EventAnswer]


class FileAnswer(CamelBody):
    """A file of a package, and the request that gets it, for some minutes."""

    name: str
    size_bytes: int
    method: str
    url: str
    headers: dict[str, str]

    @classmethod
    def of(cls, file: ResultFile) -> FileAnswer:
        """Return a file as JSON has it."""
        request = file.request
        return cls(
            name=file.name, size_bytes=file.size_bytes, method=request.method, url=request.url, headers=request.headers
        )


class ResultAnswer(CamelBody):
    """What an ended job left: results if it succeeded, else a failure package, if there is one.

    `package` is everything in one file; `files` are its parts, `manifest.json` with the SHA-256 of each among them.
    """

    job_id: str
    status: JobState
    attempt: int
    manifest_sha256: str | None
    package: FileAnswer | None
    files: list[FileAnswer]


@router.post("", status_code=HTTPStatus.CREATED)
def submit(
    body: JobRequest,
    caller: Worker,
    brain: TheBrain,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, description="the same key and request are the same job")
    ] = None,
) -> JobAnswer:
    """Ask for a job."""
    order = JobOrder(
        document={"task": body.task} | ({} if body.output is None else {"output": body.output}),
        app_name=body.app_name,
        alias=body.alias,
        mode=body.mode,
        unit_id=body.computing_unit_id,
        idempotency_key=idempotency_key,
    )
    job = submit_job(brain, caller, order)
    return JobAnswer.of(jobs.get_job(brain, caller, job.id))


@router.get("")
def list_jobs(
    caller: Reader,
    brain: TheBrain,
    state: Annotated[list[JobState] | None, Query(description="only jobs in these states; may be repeated")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[IdText | None, Query(description="the `next` of the page before")] = None,
) -> JobPage:
    """List jobs, the latest first."""
    found = jobs.list_jobs(brain, caller, states=state or (), limit=limit + 1, before=before)
    page = found[:limit]
    return JobPage(
        jobs=[JobAnswer.of(view) for view in page],
        next=page[-1].job.id if len(found) > limit else None,
    )


@router.get("/{job_id}")
def get_job(job_id: JobId, caller: Reader, brain: TheBrain) -> JobDetail:
    """Return one job, with its task."""
    return JobDetail.of(jobs.get_job(brain, caller, job_id))


@router.post("/{job_id}/cancel")
def cancel(job_id: JobId, caller: Worker, brain: TheBrain) -> JobAnswer:
    """Ask for a job's end; safe to repeat. It is cancelled when nothing of it runs any more."""
    cancel_job(brain, caller, job_id)
    return JobAnswer.of(jobs.get_job(brain, caller, job_id))


@router.get("/{job_id}/log")
def get_log(job_id: JobId, caller: Reader, brain: TheBrain) -> LogAnswer:
    """Return what the worker said so far, and what happened to the job."""
    view, events = jobs.job_history(brain, caller, job_id)
    log = jobs.job_log(brain, view)
    return LogAnswer(
        job_id=job_id,
        attempt=view.job.attempt,
        is_available=log.is_available,
        lines=[LineAnswer(at=line.at, level=line.level, message=line.message) for line in log.lines],
        events=[EventAnswer.of(event) for event in events],
    )


@router.get("/{job_id}/result")
def get_result(job_id: JobId, caller: Reader, brain: TheBrain) -> ResultAnswer:
    """Return requests that get the files an ended job left."""
    package = jobs.job_result(brain, caller, job_id)
    job = package.job
    return ResultAnswer(
        job_id=job.id,
        status=job.state,
        attempt=job.attempt,
        manifest_sha256=job.result.manifest_sha256 if job.result else None,
        package=FileAnswer.of(package.package) if package.package else None,
        files=[FileAnswer.of(file) for file in package.files],
    )


def _fields(view: JobView) -> dict[str, Any]:
    job = view.job
    shared = {name: value for name, value in vars(job).items() if name in JobAnswer.model_fields}
    return shared | {
        "job_id": job.id,
        "status": job.state,
        "computing_unit": JobUnit.of(view.unit),
        "reason": job.unit_reason,
        "estimate": EstimateAnswer.of(job.estimate),
        "data_ids": list(job.data_ids),
        "progress": ProgressAnswer.of(job.progress) if job.progress else None,
        "failure": FailureAnswer(**vars(job.failure)) if job.failure else None,
        "result": ResultSummary(**vars(job.result)) if job.result else None,
    }
