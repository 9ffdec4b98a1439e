"""A person's account, and the one who asks for something."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cloudmr.errors import InvalidRequest
from cloudmr.model.instants import require_utc

MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 1024
MAX_EMAIL_LENGTH = 254
MAX_NAME_LENGTH = 255


class AccountStatus(StrEnum):
    """Whether an account may be used."""

    PENDING = "pending"
    """The e-mail address is not confirmed yet."""
    ACTIVE = "active"
    """It may be used."""
    SUSPENDED = "suspended"
    """An administrator closed it."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One person. `password_hash` is argon2id with its parameters, and never shown.

    Of an account that was deleted only the id is left, for the audit's sake: its e-mail address is free again.
    """

    id: str
    email: str
    password_hash: str = field(repr=False)
    status: AccountStatus
    is_admin: bool
    created_at: datetime
    name: str | None = None
    deleted_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, known by a valid token, and from which network address: what every service of a person is told."""

    id: str
    is_admin: bool
    token_id: str
    address: str = "unknown"


def normal_email(text: str) -> str:
    """Return an e-mail address as accounts are known by. Raise `InvalidRequest` for what cannot be one."""
    email = text.strip().lower()
    is_written_so = re.fullmatch(r"""[^@\s"(),:;<>[\]\\]+@[^@\s"(),:;<>[\]\\]+""", email)
    if len(email) > MAX_EMAIL_LENGTH or not email.isprintable() or not is_written_so:
        raise InvalidRequest("This is not an e-mail address.", "Give an address such as name@example.org.")
    return email


def clean_name(text: str) -> str | None:
    """Return a person's name as it is kept, None for no name. Raise `InvalidRequest` for what cannot be one."""
    name = " ".join(text.split())
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(f"A name has at most {MAX_NAME_LENGTH} characters, on one line.", "Choose a shorter one.")
    return name or None


def check_new_password(password: str) -> None:
    """Raise `InvalidRequest` for a password that is too short to be safe or too long to be one."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidRequest(
            f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters.",
            "Choose another; a few words in a row are easy to remember and hard to guess.",
        )
