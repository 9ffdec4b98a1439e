"""With whom a job is shared, for its owner: by a link, or with a person, and the end of it."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.api.jobs import JobId
from cloudmr.model.shares import DEFAULT_DAYS, MOST_DAYS
from cloudmr.services.brain import Brain
from cloudmr.services.jobs import get_job
from cloudmr.services.share_job import NewShare, list_shares, share_job, share_link, unshare_job
from cloudmr.web.pages.jobs import own_frame
from cloudmr.web.pages.sessions import Text
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor, Visitor
from mroptimum.errors import ExplainedError

router = APIRouter(prefix="/jobs/{job_id}/sharing", include_in_schema=False)


class With(StrEnum):
    """Whom a job is shared with."""

    LINK = "link"
    """Whoever has the link."""
    PERSON = "person"
    """The person of an e-mail address."""


@router.get("")
def sharing_page(
    request: Request, job_id: JobId, brain: TheBrain, visitor: TheVisitor, done: Annotated[str, Query()] = ""
) -> Response:
    """Show with whom a job is shared."""
    return _page(request, brain, visitor, job_id, is_ended=done == "ended")


@router.post("")
def share(
    request: Request,
    job_id: JobId,
    brain: TheBrain,
    visitor: TheVisitor,
    whom: Annotated[With, Form()],
    email: Text = "",
    days: Annotated[int, Form()] = DEFAULT_DAYS,
) -> Response:
    """Share a job. A link is shown in the answer, and never again."""
    try:
        made = share_job(brain, visitor.caller, job_id, email=email if whom is With.PERSON else None, days=days)
    except ExplainedError as error:
        return _page(request, brain, visitor, job_id, error=error, whom=whom, email=email)
    return _page(request, brain, visitor, job_id, made=made, whom=whom)


@router.post("/end")
def end(
    job_id: JobId, brain: TheBrain, visitor: TheVisitor, share_id: Annotated[IdText | None, Form()] = None
) -> Response:
    """End one share of a job, or all."""
    unshare_job(brain, visitor.caller, job_id, share_id)
    return RedirectResponse(f"/jobs/{job_id}/sharing?done=ended", HTTPStatus.SEE_OTHER)


def _page(
    request: Request,
    brain: Brain,
    visitor: Visitor,
    job_id: str,
    *,
    made: NewShare | None = None,
    is_ended: bool = False,
    error: ExplainedError | None = None,
    whom: With = With.LINK,
    email: str = "",
) -> Response:
    context = {
        **own_frame(get_job(brain, visitor.caller, job_id)),
        "shares": list_shares(brain, visitor.caller, job_id),
        "made": made,
        "address": share_link(brain, made.secret) if made and made.secret else None,
        "is_ended": is_ended,
        "error": error.explain() if error else None,
        "whom": whom,
        "email": email,
        "days": DEFAULT_DAYS,
        "most_days": MOST_DAYS,
        "sends_mails": brain.confirms_addresses,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return render(request, "sharing.html", context, status=status)
