"""The application: all routes, with and without a `/Prod` before them, around one Brain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial

import anyio
from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware

import mroptimum
from cloudmr.api import (
    admin,
    audit,
    auth,
    compatibility,
    data,
    health,
    job_events,
    job_plans,
    jobs,
    metrics,
    notifications,
    objects,
    quota,
    regions,
    shared,
    shares,
    tokens,
    unit_calls,
    units,
)
from cloudmr.api.body_limit import BodyLimit
from cloudmr.api.description import describe
from cloudmr.api.errors import install_error_handlers
from cloudmr.api.job_watch import JobWatch
from cloudmr.api.no_nul import NoNul
from cloudmr.api.request_log import RequestLog
from cloudmr.api.safe_headers import SafeHeaders
from cloudmr.model.proxies import Networks
from cloudmr.request_ids import HEADER as REQUEST_ID
from cloudmr.services.brain import Brain
from cloudmr.services.watch_jobs import signs_of
from cloudmr.storage.local import LocalStorage

PREFIXES = ("", "/Prod")
"""Existing clients come with the stage name of an API gateway before every path."""

Lifespan = Callable[[], AbstractAsyncContextManager[None]]


def build_app(
    brain: Brain,
    *,
    local_storage: LocalStorage | None,
    lifespan: Lifespan = nullcontext,
    trusted_proxies: Networks = (),
    metrics_token: str | None = None,
    allowed_origins: Sequence[str] = (),
) -> FastAPI:
    """Return the application of a Brain. `local_storage` is what `/objects` gives access to; `lifespan` runs around it.

    `trusted_proxies` are believed about whom a request comes from, `metrics_token` lets read `/metrics` from elsewhere,
    and pages of `allowed_origins` may use the API, with a token.
    Whoever ends the server sets `app.state.stopping` first: streams that would not end by themselves end by it.
    """

    @asynccontextmanager
    async def around(app: FastAPI) -> AsyncIterator[None]:
        app.state.stopping = anyio.Event()
        async with lifespan():
            yield

    app = FastAPI(
        title="CloudMR Brain",
        version=mroptimum.__version__,
        summary="Runs MR Optimum jobs on computing units, and hands back their results.",
        lifespan=around,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        # Telemetry would carry request bodies, passwords among them, to wherever the environment says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    answer_for(app, brain, local_storage=local_storage)
    app.state.trusted_proxies = trusted_proxies
    app.state.metrics_token = metrics_token
    app.add_middleware(NoNul)
    app.add_middleware(BodyLimit)
    app.add_middleware(SafeHeaders)
    if allowed_origins:
        # No cookies: what is allowed here, a program could do anyhow.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Range", "X-Api-Key"],
            expose_headers=["ETag", "Content-Range", "Retry-After", REQUEST_ID],
        )
    app.add_middleware(RequestLog)
    install_error_handlers(app)
    for prefix in PREFIXES:
        for router in _routers():
            app.include_router(router, prefix=prefix, include_in_schema=not prefix)
    describe(app)
    return app


def answer_for(app: FastAPI, brain: Brain, *, local_storage: LocalStorage | None) -> None:
    """Let an application answer for this Brain from now on."""
    app.state.brain = brain
    app.state.job_watch = JobWatch(partial(signs_of, brain))
    app.state.local_storage = local_storage


def _routers() -> tuple[APIRouter, ...]:
    of_jobs = (unit_calls, job_events, job_plans, shares, regions, jobs, shared, quota, notifications)
    # Objects first: routes are tried in turn, and a file comes in many parts. Compatibility before the others:
    # some of its paths would be taken for ids of things.
    nouns = (objects, compatibility, auth, tokens, audit, admin, units, data, *of_jobs, health, metrics)
    return tuple(noun.router for noun in nouns)
