"""/api/auth: accounts and sessions."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import ConfigDict, StringConstraints

from cloudmr.api.access import Address, Owner, Reader, TheBrain
from cloudmr.api.bodies import Body
from cloudmr.model.people import Account
from cloudmr.services.accounts import rename_account
from cloudmr.services.change_password import ask_for_reset, change_password, reset_password
from cloudmr.services.confirm_account import confirm_account, resend_confirmation
from cloudmr.services.delete_account import delete_account
from cloudmr.services.get_profile import get_profile
from cloudmr.services.register_account import register_account
from cloudmr.services.sessions import Session, log_in, log_out, refresh_session

router = APIRouter(prefix="/api/auth", tags=["accounts"])

Text = Annotated[str, StringConstraints(max_length=2048)]
_WORDS = "correct horse battery"
_SECRET = "6f1e…"  # noqa: S105 - an example


class Credentials(Body):
    """An e-mail address and its password."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.org", "password": _WORDS}]})

    email: Text
    password: Text


class AddressRequest(Body):
    """An e-mail address."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.org"}]})

    email: Text


class ConfirmRequest(Body):
    """The secret of the link in a mail, and the password that the account was made with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": _SECRET, "password": _WORDS}]})

    token: Text
    password: Text


class ResetRequest(Body):
    """The secret of the link in a mail, and another password."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": _SECRET, "new_password": _WORDS}]})

    token: Text
    new_password: Text


class PasswordRequest(Body):
    """The present password, and another."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"old_password": "…", "new_password": _WORDS}]})

    old_password: Text
    new_password: Text


class DeleteAccountRequest(Body):
    """The password, so that a forgotten session deletes nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"password": _WORDS}]})

    password: Text


class NameRequest(Body):
    """What to call a person; empty for nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Ada Lovelace"}]})

    name: Text


class RefreshRequest(Body):
    """The refresh token of a session."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"refresh_token": "cmr_…"}]})

    refresh_token: Text


class SessionAnswer(Body):
    """A session, in the words that existing clients look for. `id_token` and `access_token` are the same token."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "id_token": "cmr_…",
                    "access_token": "cmr_…",
                    "refresh_token": "cmr_…",
                    "token_type": "Bearer",
                    "expires_in": 43200,
                    "user_id": "user_01jd3v6w0s8k2m4n6p8q0r2t4v",
                }
            ]
        }
    )

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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "user_01jd3v6w0s8k2m4n6p8q0r2t4v",
                    "email": "ada@example.org",
                    "name": "Ada Lovelace",
                    "status": "active",
                    "is_admin": False,
                    "created_at": "2026-11-22T12:00:00Z",
                }
            ]
        }
    )

    user_id: str
    email: str
    name: str | None
    status: str
    is_admin: bool
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> ProfileAnswer:
        """Return an account as JSON has it."""
        return cls(
            user_id=account.id,
            email=account.email,
            name=account.name,
            status=account.status,
            is_admin=account.is_admin,
            created_at=account.created_at,
        )


class Done(Body):
    """Nothing but that it is done."""

    success: bool = True


class MailSent(Body):
    """That a mail was sent, if there is an account it belongs to; whether there is one is told to its owner only."""

    success: bool = True
    message: str = "If there is such an account, a mail is on its way."


@router.post("/register", status_code=HTTPStatus.CREATED)
def register(body: Credentials, brain: TheBrain, address: Address) -> ProfileAnswer:
    """Make an account. Where the Brain sends mails it is pending until the link in one was opened.

    There the answer is the same for an address that has an account, whose owner gets a mail.
    """
    return ProfileAnswer.of(register_account(brain, email=body.email, password=body.password, address=address))


@router.post("/confirm")
def confirm(body: ConfirmRequest, brain: TheBrain, address: Address) -> Done:
    """Confirm an e-mail address with the secret of the mail and the password; the account is active then."""
    confirm_account(brain, secret=body.token, password=body.password, address=address)
    return Done()


@router.post("/resend-confirmation", status_code=HTTPStatus.ACCEPTED)
def resend(body: AddressRequest, brain: TheBrain, address: Address) -> MailSent:
    """Send the mail for confirming an address once more; the answer is the same for every address."""
    resend_confirmation(brain, email=body.email, address=address)
    return MailSent()


@router.post("/login")
def login(body: Credentials, brain: TheBrain, address: Address) -> SessionAnswer:
    """Sign in."""
    return SessionAnswer.of(log_in(brain, email=body.email, password=body.password, address=address))


@router.post("/refresh")
def refresh(body: RefreshRequest, brain: TheBrain, address: Address) -> SessionAnswer:
    """Turn a refresh token into a new session; the old one ends."""
    return SessionAnswer.of(refresh_session(brain, refresh_token=body.refresh_token, address=address))


@router.post("/logout")
def logout(caller: Owner, brain: TheBrain, address: Address) -> Done:
    """Sign out: the session's tokens are good for nothing from now on."""
    log_out(brain, caller, address=address)
    return Done()


@router.post("/forgot-password", status_code=HTTPStatus.ACCEPTED)
def forgot(body: AddressRequest, brain: TheBrain, address: Address) -> MailSent:
    """Send a link to choose another password; the answer is the same for every address."""
    ask_for_reset(brain, email=body.email, address=address)
    return MailSent()


@router.post("/reset-password")
def reset(body: ResetRequest, brain: TheBrain, address: Address) -> Done:
    """Choose another password with the secret of the mail; every session and token of the account ends."""
    reset_password(brain, secret=body.token, new_password=body.new_password, address=address)
    return Done()


@router.post("/change-password")
def change(body: PasswordRequest, caller: Owner, brain: TheBrain) -> Done:
    """Choose another password; other sessions end, personal tokens stay."""
    change_password(brain, caller, old_password=body.old_password, new_password=body.new_password)
    return Done()


@router.get("/profile")
def profile(caller: Reader, brain: TheBrain) -> ProfileAnswer:
    """Return the account of whoever asks."""
    return ProfileAnswer.of(get_profile(brain, caller))


@router.patch("/profile")
def rename(body: NameRequest, caller: Owner, brain: TheBrain) -> ProfileAnswer:
    """Give one's account another name."""
    return ProfileAnswer.of(rename_account(brain, caller, name=body.name))


@router.post("/delete-account")
def delete(body: DeleteAccountRequest, caller: Owner, brain: TheBrain) -> Done:
    """Delete one's account and everything it has; there is no way back."""
    delete_account(brain, caller, password=body.password)
    return Done()
