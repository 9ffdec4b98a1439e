"""The first page: what is there and what runs."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from cloudmr.api.access import TheBrain
from cloudmr.services.jobs import list_jobs
from cloudmr.services.list_units import list_units
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, brain: TheBrain, visitor: TheVisitor) -> Response:
    """Show units and the latest jobs."""
    context = {
        "units": list_units(brain, visitor.caller, app_name=None),
        "jobs": list_jobs(brain, visitor.caller, limit=10),
    }
    return render(request, "home.html", context)
