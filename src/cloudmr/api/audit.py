"""/api/auth/audit: what happened to one's account and things, as a list or as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, ConfigDict

from cloudmr.api.access import Owner, TheBrain
from cloudmr.api.bodies import Body
from cloudmr.api.exports import ExportFormat, Row, exported
from cloudmr.model.audit import AuditAction, AuditEntry, AuditFilter
from cloudmr.model.instants import in_utc
from cloudmr.services.accounts import own_audit

router = APIRouter(prefix="/api/auth/audit", tags=["audit"])

_AT_ONCE = 500
COLUMNS = ("number", "at", "action", "account_id", "actor_id", "address", "token_id", "target", "reason")


class AuditEntryAnswer(Body):
    """Something that happened: who did what to what, when, from where, and why.

    `account_id` is whose trail it is in, `actor_id` the account that did it, null where nobody had proved who they are.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 42,
                    "at": "2026-11-22T12:00:00Z",
                    "action": "token:created",
                    "account_id": "user_01jd3v6w0s8k2m4n6p8q0r2t4v",
                    "actor_id": "user_01jd3v6w0s8k2m4n6p8q0r2t4v",
                    "address": "192.0.2.1",
                    "token_id": "token_01jd3v6w0s8k2m4n6p8q0r2t4v",
                    "target": "token_01jd3v6w0s8k2m4n6p8q0r2t4w",
                    "reason": "job:write: cluster in room 12",
                }
            ]
        }
    )

    number: int
    at: datetime
    action: AuditAction
    account_id: str
    actor_id: str | None
    address: str | None
    token_id: str | None
    target: str | None
    reason: str | None

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditEntryAnswer:
        """Return an entry as JSON has it."""
        return cls(number=entry.number, **vars(entry.event))


class AuditPage(Body):
    """Some of what happened, the latest first; `next` is what to give as `before` for what was before."""

    events: list[AuditEntryAnswer]
    next: int | None

    @classmethod
    def of(cls, found: Sequence[AuditEntry], limit: int) -> AuditPage:
        """Return a page of what was asked for with one more than its limit."""
        page = found[:limit]
        return cls(
            events=[AuditEntryAnswer.of(entry) for entry in page],
            next=page[-1].number if len(found) > limit else None,
        )


Action = Annotated[AuditAction | None, Query(description="only this")]
Since = Annotated[AwareDatetime | None, Query(description="from this moment on")]
Until = Annotated[AwareDatetime | None, Query(description="before this moment")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[int | None, Query(ge=1, le=2**62, description="the `next` of the page before")]


@router.get("")
def list_own(
    caller: Owner,
    brain: TheBrain,
    action: Action = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    before: Before = None,
) -> AuditPage:
    """List what happened to the caller's account and things, the latest first."""
    wanted = AuditFilter(action=action, since=in_utc(since), until=in_utc(until))
    return AuditPage.of(own_audit(brain, caller, wanted, limit=limit + 1, before=before), limit)


@router.get("/export", response_class=Response)
def export_own(
    caller: Owner,
    brain: TheBrain,
    export_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
    action: Action = None,
    since: Since = None,
    until: Until = None,
) -> Response:
    """Return all of it as a file."""
    wanted = AuditFilter(action=action, since=in_utc(since), until=in_utc(until))

    def page(before: int | None) -> Sequence[AuditEntry]:
        return own_audit(brain, caller, wanted, limit=_AT_ONCE, before=before)

    return exported(audit_rows(page), COLUMNS, export_format, name="audit")


def audit_rows(page: Callable[[int | None], Sequence[AuditEntry]]) -> Iterator[Row]:
    """Yield every entry as a row, page by page."""
    before = None
    while found := page(before):
        for entry in found:
            yield AuditEntryAnswer.of(entry).model_dump(mode="json")
        before = found[-1].number
