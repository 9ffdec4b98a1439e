"""A person's own account: name and password, tokens, notifications, what happened to it, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import TheBrain
from cloudmr.api.bodies import IdText
from cloudmr.api.exports import ExportFormat, exported
from cloudmr.api.page_session import forget_session
from cloudmr.model.audit import AuditAction, AuditFilter
from cloudmr.model.notifications import NotifyOn
from cloudmr.model.tokens import Scope
from cloudmr.services.accounts import own_audit, rename_account
from cloudmr.services.brain import Brain
from cloudmr.services.change_password import change_password
from cloudmr.services.delete_account import delete_account
from cloudmr.services.notifications import get_notifications, set_notifications, try_notifications, webhook_secret
from cloudmr.services.personal_tokens import NewToken, create_token, list_tokens, revoke_token
from cloudmr.web.pages.sessions import Text
from cloudmr.web.rendering import render
from cloudmr.web.visitor import TheVisitor, Visitor
from mroptimum.errors import ExplainedError

router = APIRouter(prefix="/profile", include_in_schema=False)

_PAGE = 50
_DAY_S = int(timedelta(days=1).total_seconds())
DONE: Mapping[str, str] = {
    "name": "The name is changed.",
    "password": "The password is changed. Sessions that were open elsewhere have ended.",
    "revoked": "The token is good for nothing from now on.",
    "saved": "Saved.",
    "sent": "A message is on its way by every way that is set.",
    "nothing": "No way is set: nothing was sent.",
}
"""What was done before somebody comes back to a page, by the word in the address."""
SCOPES: Mapping[Scope, str] = {
    Scope.READ: "to look at what is yours",
    Scope.JOB_WRITE: "to upload data and run jobs; includes to look",
    Scope.UNIT_REGISTER: "to register one computing unit, within an hour",
}
LIFETIMES: Mapping[int, str] = {
    _DAY_S: "a day",
    7 * _DAY_S: "a week",
    30 * _DAY_S: "30 days",
    90 * _DAY_S: "90 days",
    365 * _DAY_S: "a year",
}
_USUAL_S = 90 * _DAY_S
NOTIFY: Mapping[NotifyOn, str] = {
    NotifyOn.NEVER: "never",
    NotifyOn.FAILURE: "when a job fails",
    NotifyOn.ALWAYS: "when any job ends",
}
_TOKEN_COLUMNS = ("id", "name", "scope", "created_at", "expires_at", "last_used_at", "spent_at")
Done = Annotated[str, Query(max_length=16)]


@router.get("")
def account_page(request: Request, visitor: TheVisitor, done: Done = "") -> Response:
    """Show what one's account is, with forms to change it."""
    return _account(request, visitor, done=done)


@router.post("/name")
def rename(request: Request, brain: TheBrain, visitor: TheVisitor, name: Text = "") -> Response:
    """Give the account another name."""
    try:
        rename_account(brain, visitor.caller, name=name)
    except ExplainedError as error:
        return _account(request, visitor, error=error, at="name")
    return _back("/profile", "name")


@router.post("/password")
def password(
    request: Request, brain: TheBrain, visitor: TheVisitor, old_password: Text = "", new_password: Text = ""
) -> Response:
    """Choose another password."""
    try:
        change_password(brain, visitor.caller, old_password=old_password, new_password=new_password)
    except ExplainedError as error:
        return _account(request, visitor, error=error, at="password")
    return _back("/profile", "password")


@router.post("/delete")
def delete(request: Request, brain: TheBrain, visitor: TheVisitor, password: Text = "") -> Response:
    """Delete the account and everything it has."""
    try:
        delete_account(brain, visitor.caller, password=password)
    except ExplainedError as error:
        return _account(request, visitor, error=error, at="delete")
    response = _back("/sign-in", "deleted")
    forget_session(response)
    return response


@router.get("/tokens")
def tokens_page(request: Request, brain: TheBrain, visitor: TheVisitor, done: Done = "") -> Response:
    """Show one's tokens, with a form for another."""
    return _tokens(request, brain, visitor, done=done)


@router.post("/tokens")
def new_token(
    request: Request,
    brain: TheBrain,
    visitor: TheVisitor,
    name: Text = "",
    scope: Annotated[Scope, Form()] = Scope.READ,
    expires_in: Annotated[int, Form()] = _USUAL_S,
) -> Response:
    """Make a token. It is shown in the answer, and never again."""
    lifetime_s = None if scope is Scope.UNIT_REGISTER else expires_in
    try:
        made = create_token(brain, visitor.caller, name=name, scope=scope, lifetime_s=lifetime_s)
    except ExplainedError as error:
        return _tokens(request, brain, visitor, error=error)
    return _tokens(request, brain, visitor, made=made)


@router.get("/tokens/export")
def export_tokens(brain: TheBrain, visitor: TheVisitor) -> Response:
    """Return the list of tokens as a file, without their secrets."""
    rows = (
        {name: None if (value := getattr(token, name)) is None else str(value) for name in _TOKEN_COLUMNS}
        for token in list_tokens(brain, visitor.caller)
    )
    return exported(rows, _TOKEN_COLUMNS, ExportFormat.CSV, name="tokens")


@router.post("/tokens/{token_id}/revoke")
def revoke(token_id: IdText, brain: TheBrain, visitor: TheVisitor) -> Response:
    """End a token."""
    revoke_token(brain, visitor.caller, token_id)
    return _back("/profile/tokens", "revoked")


@router.get("/notifications")
def notifications_page(request: Request, brain: TheBrain, visitor: TheVisitor, done: Done = "") -> Response:
    """Show how one is told of the ends of jobs."""
    return _notifications(request, brain, visitor, done=done)


@router.post("/notifications")
def set_up(
    request: Request,
    brain: TheBrain,
    visitor: TheVisitor,
    mail: Annotated[NotifyOn, Form()],
    webhook: Annotated[NotifyOn, Form()],
    webhook_url: Text = "",
) -> Response:
    """Change how one is told of the ends of jobs."""
    try:
        set_notifications(brain, visitor.caller, mail=mail, webhook=webhook, webhook_url=webhook_url.strip())
    except ExplainedError as error:
        return _notifications(request, brain, visitor, error=error, typed=webhook_url)
    return _back("/profile/notifications", "saved")


@router.post("/notifications/test")
def try_out(brain: TheBrain, visitor: TheVisitor) -> Response:
    """Send a message by every way that is set."""
    return _back("/profile/notifications", "sent" if try_notifications(brain, visitor.caller) else "nothing")


@router.get("/activity")
def activity_page(
    request: Request,
    brain: TheBrain,
    visitor: TheVisitor,
    action: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Show what happened to one's account and things, the latest first."""
    wanted = AuditFilter(action=AuditAction(action) if action in set(AuditAction) else None)
    found = own_audit(brain, visitor.caller, wanted, limit=_PAGE + 1, before=before)
    context = {
        "entries": found[:_PAGE],
        "before": found[_PAGE - 1].number if len(found) > _PAGE else None,
        "actions": list(AuditAction),
        "action": wanted.action or "",
    }
    return render(request, "profile/activity.html", context)


def _back(page: str, done: str) -> Response:
    return RedirectResponse(f"{page}?done={done}", HTTPStatus.SEE_OTHER)


def _shown(error: ExplainedError | None, done: str = "") -> dict[str, Any]:
    return {"error": error.explain() if error else None, "done": DONE.get(done)}


def _status(error: ExplainedError | None) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK


def _account(
    request: Request, visitor: Visitor, *, done: str = "", error: ExplainedError | None = None, at: str = ""
) -> Response:
    context = {**_shown(error, done), "at": at, "account": visitor.account}
    return render(request, "profile/account.html", context, status=_status(error))


def _tokens(
    request: Request,
    brain: Brain,
    visitor: Visitor,
    *,
    done: str = "",
    error: ExplainedError | None = None,
    made: NewToken | None = None,
) -> Response:
    context = {
        **_shown(error, done),
        "made": made,
        "tokens": list_tokens(brain, visitor.caller),
        "scopes": SCOPES,
        "lifetimes": LIFETIMES,
        "usual_s": _USUAL_S,
        "now": brain.now(),
    }
    return render(request, "profile/tokens.html", context, status=_status(error))


def _notifications(
    request: Request,
    brain: Brain,
    visitor: Visitor,
    *,
    done: str = "",
    error: ExplainedError | None = None,
    typed: str | None = None,
) -> Response:
    settings = get_notifications(brain, visitor.caller)
    context = {
        **_shown(error, done),
        "settings": settings,
        "webhook_url": settings.webhook_url or "" if typed is None else typed,
        "secret": webhook_secret(brain, visitor.caller) if settings.webhook_url else None,
        "choices": NOTIFY,
        "email": visitor.account.email,
        "sends_mails": brain.confirms_addresses,
    }
    return render(request, "profile/notifications.html", context, status=_status(error))
