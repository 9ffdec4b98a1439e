"""What happened to an account: a typed vocabulary of `subject:action`, each with who, when and from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudmr.model.instants import require_utc


class AuditAction(StrEnum):
    """What can happen to an account."""

    ACCOUNT_CREATED = "account:created"
    """Somebody registered."""
    SESSION_OPENED = "session:opened"
    """Its owner signed in."""
    SESSION_REFUSED = "session:refused"
    """Somebody gave a wrong password, or the account may not be used."""
    SESSION_RENEWED = "session:renewed"
    """A refresh token was turned into new tokens."""
    SESSION_CLOSED = "session:closed"
    """Its owner signed out."""


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One entry in the trail of an account.

    `actor_id` is the account that did it, None where that is not known (a wrong password). `address` is the network
    address it came from, `token_id` the token that was used, `target` the id of what it was done to.
    """

    account_id: str
    at: datetime
    action: AuditAction
    actor_id: str | None = None
    address: str | None = None
    token_id: str | None = None
    target: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        require_utc(self)
