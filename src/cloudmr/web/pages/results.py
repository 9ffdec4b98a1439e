"""Results: maps, regions and noise of a job, and two jobs side by side. Browsers read them from the unit itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.api.jobs import JobId
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import JobState
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.jobs import get_job, list_jobs
from cloudmr.services.views import JobView
from cloudmr.web.pages.jobs import own_frame
from cloudmr.web.pages.upload import storage_origins
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor

router = APIRouter(include_in_schema=False)

_LATEST = 100


@dataclass(frozen=True, kw_only=True)
class Colours:
    """A way to colour values: as viewers call it, and as people do."""

    name: str
    title: str


COLOURS = (
    Colours(name="viridis", title="viridis"),
    Colours(name="inferno", title="inferno"),
    Colours(name="magma", title="magma"),
    Colours(name="plasma", title="plasma"),
    Colours(name="cividis", title="cividis"),
    Colours(name="gray", title="grey"),
    Colours(name="hot", title="hot"),
    Colours(name="turbo", title="turbo"),
    Colours(name="jet", title="jet"),
    Colours(name="diverging", title="blue, white, red"),
    Colours(name="hsv", title="circle (phases)"),
)


@router.get("/jobs/{job_id}/results")
def results(request: Request, job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show what a job found."""
    view = get_job(brain, visitor.caller, job_id)
    context = {**own_frame(view), "others": _others(brain, visitor.caller, view), "colours": COLOURS}
    return render(request, "results.html", context, storage_origins=storage_origins(brain, [view.unit]))


@router.get("/jobs/{job_id}/noise")
def noise(request: Request, job_id: JobId, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show the noise that a job's numbers rest on."""
    view = get_job(brain, visitor.caller, job_id)
    return render(request, "noise.html", own_frame(view), storage_origins=storage_origins(brain, [view.unit]))


@router.get("/compare")
def compare(
    request: Request, brain: TheBrain, visitor: TheVisitor, a: Annotated[IdText, Query()], b: Annotated[IdText, Query()]
) -> Response:
    """Show the results of two jobs side by side."""
    views = [get_job(brain, visitor.caller, job_id) for job_id in (a, b)]
    context = {"a": views[0], "b": views[1], "colours": COLOURS}
    origins = storage_origins(brain, [view.unit for view in views])
    return render(request, "compare.html", context, storage_origins=origins)


def _others(brain: Brain, caller: Caller, view: JobView) -> Sequence[JobView]:
    """Return jobs of the same person to compare with, or to take regions from."""
    succeeded = JobFilter(states=(JobState.SUCCEEDED,))
    return [other for other in list_jobs(brain, caller, succeeded, limit=_LATEST) if other.job.id != view.job.id]
