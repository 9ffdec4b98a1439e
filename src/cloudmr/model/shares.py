"""A permission to look at a job: for one person, or for whoever has a link. It ends by itself."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cloudmr.errors import InvalidRequest
from cloudmr.model.ids import Entropy
from cloudmr.model.instants import require_utc

DEFAULT_DAYS = 14
MOST_DAYS = 365
_SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class JobShare:
    """One permission: to the person of that e-mail address, or, by its secret, of which a hash is kept, to anybody."""

    id: str
    job_id: str
    owner_id: str
    email: str | None
    secret_hash: str | None = field(repr=False)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)
        if (self.email is None) == (self.secret_hash is None):
            raise ValueError("a share is for a person or for a link, never for both")

    def is_in_force(self, *, now: datetime) -> bool:
        """Tell whether it still lets anybody in."""
        return self.revoked_at is None and now < self.expires_at


def lifetime(days: int | None) -> timedelta:
    """Return how long a share lasts. Raises `InvalidRequest` for less than a day and more than a year."""
    days = DEFAULT_DAYS if days is None else days
    if not 1 <= days <= MOST_DAYS:
        raise InvalidRequest(f"A job is shared for 1 to {MOST_DAYS} days, not {days}.", "Give another number of days.")
    return timedelta(days=days)


def new_share_secret(entropy: Entropy) -> str:
    """Return the secret of a link: `cmrshare_`, then 256 random bits in base 32."""
    return "cmrshare_" + base64.b32encode(entropy(_SECRET_BYTES)).decode().rstrip("=").lower()


def share_secret_hash(secret: str) -> str:
    """Return what is kept of it. It is random enough that a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()
