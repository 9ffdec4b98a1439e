"""The first page: what there is, what runs, what was used; and where to begin."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import TheBrain
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.data_files import list_data
from cloudmr.services.jobs import list_jobs
from cloudmr.services.list_units import list_units
from cloudmr.services.quotas import monthly_use
from cloudmr.services.sample_job import SAMPLE, submit_sample
from cloudmr.web.pages.data_files import Ids, known_ids
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor

router = APIRouter(include_in_schema=False)

_FILES = 8
_ENDED = 6
_OPEN = 50


@router.get("/")
def home(request: Request, brain: TheBrain, visitor: TheVisitor, deleted: Annotated[Ids, Query()] = "") -> Response:
    """Show units, use, jobs and data files; to who has none of them yet, where to begin."""
    files = list_data(brain, visitor.caller, limit=_FILES + 1)
    context = {
        **_jobs(brain, visitor.caller),
        "units": list_units(brain, visitor.caller, app_name=None),
        "use": monthly_use(brain, visitor.caller),
        "files": files[:_FILES],
        "has_more_files": len(files) > _FILES,
        "deleted": known_ids(deleted),
        "back": "/",
        "sample": SAMPLE,
    }
    return render(request, "home.html", context)


@router.get("/home/jobs")
def home_jobs(request: Request, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show what of the first page changes as jobs go."""
    return render(request, "parts/home_jobs.html", _jobs(brain, visitor.caller))


@router.get("/home/use")
def home_use(request: Request, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show what was used; it changes as jobs do."""
    return render(request, "parts/home_use.html", {"use": monthly_use(brain, visitor.caller)})


@router.post("/sample-job")
def sample_job(brain: TheBrain, visitor: TheVisitor) -> Response:
    """Submit a job on a synthetic acquisition."""
    return RedirectResponse(f"/jobs/{submit_sample(brain, visitor.caller).id}", HTTPStatus.SEE_OTHER)


def _jobs(brain: Brain, caller: Caller) -> dict[str, Any]:
    is_open = JobFilter(states=frozenset(JobState) - END_STATES)
    return {
        "open_jobs": list_jobs(brain, caller, is_open, limit=_OPEN),
        "ended_jobs": list_jobs(brain, caller, JobFilter(states=END_STATES), limit=_ENDED),
    }
