"""Sign in, register, sign out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from cloudmr.api.access import Address, TheBrain
from cloudmr.api.page_session import forget_session, keep_session, require_same_site
from cloudmr.services.register_account import register_account
from cloudmr.services.sessions import log_in, log_out
from cloudmr.web.rendering import render
from cloudmr.web.visitor import MaybeVisitor, TheVisitor
from mroptimum.errors import ExplainedError

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=2048)]
Next = Annotated[str, Form(alias="next", max_length=2048)]
DONE = {
    "confirmed": "Your address is confirmed. Sign in.",
    "reset": "The password is set. Sign in with it.",
    "deleted": "The account is deleted.",
}
"""What was done before somebody comes here, by the word in the address."""


def own_address(text: str) -> str:
    """Return a path of this server to go on to; anything else is the first page."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_ours else "/"


@router.get("/sign-in")
def sign_in_page(
    request: Request,
    visitor: MaybeVisitor,
    then: Annotated[str, Query(alias="next", max_length=2048)] = "/",
    done: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Show the form, unless somebody is signed in."""
    if visitor is not None:
        return RedirectResponse(own_address(then), HTTPStatus.SEE_OTHER)
    context = {"next": own_address(then), "email": "", "error": None, "done": DONE.get(done)}
    return render(request, "sign_in.html", context)


@router.post("/sign-in", dependencies=[Depends(require_same_site)])
def sign_in(
    request: Request, brain: TheBrain, address: Address, email: Text = "", password: Text = "", then: Next = "/"
) -> Response:
    """Open a session."""
    try:
        return _begin(request, brain, email=email, password=password, address=address, then=own_address(then))
    except ExplainedError as error:
        context = {"next": own_address(then), "email": email, "error": error.explain(), "done": None}
        return render(request, "sign_in.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@router.get("/register")
def register_page(request: Request, visitor: MaybeVisitor) -> Response:
    """Show the form, unless somebody is signed in."""
    if visitor is not None:
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    return render(request, "register.html", {"email": "", "error": None})


@router.post("/register", dependencies=[Depends(require_same_site)])
def register(request: Request, brain: TheBrain, address: Address, email: Text = "", password: Text = "") -> Response:
    """Make an account, and open its first session where it may be used at once."""
    try:
        register_account(brain, email=email, password=password, address=address)
        if brain.confirms_addresses:
            return render(request, "registered.html", {"email": email})
        return _begin(request, brain, email=email, password=password, address=address, then="/")
    except ExplainedError as error:
        context = {"email": email, "error": error.explain()}
        return render(request, "register.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@router.post("/sign-out")
def sign_out(brain: TheBrain, visitor: TheVisitor, address: Address) -> Response:
    """End the session."""
    log_out(brain, visitor.caller, address=address)
    response = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
    forget_session(response)
    return response


def _begin(request: Request, brain: TheBrain, *, email: str, password: str, address: str, then: str) -> Response:
    session = log_in(brain, email=email, password=password, address=address)
    response = RedirectResponse(then, HTTPStatus.SEE_OTHER)
    keep_session(response, session.access_token, is_secure=request.url.scheme == "https")
    return response
