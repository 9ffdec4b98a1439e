"""Who looks at a page: what page routes depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from cloudmr.api.access import Address, Credentials, TheBrain
from cloudmr.api.page_session import csrf_token
from cloudmr.errors import NotAllowed, NotSignedIn
from cloudmr.model.people import Account, Caller
from cloudmr.model.tokens import Scope
from cloudmr.services.get_profile import get_profile
from cloudmr.services.sessions import authenticate

_STATE = "visitor"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who is signed in, and the token that their pages prove themselves with."""

    caller: Caller
    account: Account
    csrf_token: str


def find_visitor(request: Request, brain: TheBrain, credentials: Credentials, address: Address) -> Visitor | None:
    """Return who is signed in, if anybody; a session that ended is none."""
    if credentials is None:
        return None
    try:
        caller = authenticate(brain, credentials.credentials, Scope.ACCOUNT, address=address)
    except (NotSignedIn, NotAllowed):
        return None
    visitor = Visitor(
        caller=caller,
        account=get_profile(brain, caller),
        csrf_token=csrf_token(brain.secret_key, credentials.credentials),
    )
    setattr(request.state, _STATE, visitor)
    return visitor


def visitor_of(request: Request) -> Visitor | None:
    """Return who was found to look at this page."""
    return getattr(request.state, _STATE, None)


def _signed_in(visitor: MaybeVisitor) -> Visitor:
    if visitor is None:
        raise NotSignedIn("This page is for people who are signed in.", "Sign in.")
    return visitor


def _administrator(visitor: TheVisitor) -> Visitor:
    if not visitor.caller.is_admin:
        raise NotAllowed("This page is for administrators.", "Ask an administrator of this CloudMR Brain.")
    return visitor


MaybeVisitor = Annotated[Visitor | None, Depends(find_visitor)]
"""Somebody, signed in or not."""
TheVisitor = Annotated[Visitor, Depends(_signed_in)]
"""Somebody who is signed in."""
Administrator = Annotated[Visitor, Depends(_administrator)]
"""Somebody who is signed in and looks after this Brain."""
