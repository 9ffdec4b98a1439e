"""/api/job/{id}/document, /progress, /callback: from the unit that works at the job only, signed for each attempt."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import CamelBody
from cloudmr.api.jobs import JobId
from cloudmr.errors import InvalidRequest
from cloudmr.model.documents import JobDocument
from cloudmr.model.jobs import JobState
from cloudmr.model.reports import MAX_BODY_BYTES
from cloudmr.services.hear_unit import hand_out_document, hear_report

router = APIRouter(prefix="/api/job", tags=["from computing units"])


class Heard(CamelBody):
    """The job as it stands after a report was heard."""

    job_id: str
    status: JobState


async def _body(request: Request) -> bytes:
    """Return the body as it came: the signature is over these bytes, not over what they mean."""
    body = await request.body()
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequest(f"A report has at most {MAX_BODY_BYTES} bytes.", "Shorten its message.")
    return body


RawBody = Annotated[bytes, Depends(_body)]


@router.get("/{job_id}/document")
def get_document(job_id: JobId, attempt: Annotated[int, Query(ge=1)], request: Request, brain: TheBrain) -> JobDocument:
    """Return what the worker of an attempt is to do."""
    return hand_out_document(brain, job_id, attempt, request.headers)


@router.post("/{job_id}/progress")
def report_progress(job_id: JobId, body: RawBody, request: Request, brain: TheBrain) -> Heard:
    """Hear how far a worker is."""
    job = hear_report(brain, job_id, body, request.headers)
    return Heard(job_id=job.id, status=job.state)


@router.post("/{job_id}/callback")
def report_end(job_id: JobId, body: RawBody, request: Request, brain: TheBrain) -> Heard:
    """Hear that an attempt has ended; safe to repeat, also when the job is settled already."""
    job = hear_report(brain, job_id, body, request.headers)
    return Heard(job_id=job.id, status=job.state)
