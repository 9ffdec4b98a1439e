"""What happened to an account and its things: a typed vocabulary of `subject:action`, with who, when and from where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudmr.model.instants import require_utc

MAX_REASON_LENGTH = 255


class AuditAction(StrEnum):
    """What can happen."""

    ACCOUNT_CREATED = "account:created"
    """Somebody registered."""
    ACCOUNT_CONFIRMED = "account:confirmed"
    """Its owner opened the link in the mail."""
    ACCOUNT_RENAMED = "account:renamed"
    """Its owner gave another name."""
    ACCOUNT_SUSPENDED = "account:suspended"
    """An administrator closed it."""
    ACCOUNT_ACTIVATED = "account:activated"
    """An administrator opened it."""
    ACCOUNT_DELETED = "account:deleted"
    """It is no more; what it had is removed."""
    ACCOUNT_MADE_ADMIN = "account:made_admin"
    """It may do what administrators do; only the server's own command line gives this."""
    ACCOUNT_LIMITED = "account:limited"
    """An administrator changed how much of the shared place it gets."""
    PASSWORD_CHANGED = "password:changed"  # noqa: S105 - words, as the following
    """Its owner chose another password, and gave the old one."""
    PASSWORD_RESET_ASKED = "password:reset_asked"  # noqa: S105
    """Somebody asked for a link to choose another password."""
    PASSWORD_RESET = "password:reset"  # noqa: S105
    """Somebody with the link in the mail chose another password."""
    SESSION_OPENED = "session:opened"
    """Its owner signed in."""
    SESSION_REFUSED = "session:refused"
    """Somebody gave a wrong password, or the account may not be used."""
    SESSION_RENEWED = "session:renewed"
    """A refresh token was turned into new tokens."""
    SESSION_CLOSED = "session:closed"
    """Its owner signed out."""
    TOKEN_CREATED = "token:created"  # noqa: S105
    """A personal token was made."""
    TOKEN_REVOKED = "token:revoked"  # noqa: S105
    """A personal token was ended before its time."""
    DATA_DELETED = "data:deleted"
    """A data file was removed."""
    DATA_RESTORED = "data:restored"
    """A data file that was removed is back."""
    JOB_SUBMITTED = "job:submitted"
    """A job was asked for."""
    JOB_CANCELLED = "job:cancelled"
    """A job's end was asked for."""
    JOB_DELETED = "job:deleted"
    """A job was removed."""
    JOB_RESTORED = "job:restored"
    """A job that was removed is back."""
    JOB_SHARED = "job:shared"
    """Somebody else may see a job."""
    JOB_UNSHARED = "job:unshared"
    """Somebody else may see a job no longer."""
    NOTIFICATIONS_CHANGED = "notifications:changed"
    """Where news of jobs is sent was changed."""
    UNIT_PREPARED = "unit:prepared"
    """A computing unit was announced."""
    UNIT_REGISTERED = "unit:registered"
    """A computing unit was registered."""
    UNIT_CHANGED = "unit:changed"
    """A computing unit got another name, or became the default."""
    UNIT_REMOVED = "unit:removed"
    """A computing unit was removed."""


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


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """An event with its number: those after it have a greater one."""

    number: int
    event: AuditEvent


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which events are wanted; what is None is not asked for. `since` is the first moment, `until` the first after."""

    account_id: str | None = None
    action: AuditAction | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)
