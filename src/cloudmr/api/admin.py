"""/api/admin: accounts, limits, the queue, failures and the whole audit trail, for administrators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field, StringConstraints

from cloudmr.api.access import Owner, TheBrain
from cloudmr.api.audit import COLUMNS, Action, AuditPage, Before, Limit, Since, Until, audit_rows
from cloudmr.api.bodies import Body, IdText
from cloudmr.api.exports import ExportFormat, exported
from cloudmr.model.allowances import Allowance
from cloudmr.model.audit import AuditEntry, AuditFilter
from cloudmr.model.instants import in_utc
from cloudmr.model.jobs import JobState
from cloudmr.model.people import AccountStatus
from cloudmr.services import administration
from cloudmr.services.administration import AccountView

router = APIRouter(prefix="/api/admin", tags=["administration"])

AccountId = Annotated[IdText, Path(description="id of an account")]
PageBefore = Annotated[IdText | None, Query(description="the `next` of the page before")]
Count = Annotated[int | None, Field(ge=0, le=2**62)]
_ADA = "user_01jd3v6w0s8k2m4n6p8q0r2t4v"


class AllowanceBody(Body):
    """What one person gets of the shared place; null is what everybody gets."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"n_monthly": 500, "n_running": 4, "n_queued": None, "stored_bytes": 10**11}]}
    )

    n_monthly: Count = Field(None, description="jobs a calendar month")
    n_running: Count = Field(None, description="jobs that run at once")
    n_queued: Count = Field(None, description="jobs that wait")
    stored_bytes: Count = Field(None, description="of all data files together")


class LimitsAnswer(Body):
    """The limits of a person as they are in force."""

    n_monthly: int
    n_running: int
    n_queued: int
    stored_bytes: int


class AccountAnswer(Body):
    """An account, its limits, and which of them were set for it (`allowance`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": _ADA,
                    "email": "ada@example.org",
                    "name": "Ada Lovelace",
                    "status": "active",
                    "is_admin": False,
                    "created_at": "2026-11-22T12:00:00Z",
                    "limits": {"n_monthly": 500, "n_running": 2, "n_queued": 20, "stored_bytes": 20 * 10**9},
                    "allowance": {"n_monthly": 500, "n_running": None, "n_queued": None, "stored_bytes": None},
                }
            ]
        }
    )

    user_id: str
    email: str
    name: str | None
    status: AccountStatus
    is_admin: bool
    created_at: datetime
    limits: LimitsAnswer
    allowance: AllowanceBody

    @classmethod
    def of(cls, view: AccountView) -> AccountAnswer:
        """Return an account as JSON has it."""
        account, limits = view.account, view.limits
        return cls(
            user_id=account.id,
            email=account.email,
            name=account.name,
            status=account.status,
            is_admin=account.is_admin,
            created_at=account.created_at,
            limits=LimitsAnswer(
                n_monthly=limits.n_monthly_each,
                n_running=limits.n_running_each,
                n_queued=limits.n_queued_each,
                stored_bytes=limits.max_stored_bytes_each,
            ),
            allowance=AllowanceBody(**vars(view.allowance)),
        )


class AccountPage(Body):
    """Some accounts, the latest first; `next` is what to give as `before` for those before them."""

    users: list[AccountAnswer]
    next: str | None


class ReasonRequest(Body):
    """Why; it is kept in the audit trail."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "left the institute"}]})

    reason: Annotated[str, StringConstraints(max_length=255)] = ""


class OpenJobAnswer(Body):
    """A job that has not ended."""

    job_id: str
    owner_id: str
    owner_email: str
    unit_id: str
    unit_alias: str
    state: JobState
    attempt: int
    created_at: datetime
    deadline_at: datetime
    dispatched_at: datetime | None
    cancel_requested_at: datetime | None
    waiting_reason: str | None


class OpenJobPage(Body):
    """Some jobs that have not ended, the latest first; `next` is what to give as `before` for those before them."""

    jobs: list[OpenJobAnswer]
    next: str | None


class FailedJobAnswer(Body):
    """A job that ended without success, and the cause as its owner was told."""

    job_id: str
    owner_id: str
    owner_email: str
    unit_id: str
    unit_alias: str
    state: JobState
    attempt: int
    ended_at: datetime
    code: str
    message: str
    next_step: str


class FailurePage(Body):
    """Some failed jobs, the latest first, and of all of them how often each cause came up."""

    jobs: list[FailedJobAnswer]
    by_code: dict[str, int]
    next: str | None


@router.get("/users")
def list_users(
    caller: Owner,
    brain: TheBrain,
    search: Annotated[str | None, Query(max_length=254, description="a part of the address or name")] = None,
    status: AccountStatus | None = None,
    limit: Limit = 50,
    before: PageBefore = None,
) -> AccountPage:
    """List accounts, the latest first."""
    found = administration.list_accounts(brain, caller, text=search, status=status, limit=limit + 1, before=before)
    page = found[:limit]
    return AccountPage(
        users=[AccountAnswer.of(view) for view in page],
        next=page[-1].account.id if len(found) > limit else None,
    )


@router.get("/users/{user_id}")
def get_user(user_id: AccountId, caller: Owner, brain: TheBrain) -> AccountAnswer:
    """Return one account."""
    return AccountAnswer.of(administration.get_account(brain, caller, user_id))


@router.post("/users/{user_id}/suspend")
def suspend(user_id: AccountId, body: ReasonRequest, caller: Owner, brain: TheBrain) -> AccountAnswer:
    """Close an account: its sessions and tokens end, its jobs go on."""
    return AccountAnswer.of(administration.suspend_account(brain, caller, user_id, reason=body.reason))


@router.post("/users/{user_id}/activate")
def activate(user_id: AccountId, body: ReasonRequest, caller: Owner, brain: TheBrain) -> AccountAnswer:
    """Open an account."""
    return AccountAnswer.of(administration.activate_account(brain, caller, user_id, reason=body.reason))


@router.put("/users/{user_id}/limits")
def set_limits(user_id: AccountId, body: AllowanceBody, caller: Owner, brain: TheBrain) -> AccountAnswer:
    """Set what one person gets of the shared place."""
    allowance = Allowance(**body.model_dump())
    return AccountAnswer.of(administration.set_allowance(brain, caller, user_id, allowance))


@router.get("/queue")
def list_queue(caller: Owner, brain: TheBrain, limit: Limit = 50, before: PageBefore = None) -> OpenJobPage:
    """List everybody's jobs that have not ended, the latest first."""
    found = administration.list_open_jobs(brain, caller, limit=limit + 1, before=before)
    page = found[:limit]
    return OpenJobPage(
        jobs=[OpenJobAnswer(**vars(job)) for job in page],
        next=page[-1].job_id if len(found) > limit else None,
    )


@router.get("/failures")
def list_failures(
    caller: Owner,
    brain: TheBrain,
    days: Annotated[int, Query(ge=1, le=366, description="how far back")] = 7,
    limit: Limit = 50,
    before: PageBefore = None,
) -> FailurePage:
    """List everybody's jobs that ended without success, the latest first, and count the causes."""
    found = administration.list_failures(brain, caller, within=timedelta(days=days), limit=limit + 1, before=before)
    page = found.jobs[:limit]
    return FailurePage(
        jobs=[FailedJobAnswer(**vars(job)) for job in page],
        by_code=dict(found.by_code),
        next=page[-1].job_id if len(found.jobs) > limit else None,
    )


@router.get("/audit")
def list_audit(
    caller: Owner,
    brain: TheBrain,
    user_id: Annotated[IdText | None, Query(description="only this account's trail")] = None,
    action: Action = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    before: Before = None,
) -> AuditPage:
    """List what happened to everybody's accounts and things, the latest first."""
    wanted = AuditFilter(account_id=user_id, action=action, since=in_utc(since), until=in_utc(until))
    return AuditPage.of(administration.whole_audit(brain, caller, wanted, limit=limit + 1, before=before), limit)


@router.get("/audit/export", response_class=Response)
def export_audit(
    caller: Owner,
    brain: TheBrain,
    export_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
    user_id: Annotated[IdText | None, Query(description="only this account's trail")] = None,
    action: Action = None,
    since: Since = None,
    until: Until = None,
) -> Response:
    """Return all of it as a file."""
    administration.require_admin(caller)
    wanted = AuditFilter(account_id=user_id, action=action, since=in_utc(since), until=in_utc(until))

    def page(before: int | None) -> Sequence[AuditEntry]:
        return administration.whole_audit(brain, caller, wanted, limit=500, before=before)

    return exported(audit_rows(page), COLUMNS, export_format, name="audit")
