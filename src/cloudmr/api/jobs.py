"""/api/job: to ask for a job, to see how it stands, to end it, to get what it left."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from cloudmr.api.access import Reader, TheBrain, Worker
from cloudmr.api.bodies import CamelBody, IdText
from cloudmr.api.exports import ExportFormat, exported
from cloudmr.api.job_bodies import (
    JOB_COLUMNS,
    JobAnswer,
    JobDetail,
    LogAnswer,
    ResultAnswer,
    SubmittedAnswer,
    job_row,
)
from cloudmr.api.job_requests import JobRequest, RenameJobRequest
from cloudmr.model.instants import in_utc
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import JobState
from cloudmr.services import jobs
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.delete_job import delete_job, restore_job
from cloudmr.services.rename_job import rename_job
from cloudmr.services.rerun_job import rerun_job
from cloudmr.services.submit_job import submit_and_view

router = APIRouter(prefix="/api/job", tags=["jobs"])

JobId = Annotated[IdText, Path(description="id of a job")]


class JobPage(CamelBody):
    """Some jobs, the latest first; `next` is what to give as `before` for those before them."""

    jobs: list[JobAnswer]
    next: str | None


IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, description="the same key and request are the same job")
]
Before = Annotated[IdText | None, Query(description="the `next` of the page before")]


def _filter(
    state: Annotated[list[JobState] | None, Query(description="only jobs in these states; may be repeated")] = None,
    computing_unit_id: Annotated[IdText | None, Query(description="only jobs of this computing unit")] = None,
    text: Annotated[str | None, Query(max_length=255, description="only jobs with this in their name")] = None,
    created_from: Annotated[AwareDatetime | None, Query(description="only jobs submitted since this time")] = None,
    created_to: Annotated[AwareDatetime | None, Query(description="only jobs submitted before this time")] = None,
) -> JobFilter:
    """Return which jobs are wanted."""
    return JobFilter(
        states=tuple(state or ()),
        unit_id=computing_unit_id,
        text=text,
        created_from=in_utc(created_from),
        created_to=in_utc(created_to),
    )


Wanted = Annotated[JobFilter, Depends(_filter)]


@router.post("", status_code=HTTPStatus.CREATED)
def submit(
    body: JobRequest, caller: Worker, brain: TheBrain, idempotency_key: IdempotencyKey = None
) -> SubmittedAnswer:
    """Ask for a job."""
    return SubmittedAnswer.of(submit_and_view(brain, caller, body.order(idempotency_key=idempotency_key)))


@router.get("")
def list_jobs(
    caller: Reader,
    brain: TheBrain,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Before = None,
) -> JobPage:
    """List jobs, the latest first."""
    found = jobs.list_jobs(brain, caller, wanted, limit=limit + 1, before=before)
    page = found[:limit]
    return JobPage(
        jobs=[JobAnswer.of(view) for view in page],
        next=page[-1].job.id if len(found) > limit else None,
    )


@router.get("/export")
def export_jobs(
    caller: Reader,
    brain: TheBrain,
    wanted: Wanted,
    export_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
) -> StreamingResponse:
    """Return all jobs that match, the latest first, as one file."""
    rows = (job_row(view) for view in jobs.every_job(brain, caller, wanted))
    return exported(rows, JOB_COLUMNS, export_format, name="jobs")


@router.get("/{job_id}")
def get_job(job_id: JobId, caller: Reader, brain: TheBrain) -> JobDetail:
    """Return one job, with its task."""
    return JobDetail.of(jobs.get_job(brain, caller, job_id))


@router.patch("/{job_id}")
def rename(job_id: JobId, body: RenameJobRequest, caller: Worker, brain: TheBrain) -> JobAnswer:
    """Call a job something else."""
    rename_job(brain, caller, job_id, alias=body.alias)
    return JobAnswer.of(jobs.get_job(brain, caller, job_id))


@router.delete("/{job_id}")
def delete(job_id: JobId, caller: Worker, brain: TheBrain) -> JobAnswer:
    """Delete a job that has ended; until `restorableUntil` it can be restored. Safe to repeat.

    At a unit of one's own only the record is hidden (`expiresBy` is `unit`): what the job left stays in the bucket.
    """
    return JobAnswer.of(delete_job(brain, caller, job_id))


@router.post("/{job_id}/restore")
def restore(job_id: JobId, caller: Worker, brain: TheBrain) -> JobAnswer:
    """Bring a deleted job back, or what a job left whose time is up; safe to repeat."""
    return JobAnswer.of(restore_job(brain, caller, job_id))


@router.post("/{job_id}/rerun", status_code=HTTPStatus.CREATED)
def rerun(job_id: JobId, caller: Worker, brain: TheBrain, idempotency_key: IdempotencyKey = None) -> JobAnswer:
    """Ask for a job again, on the same unit and data; the new job says of which it is a repetition (`rerunOf`)."""
    job = rerun_job(brain, caller, job_id, idempotency_key=idempotency_key)
    return JobAnswer.of(jobs.get_job(brain, caller, job.id))


@router.post("/{job_id}/cancel")
def cancel(job_id: JobId, caller: Worker, brain: TheBrain) -> JobAnswer:
    """Ask for a job's end; safe to repeat. It is cancelled when nothing of it runs any more."""
    cancel_job(brain, caller, job_id)
    return JobAnswer.of(jobs.get_job(brain, caller, job_id))


@router.get("/{job_id}/log")
def get_log(job_id: JobId, caller: Reader, brain: TheBrain) -> LogAnswer:
    """Return what the worker said so far, and what happened to the job."""
    view, events = jobs.job_history(brain, caller, job_id)
    return LogAnswer.of(view, events, jobs.job_log(brain, view))


@router.get("/{job_id}/result")
def get_result(job_id: JobId, caller: Reader, brain: TheBrain) -> ResultAnswer:
    """Return requests that get the files an ended job left."""
    return ResultAnswer.of(jobs.job_result(brain, jobs.get_job(brain, caller, job_id)))
