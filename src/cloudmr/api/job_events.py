"""/api/job/{id}/events: a job as it goes, as server-sent events. /api/job/events: all of one's jobs that go.

    state      the whole job, as GET /api/job/{id} returns it: first, and again after every change
    event      one entry of its history; its id is its number, so a client that comes back gets what it missed
    progress   how far the worker is, whenever that is news
    end        the job has ended, and so does the stream

    jobs       (of all) those that have not ended, with their progress: first, and again whenever something is news

Every Brain reads the changes from the database, so any of them can serve any job: one look at all that is
followed through it (`job_watch`), and another at each thing of which there is news.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from cloudmr.api.access import Credentials, Reader, TheBrain
from cloudmr.api.bodies import CamelBody
from cloudmr.api.job_bodies import EventAnswer, JobDetail, ProgressAnswer
from cloudmr.api.job_watch import JobWatch
from cloudmr.api.jobs import JobId
from cloudmr.errors import DatabaseUnavailable, NotAllowed, NotSignedIn
from cloudmr.model.events import JobEvent
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import END_STATES, Job, JobState
from cloudmr.model.tokens import Scope
from cloudmr.services.brain import Brain
from cloudmr.services.jobs import job_history, list_jobs
from cloudmr.services.sessions import authenticate
from cloudmr.services.views import JobView
from cloudmr.services.watch_jobs import Sign

router = APIRouter(prefix="/api/job", tags=["jobs"])

LOOK_EVERY_S = 0.5
_OPEN = JobFilter(states=frozenset(JobState) - END_STATES)
_MOST = 200
CHECK_TOKEN_EVERY_S = 60
"""So long a stream outlives the session that opened it, at most: signing out and suspending an account end it."""


class OpenJob(CamelBody):
    """What changes of a job that has not ended; `version` counts what else did."""

    job_id: str
    status: JobState
    version: int
    waiting_reason: str | None
    progress: ProgressAnswer | None

    @classmethod
    def of(cls, view: JobView) -> OpenJob:
        """Return a job as JSON has it."""
        job = view.job
        return cls(
            job_id=job.id,
            status=job.state,
            version=job.version,
            waiting_reason=view.waiting_reason,
            progress=ProgressAnswer.of(job.progress) if job.progress else None,
        )


class OpenJobs(CamelBody):
    """A person's jobs that have not ended, the latest first."""

    jobs: list[OpenJob]


class JobFollower:
    """Turns what is read of a job, again and again, into the events that tell what is new."""

    def __init__(self, last_number: int) -> None:
        self.last_number = last_number
        self._shown: tuple[int, str | None] | None = None
        self._progress: tuple[int, int] | None = None

    def news(self, view: JobView, events: list[JobEvent]) -> list[ServerSentEvent]:
        """Return the events to send: nothing, where nothing is new."""
        job = view.job
        told = [ServerSentEvent(event="event", id=str(event.number), data=EventAnswer.of(event)) for event in events]
        self.last_number = max([self.last_number, *(event.number for event in events)])
        shown = (job.version, view.waiting_reason)
        if self._shown != shown:
            state = ServerSentEvent(event="state", data=JobDetail.of(view))
            # Who has just come learns first how things are, who is here already first what made them so.
            told = [state, *told] if self._shown is None else [*told, state]
            self._shown, self._progress = shown, _place(job)
        elif self._progress != _place(job) and job.progress is not None:
            self._progress = _place(job)
            told.append(ServerSentEvent(event="progress", data=ProgressAnswer.of(job.progress)))
        if job.has_ended:
            told.append(ServerSentEvent(event="end", data={"status": job.state}))
        return told


def _place(job: Job) -> tuple[int, int] | None:
    return (job.attempt, job.progress.sequence) if job.progress else None


def _follow(job_id: JobId, caller: Reader, brain: TheBrain) -> str:
    """Raise `NotFound` before the stream begins, while there can still be an error."""
    job_history(brain, caller, job_id)
    return job_id


def _is_let_in(brain: Brain, secret: str) -> bool:
    try:
        authenticate(brain, secret, Scope.READ)
    except (NotSignedIn, NotAllowed):
        return False
    return True


class _Looks:
    """Says when to look again at a job, or at somebody's, as long as the server runs and the session has not ended."""

    def __init__(self, request: Request, brain: Brain, secret: str, what: str) -> None:
        self._stopping: anyio.Event = request.app.state.stopping
        self.watch: JobWatch = request.app.state.job_watch
        self._brain = brain
        self._secret = secret
        self._what = what
        self._checked_at = anyio.current_time()
        self._is_first = True
        self._seen: Sign | None = None
        self._told: Sign | None = None

    async def for_news(self) -> bool:
        """Wait until there may be news; False where it is over."""
        while await self._next_moment():
            # While the database is away there is no news; it is looked at again until it is back.
            with suppress(DatabaseUnavailable):
                self._seen = await self.watch.sign(self._what, int(anyio.current_time() / LOOK_EVERY_S))
                if self._seen is None or self._seen != self._told:
                    return True
        return False

    def told(self) -> None:
        """Say that whoever follows was told of what was seen."""
        self._told = self._seen

    async def _next_moment(self) -> bool:
        if not self._is_first:
            with anyio.move_on_after(LOOK_EVERY_S - anyio.current_time() % LOOK_EVERY_S):
                await self._stopping.wait()
        self._is_first = False
        return not self._stopping.is_set() and await self._is_still_let_in()

    async def _is_still_let_in(self) -> bool:
        if anyio.current_time() < self._checked_at + CHECK_TOKEN_EVERY_S:
            return True
        with suppress(DatabaseUnavailable):
            # Too late for an error; who comes back with this token is told what is wrong with it.
            if not await run_in_threadpool(_is_let_in, self._brain, self._secret):
                return False
            self._checked_at = anyio.current_time()
            # What is no longer shown to whoever follows changes no sign.
            self._told = None
        return True


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def follow_job(
    job_id: Annotated[str, Depends(_follow)],
    caller: Reader,
    credentials: Credentials,
    brain: TheBrain,
    request: Request,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job until it or the session ends. `Last-Event-ID` is the number of the last event that was seen."""
    assert credentials is not None, "there is no caller without"
    follower = JobFollower(int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() else 0)
    looks = _Looks(request, brain, credentials.credentials, job_id)
    with looks.watch.following(job_id):
        while await looks.for_news():
            with suppress(DatabaseUnavailable):
                view, events = await run_in_threadpool(job_history, brain, caller, job_id, after=follower.last_number)
                looks.told()
                for news in follower.news(view, events):
                    yield news
                if view.job.has_ended:
                    return


@router.get("/events", response_class=EventSourceResponse)
async def follow_jobs(
    caller: Reader, credentials: Credentials, brain: TheBrain, request: Request
) -> AsyncIterator[ServerSentEvent]:
    """Follow all of the caller's jobs that have not ended, until none is left or the session ends."""
    assert credentials is not None, "there is no caller without"
    told: OpenJobs | None = None
    looks = _Looks(request, brain, credentials.credentials, caller.id)
    with looks.watch.following(caller.id):
        while await looks.for_news():
            with suppress(DatabaseUnavailable):
                views = await run_in_threadpool(list_jobs, brain, caller, _OPEN, limit=_MOST)
                looks.told()
                now = OpenJobs(jobs=[OpenJob.of(view) for view in views])
                if now != told:
                    told = now
                    yield ServerSentEvent(event="jobs", data=now)
                if not views:
                    yield ServerSentEvent(event="end", data={"nJobs": 0})
                    return
