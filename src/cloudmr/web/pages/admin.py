"""What administrators see and do: people and their limits, shared units, the queue, failures, the whole audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.errors import InvalidRequest
from cloudmr.model.allowances import Allowance
from cloudmr.model.audit import AuditAction, AuditFilter
from cloudmr.model.people import AccountStatus, Caller
from cloudmr.services import administration
from cloudmr.services.brain import Brain
from cloudmr.services.prove_numbers import OWNER_EMAIL
from cloudmr.web.rendering import render
from cloudmr.web.visitor import Administrator
from mroptimum.errors import ExplainedError

router = APIRouter(prefix="/admin", include_in_schema=False)

AccountId = Annotated[IdText, Path()]
Before = Annotated[IdText | None, Query()]
Text = Annotated[str, Query(max_length=254)]
Field = Annotated[str, Form(max_length=255)]

_PAGE = 50
_GB = 10**9


@router.get("")
def first(_: Administrator) -> Response:
    """Go to what is asked for most."""
    return RedirectResponse("/admin/users", HTTPStatus.SEE_OTHER)


@router.get("/users")
def users(
    request: Request, brain: TheBrain, visitor: Administrator, text: Text = "", status: Text = "", before: Before = None
) -> Response:
    """Show accounts, the latest first."""
    wanted = AccountStatus(status) if status in list(AccountStatus) else None
    found = administration.list_accounts(
        brain, visitor.caller, text=text or None, status=wanted, limit=_PAGE + 1, before=before
    )
    context = {
        "views": found[:_PAGE],
        "text": text,
        "status": wanted,
        "statuses": list(AccountStatus),
        "of_the_brain": OWNER_EMAIL,
        "more": _more(found, found[_PAGE - 1].account.id if len(found) > _PAGE else "", text=text, status=status),
    }
    return render(request, "admin/users.html", context)


@router.get("/users/{account_id}")
def user(request: Request, account_id: AccountId, brain: TheBrain, visitor: Administrator) -> Response:
    """Show one account."""
    return _user_page(request, brain, visitor.caller, account_id)


@router.post("/users/{account_id}/suspend")
def suspend(
    request: Request, account_id: AccountId, brain: TheBrain, visitor: Administrator, reason: Field = ""
) -> Response:
    """Close an account."""
    try:
        administration.suspend_account(brain, visitor.caller, account_id, reason=reason)
    except ExplainedError as error:
        return _user_page(request, brain, visitor.caller, account_id, error=error)
    return _to_user(account_id)


@router.post("/users/{account_id}/activate")
def activate(account_id: AccountId, brain: TheBrain, visitor: Administrator, reason: Field = "") -> Response:
    """Open an account."""
    administration.activate_account(brain, visitor.caller, account_id, reason=reason)
    return _to_user(account_id)


@router.post("/users/{account_id}/limits")
def limits(
    request: Request,
    account_id: AccountId,
    brain: TheBrain,
    visitor: Administrator,
    n_monthly: Field = "",
    n_running: Field = "",
    n_queued: Field = "",
    stored_gb: Field = "",
) -> Response:
    """Set what one person gets of the shared place; what is empty is as for everybody."""
    try:
        allowance = Allowance(
            n_monthly=_whole(n_monthly, "Jobs a month"),
            n_running=_whole(n_running, "Running at once"),
            n_queued=_whole(n_queued, "Waiting"),
            stored_bytes=_bytes(stored_gb),
        )
        administration.set_allowance(brain, visitor.caller, account_id, allowance)
    except ExplainedError as error:
        return _user_page(request, brain, visitor.caller, account_id, error=error)
    return _to_user(account_id)


@router.get("/units")
def units(request: Request, brain: TheBrain, visitor: Administrator) -> Response:
    """Show the shared units, and how many there are of people's own."""
    context = {
        "reports": administration.shared_units(brain, visitor.caller),
        "own": administration.count_own_units(brain, visitor.caller),
        "operator": brain.operator,
    }
    return render(request, "admin/units.html", context)


@router.get("/queue")
def queue(request: Request, brain: TheBrain, visitor: Administrator, before: Before = None) -> Response:
    """Show everybody's jobs that have not ended."""
    return render(request, "admin/queue.html", _queue(brain, visitor.caller, before))


@router.get("/queue/rows")
def queue_rows(request: Request, brain: TheBrain, visitor: Administrator) -> Response:
    """Show what of the queue changes as it goes."""
    return render(request, "parts/queue.html", _queue(brain, visitor.caller, None))


@router.get("/failures")
def failures(
    request: Request,
    brain: TheBrain,
    visitor: Administrator,
    days: Annotated[int, Query(ge=1, le=366)] = 7,
    before: Before = None,
) -> Response:
    """Show everybody's jobs that ended without success, and how often each cause came up."""
    found = administration.list_failures(
        brain, visitor.caller, within=timedelta(days=days), limit=_PAGE + 1, before=before
    )
    context = {
        "jobs": found.jobs[:_PAGE],
        "by_code": found.by_code,
        "most": max(found.by_code.values(), default=1),
        "days": days,
        "more": _more(found.jobs, found.jobs[_PAGE - 1].job_id if len(found.jobs) > _PAGE else "", days=str(days)),
    }
    return render(request, "admin/failures.html", context)


@router.get("/audit")
def audit(
    request: Request,
    brain: TheBrain,
    visitor: Administrator,
    user_id: Annotated[IdText, Query()] = "",
    action: Text = "",
    since: Text = "",
    until: Text = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show what happened to everybody's accounts and things, the latest first."""
    chosen = AuditAction(action) if action in list(AuditAction) else None
    days = {"since": _day(since), "until": _day(until)}
    # `until` is a day that is still wanted.
    end = days["until"] + timedelta(days=1) if days["until"] else None
    wanted = AuditFilter(account_id=user_id or None, action=chosen, since=days["since"], until=end)
    found = administration.whole_audit(brain, visitor.caller, wanted, limit=_PAGE + 1, before=before)
    entries = found[:_PAGE]
    people = {account for entry in entries for account in (entry.event.account_id, entry.event.actor_id) if account}
    asked = {"user_id": user_id, "action": chosen or "", "since": since, "until": until}
    exported = {
        "user_id": user_id,
        "action": chosen or "",
        "since": wanted.since.isoformat() if wanted.since else "",
        "until": wanted.until.isoformat() if wanted.until else "",
    }
    context = {
        "entries": entries,
        "emails": administration.emails_of(brain, visitor.caller, people),
        "actions": list(AuditAction),
        "asked": asked,
        "export": _query(exported),
        "more": _more(found, str(entries[-1].number) if len(found) > _PAGE else "", **asked),
    }
    return render(request, "admin/audit.html", context)


def _to_user(account_id: str) -> Response:
    return RedirectResponse(f"/admin/users/{account_id}", HTTPStatus.SEE_OTHER)


def _user_page(
    request: Request, brain: Brain, caller: Caller, account_id: str, *, error: ExplainedError | None = None
) -> Response:
    context = {
        "view": administration.get_account(brain, caller, account_id),
        "use": administration.quota_of(brain, caller, account_id),
        "everybody": brain.limits,
        "is_own": account_id == caller.id,
        "error": error.explain() if error else None,
    }
    return render(
        request, "admin/user.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    )


def _queue(brain: Brain, caller: Caller, before: str | None) -> dict[str, Any]:
    found = administration.list_open_jobs(brain, caller, limit=_PAGE + 1, before=before)
    return {
        "jobs": found[:_PAGE],
        "now": brain.now(),
        "is_first": before is None,
        "more": _more(found, found[_PAGE - 1].job_id if len(found) > _PAGE else ""),
    }


def _more(found: list[Any], before: str, **asked: str) -> str | None:
    """Return the query of the page that follows, None where there is none."""
    return _query({**asked, "before": before}) if len(found) > _PAGE else None


def _query(asked: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


def _day(text: str) -> datetime | None:
    """Return the beginning of a day in UTC; what is no day is not asked for."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _whole(text: str, name: str) -> int | None:
    text = text.strip()
    if text and not text.isdecimal():
        raise InvalidRequest(f"{name} is a whole number.", "Give one, or leave the field empty: as for everybody.")
    return int(text) if text else None


def _bytes(text: str) -> int | None:
    try:
        return round(float(text) * _GB) if text.strip() else None
    except (ValueError, OverflowError):
        raise InvalidRequest(
            "Data files is a number of GB.", "Give one, such as 50, or leave the field empty: as for everybody."
        ) from None
