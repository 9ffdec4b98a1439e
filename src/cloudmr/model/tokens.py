"""Access tokens: a random secret shown once, of which only a hash is kept, with a purpose and an end."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cloudmr.errors import NotAllowed, NotSignedIn
from cloudmr.model.ids import Entropy
from cloudmr.model.instants import require_utc

ACCESS_LIFETIME = timedelta(hours=12)
REFRESH_LIFETIME = timedelta(days=30)
_SECRET_BYTES = 32


class Scope(StrEnum):
    """What a token is good for."""

    ACCOUNT = "account"
    """Everything its owner may do; only signing in gives it."""
    REFRESH = "refresh"
    """Nothing but a new pair of tokens; only signing in gives it."""
    READ = "read"
    """To look at what is there."""
    JOB_WRITE = "job:write"
    """To upload data and to run jobs; includes to look."""
    UNIT_REGISTER = "unit:register"
    """To register a computing unit, once."""


_INCLUDES = {
    Scope.ACCOUNT: frozenset({Scope.ACCOUNT, Scope.READ, Scope.JOB_WRITE, Scope.UNIT_REGISTER}),
    Scope.JOB_WRITE: frozenset({Scope.JOB_WRITE, Scope.READ}),
}


@dataclass(frozen=True, kw_only=True)
class Token:
    """The record of a token. Tokens of one sign-in share its `session_id` and end together.

    A personal token has a `name` and a session of its own. One for a registration is spent by it.
    """

    id: str
    owner_id: str
    session_id: str
    secret_hash: str = field(repr=False)
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    name: str | None = None
    spent_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)

    def require(self, scope: Scope, *, now: datetime) -> None:
        """Raise `NotSignedIn` if the token has ended, `NotAllowed` if it is not good for `scope`."""
        if self.revoked_at is not None or now >= self.expires_at:
            raise NotSignedIn("The access token has expired or was revoked.", "Sign in again.", code="token_expired")
        if scope not in _INCLUDES.get(self.scope, frozenset({self.scope})):
            raise NotAllowed(
                f"This token is good for {self.scope}, and not for {scope}.",
                "Use a token with the right scope.",
                code="wrong_scope",
            )


def new_secret(entropy: Entropy) -> str:
    """Return a new token as its owner holds it: `cmr_`, then 256 random bits in base 32."""
    return "cmr_" + base64.b32encode(entropy(_SECRET_BYTES)).decode().rstrip("=").lower()


def secret_hash(secret: str) -> str:
    """Return what is kept of a token. It is random enough that a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()
