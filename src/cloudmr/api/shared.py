"""/api/shared/{secret}: a job, for whoever has the link to it. Nobody signs in here; the path is a secret."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import CamelBody
from cloudmr.api.job_bodies import EventAnswer, JobDetail, LogAnswer, ResultAnswer
from cloudmr.api.regions import RegionList, RegionThere
from cloudmr.services import jobs
from cloudmr.services.regions import regions_of
from cloudmr.services.share_job import events_of_link, job_of_link
from cloudmr.services.views import JobView

router = APIRouter(prefix="/api/shared", tags=["sharing"])

Secret = Annotated[str, Path(max_length=128, description="the last part of the link")]


def _view(secret: Secret, brain: TheBrain) -> JobView:
    """Return the job that the link leads to."""
    return job_of_link(brain, secret)


Shared = Annotated[JobView, Depends(_view)]


class EventList(CamelBody):
    """What happened to a job, in order."""

    events: list[EventAnswer]


@router.get("/{secret}")
def get_shared_job(view: Shared) -> JobDetail:
    """Return the job, with its task but without its data files."""
    return JobDetail.of(view)


@router.get("/{secret}/events")
def get_shared_events(view: Shared, brain: TheBrain) -> EventList:
    """Return what happened to the job so far."""
    return EventList(events=[EventAnswer.of(event) for event in events_of_link(brain, view)])


@router.get("/{secret}/log")
def get_shared_log(view: Shared, brain: TheBrain) -> LogAnswer:
    """Return what the worker said so far, and what happened to the job."""
    return LogAnswer.of(view, events_of_link(brain, view), jobs.job_log(brain, view))


@router.get("/{secret}/result")
def get_shared_result(view: Shared, brain: TheBrain) -> ResultAnswer:
    """Return requests that get the files the job left, for some minutes."""
    return ResultAnswer.of(jobs.job_result(brain, view))


@router.get("/{secret}/regions")
def get_shared_regions(view: Shared, brain: TheBrain) -> RegionList:
    """Return the regions that were kept with the job."""
    return RegionList(regions=[RegionThere.of_view(found) for found in regions_of(brain, view)])
