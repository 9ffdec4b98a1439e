"""/api/job/{id}/shares and /api/job/shared: letting others look at a job, and what others let the caller look at."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import StringConstraints

from cloudmr.api.access import Reader, TheBrain, Worker
from cloudmr.api.bodies import CamelBody, IdText, with_examples
from cloudmr.api.job_bodies import JobAnswer
from cloudmr.api.jobs import JobId
from cloudmr.model.shares import JobShare
from cloudmr.services.share_job import SharedView, list_shares, share_job, share_link, shared_with_me, unshare_job

router = APIRouter(prefix="/api/job", tags=["sharing"])

ShareId = Annotated[IdText, Path(description="id of a share")]


class ShareRequest(CamelBody):
    """Whom to share with: the person of an e-mail address, or (null) whoever has the link; for how many days."""

    model_config = with_examples({"email": "bob@example.org", "days": 14})

    email: Annotated[str, StringConstraints(max_length=254)] | None = None
    days: int | None = None


_SHARE = {
    "shareId": "share_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "jobId": "job_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "email": "bob@example.org",
    "createdAt": "2026-11-22T12:00:00Z",
    "expiresAt": "2026-12-06T12:00:00Z",
}


class ShareAnswer(CamelBody):
    """A share. `email` is null for a link."""

    model_config = with_examples(_SHARE)

    share_id: str
    job_id: str
    email: str | None
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, share: JobShare) -> ShareAnswer:
        """Return a share as JSON has it."""
        return cls(**_fields(share))


class NewShareAnswer(ShareAnswer):
    """A new share. `link` is shown this once: everybody who has it may look at the job (null for a person).

    It leads to a page. Programs put `/api` before its path, and find there what `/api/job/{id}` has: the job, `events`,
    `log`, `result`, `regions`.
    """

    model_config = with_examples(_SHARE | {"email": None, "link": "https://brain.example.org/shared/cmrshare_…"})

    link: str | None


class ShareList(CamelBody):
    """The shares of a job that are in force, the latest first."""

    shares: list[ShareAnswer]


class SharedJob(CamelBody):
    """A job that somebody shared with the caller."""

    share_id: str
    shared_by: str
    shared_until: datetime
    job: JobAnswer

    @classmethod
    def of(cls, shared: SharedView) -> SharedJob:
        """Return a shared job as JSON has it."""
        return cls(
            share_id=shared.share.id,
            shared_by=shared.shared_by,
            shared_until=shared.share.expires_at,
            job=JobAnswer.of(shared.view),
        )


class SharedPage(CamelBody):
    """Some jobs that others shared with the caller; `next` is what to give as `before` for those before them."""

    jobs: list[SharedJob]
    next: str | None


@router.get("/shared")
def list_shared(
    caller: Reader,
    brain: TheBrain,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[IdText | None, Query(description="the `next` of the page before")] = None,
) -> SharedPage:
    """List the jobs that others shared with the caller, the latest share first."""
    found = shared_with_me(brain, caller, limit=limit + 1, before=before)
    page = found[:limit]
    return SharedPage(
        jobs=[SharedJob.of(shared) for shared in page], next=page[-1].share.id if len(found) > limit else None
    )


@router.get("/{job_id}/shares")
def get_shares(job_id: JobId, caller: Reader, brain: TheBrain) -> ShareList:
    """List the shares of a job that are in force."""
    return ShareList(shares=[ShareAnswer.of(share) for share in list_shares(brain, caller, job_id)])


@router.post("/{job_id}/shares", status_code=HTTPStatus.CREATED)
def share(job_id: JobId, body: ShareRequest, caller: Worker, brain: TheBrain) -> NewShareAnswer:
    """Let somebody else look at a job: its state, history, log and results, not its data files."""
    new = share_job(brain, caller, job_id, email=body.email, days=body.days)
    link = share_link(brain, new.secret) if new.secret is not None else None
    return NewShareAnswer(**_fields(new.share), link=link)


@router.delete("/{job_id}/shares", status_code=HTTPStatus.NO_CONTENT)
def unshare_all(job_id: JobId, caller: Worker, brain: TheBrain) -> Response:
    """End all shares of a job; safe to repeat."""
    unshare_job(brain, caller, job_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.delete("/{job_id}/shares/{share_id}", status_code=HTTPStatus.NO_CONTENT)
def unshare(job_id: JobId, share_id: ShareId, caller: Worker, brain: TheBrain) -> Response:
    """End one share of a job; safe to repeat."""
    unshare_job(brain, caller, job_id, share_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _fields(share: JobShare) -> dict[str, str | datetime | None]:
    return {
        "share_id": share.id,
        "job_id": share.job_id,
        "email": share.email,
        "created_at": share.created_at,
        "expires_at": share.expires_at,
    }
