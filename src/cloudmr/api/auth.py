"""/api/auth: accounts and sessions."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from cloudmr.api.access import Address, Owner, Reader, TheBrain
from cloudmr.api.bodies import Body
from cloudmr.model.people import Account
from cloudmr.services.get_profile import get_profile
from cloudmr.services.register_account import register_account
from cloudmr.services.sessions import Session, log_in, log_out, refresh_session

router = APIRouter(prefix="/api/auth", tags=["accounts"])

Text = Annotated[str, StringConstraints(max_length=2048)]


class Credentials(Body):
    """An e-mail address and its password."""

    email: Text
    password: Text


class RefreshRequest(Body):
    """The refresh token of a session."""

    refresh_token: Text


class SessionAnswer(Body):
    """A session, in the words that existing clients look for. `id_token` and `access_token` are the same token."""

    success: bool = True
    id_token: str
    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 - the kind of token, not one
    expires_in: int
    user_id: str

    @classmethod
    def of(cls, session: Session) -> SessionAnswer:
        """Return a session as JSON has it."""
        return cls(
            id_token=session.access_token,
            access_token=session.access_token,
            refresh_token=session.refresh_token,
            expires_in=session.expires_in_s,
            user_id=session.account.id,
        )


class ProfileAnswer(Body):
    """An account."""

    user_id: str
    email: str
    status: str
    is_admin: bool
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> ProfileAnswer:
        """Return an account as JSON has it."""
        return cls(
            user_id=account.id,
            email=account.email,
            status=account.status,
            is_admin=account.is_admin,
            created_at=account.created_at,
        )


class LoggedOut(Body):
    """Nothing but that it is done."""

    success: bool = True


@router.post("/register", status_code=HTTPStatus.CREATED)
def register(body: Credentials, brain: TheBrain, address: Address) -> ProfileAnswer:
    """Make an account."""
    return ProfileAnswer.of(register_account(brain, email=body.email, password=body.password, address=address))


@router.post("/login")
def login(body: Credentials, brain: TheBrain, address: Address) -> SessionAnswer:
    """Sign in."""
    return SessionAnswer.of(log_in(brain, email=body.email, password=body.password, address=address))


@router.post("/refresh")
def refresh(body: RefreshRequest, brain: TheBrain, address: Address) -> SessionAnswer:
    """Turn a refresh token into a new session; the old one ends."""
    return SessionAnswer.of(refresh_session(brain, refresh_token=body.refresh_token, address=address))


@router.post("/logout")
def logout(caller: Owner, brain: TheBrain, address: Address) -> LoggedOut:
    """Sign out: the session's tokens are good for nothing from now on."""
    log_out(brain, caller, address=address)
    return LoggedOut()


@router.get("/profile")
def profile(caller: Reader, brain: TheBrain) -> ProfileAnswer:
    """Return the account of whoever asks."""
    return ProfileAnswer.of(get_profile(brain, caller))
