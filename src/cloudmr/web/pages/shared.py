"""What the link to a job shows to whoever has it: the results, the job, its noise. Nobody signs in, nothing changes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from cloudmr.api.access import TheBrain
from cloudmr.api.shared import Secret, Shared
from cloudmr.model.jobs import JobState
from cloudmr.services.share_job import SHARED_PAGE, events_of_link
from cloudmr.web.pages.jobs import job_context
from cloudmr.web.pages.results import COLOURS
from cloudmr.web.pages.upload import storage_origins
from cloudmr.web.rendering import render
from cloudmr.web.visitor import find_visitor

router = APIRouter(prefix=SHARED_PAGE, include_in_schema=False, dependencies=[Depends(find_visitor)])


def _frame(view: Shared, secret: Secret) -> dict[str, Any]:
    """Return what all of a job's pages are told: here it goes by its secret, and has its pages below the link."""
    return {"view": view, "base": f"{SHARED_PAGE}/{secret}", "source": secret, "others": []}


@router.get("/{secret}")
def shared_page(request: Request, view: Shared, secret: Secret, brain: TheBrain) -> Response:
    """Show what a job found, or, as long as it found nothing, the job."""
    if view.job.state is not JobState.SUCCEEDED:
        return shared_job(request, view, secret, brain)
    context = {**_frame(view, secret), "colours": COLOURS}
    return render(request, "results.html", context, storage_origins=storage_origins(brain, [view.unit]))


@router.get("/{secret}/job")
def shared_job(request: Request, view: Shared, secret: Secret, brain: TheBrain) -> Response:
    """Show a job: where and how it ran, what happened."""
    context = {**_frame(view, secret), **job_context(brain, view, events_of_link(brain, view))}
    return render(request, "job.html", context)


@router.get("/{secret}/noise")
def shared_noise(request: Request, view: Shared, secret: Secret, brain: TheBrain) -> Response:
    """Show the noise that a job's numbers rest on."""
    origins = storage_origins(brain, [view.unit])
    return render(request, "noise.html", _frame(view, secret), storage_origins=origins)
