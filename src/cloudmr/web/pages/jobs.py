"""Jobs: the list, and one job as it goes, with what a person can do about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.api.jobs import JobId
from cloudmr.errors import Conflict
from cloudmr.model.events import JobEvent
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import JobState
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.delete_job import delete_job, restore_job
from cloudmr.services.jobs import get_job, job_history, job_log, job_result, list_jobs, shown_document
from cloudmr.services.rename_job import rename_job
from cloudmr.services.rerun_job import rerun_job
from cloudmr.services.share_job import shared_with_me
from cloudmr.services.views import JobView
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor

router = APIRouter(prefix="/jobs", include_in_schema=False)

_PAGE = 50
_STEPS = (JobState.QUEUED, JobState.DISPATCHED, JobState.RUNNING)


@router.get("")
def jobs_page(
    request: Request,
    brain: TheBrain,
    visitor: TheVisitor,
    state: Annotated[list[JobState] | None, Query()] = None,
    text: Annotated[str, Query(max_length=255)] = "",
    before: Annotated[IdText | None, Query()] = None,
    deleted: Annotated[IdText | None, Query()] = None,
) -> Response:
    """Show the visitor's jobs, the latest first, and those that others showed to them."""
    wanted = JobFilter(states=frozenset(state or ()), text=text or None)
    found = list_jobs(brain, visitor.caller, wanted, limit=_PAGE + 1, before=before)
    context = {
        "jobs": found[:_PAGE],
        "before": found[_PAGE - 1].job.id if len(found) > _PAGE else None,
        "states": list(JobState),
        "chosen": state or [],
        "text": text,
        "deleted": deleted if deleted and is_id(Kind.JOB, deleted) else None,
        "shared": shared_with_me(brain, visitor.caller, limit=_PAGE),
    }
    return render(request, "jobs.html", context)


@router.get("/{job_id}")
def job_page(request: Request, job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show one job."""
    return render(request, "job.html", _context(brain, visitor.caller, job_id))


@router.get("/{job_id}/body")
def job_body(request: Request, job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show what of a job's page changes as it goes."""
    return render(request, "parts/job.html", _context(brain, visitor.caller, job_id))


@router.get("/{job_id}/package")
def package(job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Lead to everything that a job left, in one file, where it lies: in the storage of its unit."""
    left = job_result(brain, get_job(brain, visitor.caller, job_id)).package
    if left is None:
        raise Conflict("The job left no package.", "Its log says what happened.", code="no_package")
    return RedirectResponse(left.request.url, HTTPStatus.SEE_OTHER)


@router.post("/{job_id}/cancel")
def cancel(job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Ask for a job's end."""
    cancel_job(brain, visitor.caller, job_id)
    return _to(job_id)


@router.post("/{job_id}/rerun")
def rerun(job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Ask for the same once more."""
    return _to(rerun_job(brain, visitor.caller, job_id).id)


@router.post("/{job_id}/rename")
def rename(
    job_id: JobId, brain: TheBrain, visitor: TheVisitor, alias: Annotated[str, Form(max_length=255)] = ""
) -> Response:
    """Call a job something else."""
    rename_job(brain, visitor.caller, job_id, alias=alias)
    return _to(job_id)


@router.post("/{job_id}/delete")
def delete(job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Delete a job; the list then offers the way back."""
    delete_job(brain, visitor.caller, job_id)
    return RedirectResponse(f"/jobs?deleted={job_id}", HTTPStatus.SEE_OTHER)


@router.post("/{job_id}/restore")
def restore(job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Bring a deleted job back."""
    restore_job(brain, visitor.caller, job_id)
    return _to(job_id)


def _to(job_id: str) -> Response:
    return RedirectResponse(f"/jobs/{job_id}", HTTPStatus.SEE_OTHER)


def _context(brain: Brain, caller: Caller, job_id: str) -> dict[str, Any]:
    view, events = job_history(brain, caller, job_id)
    return {**own_frame(view), **job_context(brain, view, events)}


def own_frame(view: JobView) -> dict[str, Any]:
    """Return what the pages of a job are told of where they are: `source` is what scripts ask the API for."""
    return {"view": view, "base": f"/jobs/{view.job.id}", "source": view.job.id}


def job_context(brain: Brain, view: JobView, events: Sequence[JobEvent]) -> dict[str, Any]:
    """Return what the page of a job shows."""
    document = shown_document(view)
    return {
        "job": view.job,
        "events": events,
        "log": job_log(brain, view),
        "steps": _STEPS,
        "task": json.dumps({"task": document.task, "output": document.output}, indent=2),
    }
