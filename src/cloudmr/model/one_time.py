"""Secrets that are good once: in the links of mails, which only the owner of an e-mail address can open."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cloudmr.errors import NotAllowed
from cloudmr.model.instants import require_utc


class Purpose(StrEnum):
    """What a one-time secret is good for."""

    CONFIRM = "confirm"
    """To confirm the e-mail address of a new account."""
    RESET = "reset"
    """To choose another password."""


LIFETIME = {Purpose.CONFIRM: timedelta(days=3), Purpose.RESET: timedelta(hours=1)}


@dataclass(frozen=True, kw_only=True)
class OneTimeToken:
    """The record of a one-time secret, of which only a hash is kept."""

    id: str
    account_id: str
    purpose: Purpose
    secret_hash: str = field(repr=False)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)

    def is_good_for(self, purpose: Purpose, *, now: datetime) -> bool:
        """Tell whether it was made for this, is not used and has not expired."""
        return self.purpose is purpose and self.used_at is None and now < self.expires_at


def not_good(purpose: Purpose) -> NotAllowed:
    """Return the refusal of a secret that is unknown, used or expired: which of the three is nobody's business."""
    ask = {
        Purpose.CONFIRM: "Ask for another mail with a link, and use the latest one.",
        Purpose.RESET: "Ask for the password to be reset once more, and use the latest mail.",
    }[purpose]
    return NotAllowed("This link is not good, was used before, or has expired.", ask, code="link_not_good")
