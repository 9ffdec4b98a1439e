"""Where the links in mails lead: confirming an address, choosing another password. Their secrets come in the fragment.

No browser sends a fragment: a script of the page puts it into the form, and takes it out of the address.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import Address, TheBrain
from cloudmr.api.page_session import require_same_site
from cloudmr.services.account_mails import CONFIRM_PAGE, RESET_PAGE
from cloudmr.services.change_password import ask_for_reset, reset_password
from cloudmr.services.confirm_account import confirm_account, resend_confirmation
from cloudmr.web.pages.sessions import Text
from cloudmr.web.rendering import render
from mroptimum.errors import ExplainedError

router = APIRouter(include_in_schema=False)

FORGOT_PAGE = "/forgot-password"
AGAIN_PAGE = "/confirm-again"
_SAME_SITE = [Depends(require_same_site)]


@router.get(CONFIRM_PAGE)
def confirm_page(request: Request) -> Response:
    """Show the form that takes the secret of a mail and the password."""
    return render(request, "confirm.html", {"token": "", "error": None})


@router.post(CONFIRM_PAGE, dependencies=_SAME_SITE)
def confirm(request: Request, brain: TheBrain, address: Address, token: Text = "", password: Text = "") -> Response:
    """Confirm the address of an account, which may be used then."""
    try:
        confirm_account(brain, secret=token.strip(), password=password, address=address)
    except ExplainedError as error:
        context = {"token": token, "error": error.explain()}
        return render(request, "confirm.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return RedirectResponse("/sign-in?done=confirmed", HTTPStatus.SEE_OTHER)


@router.get(AGAIN_PAGE)
def again_page(request: Request, brain: TheBrain) -> Response:
    """Show the form that asks for the mail with the link once more."""
    return _ask(request, brain, AGAIN_PAGE)


@router.post(AGAIN_PAGE, dependencies=_SAME_SITE)
def again(request: Request, brain: TheBrain, address: Address, email: Text = "") -> Response:
    """Send the mail with the link once more; whoever asks is not told whether there is such an account."""
    try:
        resend_confirmation(brain, email=email, address=address)
    except ExplainedError as error:
        return _ask(request, brain, AGAIN_PAGE, email=email, error=error)
    return _ask(request, brain, AGAIN_PAGE, email=email, is_sent=True)


@router.get(FORGOT_PAGE)
def forgot_page(request: Request, brain: TheBrain) -> Response:
    """Show the form that asks for a link to choose another password."""
    return _ask(request, brain, FORGOT_PAGE)


@router.post(FORGOT_PAGE, dependencies=_SAME_SITE)
def forgot(request: Request, brain: TheBrain, address: Address, email: Text = "") -> Response:
    """Send a link to choose another password; whoever asks is not told whether there is such an account."""
    try:
        ask_for_reset(brain, email=email, address=address)
    except ExplainedError as error:
        return _ask(request, brain, FORGOT_PAGE, email=email, error=error)
    return _ask(request, brain, FORGOT_PAGE, email=email, is_sent=True)


@router.get(RESET_PAGE)
def reset_page(request: Request) -> Response:
    """Show the form that takes the secret of a mail and another password."""
    return render(request, "reset_password.html", {"token": "", "error": None})


@router.post(RESET_PAGE, dependencies=_SAME_SITE)
def reset(request: Request, brain: TheBrain, address: Address, token: Text = "", new_password: Text = "") -> Response:
    """Set another password; every session and token of the account ends."""
    try:
        reset_password(brain, secret=token.strip(), new_password=new_password, address=address)
    except ExplainedError as error:
        context = {"token": token, "error": error.explain()}
        return render(request, "reset_password.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return RedirectResponse("/sign-in?done=reset", HTTPStatus.SEE_OTHER)


def _ask(
    request: Request,
    brain: TheBrain,
    page: str,
    *,
    email: str = "",
    is_sent: bool = False,
    error: ExplainedError | None = None,
) -> Response:
    context = {
        "action": page,
        "title": "Forgotten password" if page == FORGOT_PAGE else "Another mail to confirm your address",
        "email": email,
        "is_sent": is_sent,
        "sends_mails": brain.confirms_addresses,
        "error": error.explain() if error else None,
    }
    return render(request, "ask_for_mail.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY if error else 200)
