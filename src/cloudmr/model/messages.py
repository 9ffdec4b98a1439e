"""Messages to people and to their programs: what is written, and when a failed delivery is tried again."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cloudmr.model.instants import require_utc

SECRET_PLACE = "{secret}"  # noqa: S105 - where one goes, not one
"""In the body of a message that has a `secret_name`: here the secret stands when the message is delivered."""
MAX_SUBJECT_LENGTH = 255
MAX_TARGET_LENGTH = 2048
_FIRST_DELAY = timedelta(seconds=30)
_LONGEST_DELAY = timedelta(hours=4)
_MAX_TRIES = 12
"""With these delays a message is given up after about a day."""


class MessageKind(StrEnum):
    """How a message goes."""

    MAIL = "mail"
    """To an e-mail address."""
    WEBHOOK = "webhook"
    """As a POST to an address in the web; the body is JSON."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message.

    `target` is an e-mail address or a URL. A second message with the same `dedupe_key` is the first one, and not
    delivered again. `account_id` is whose message it is: it goes when the account does, and a webhook is signed with
    that account's secret. After `not_after` it is worth nothing any more.

    A body is kept until it is delivered, and so holds no secret: one that must carry a one-time secret names it in
    `secret_name`, and has `SECRET_PLACE` where it belongs.
    """

    account_id: str
    kind: MessageKind
    target: str
    subject: str
    body: str = field(repr=False)
    dedupe_key: str
    not_after: datetime | None = None
    secret_name: str | None = None

    def __post_init__(self) -> None:
        require_utc(self)
        if not 0 < len(self.target) <= MAX_TARGET_LENGTH or len(self.subject) > MAX_SUBJECT_LENGTH:
            raise ValueError("a message has a target and a short subject")
        if not (self.target + self.subject).isprintable():
            raise ValueError("the target and the subject of a message are one line each")

    @property
    def name(self) -> str:
        """What a receiver knows the message by: it tells nothing of what the dedupe key is made of."""
        return hashlib.sha256(self.dedupe_key.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A message in the outbox, the `number`th, with the tries of it that failed."""

    number: int
    message: Message
    posted_at: datetime
    n_failed: int

    def __post_init__(self) -> None:
        require_utc(self)


def next_try(posted: Posted, *, now: datetime) -> datetime | None:
    """Return when to try again after one more failure, twice as late each time; None: it is given up."""
    n_failed = posted.n_failed + 1
    at = now + min(_FIRST_DELAY * 2 ** (n_failed - 1), _LONGEST_DELAY)
    is_too_late = posted.message.not_after is not None and at >= posted.message.not_after
    return None if n_failed >= _MAX_TRIES or is_too_late else at


def derive_one_time_secret(secret_key: bytes, name: str) -> str:
    """Return the secret of that name, for a link in a mail: derived, so that only its hash needs to be kept."""
    return hmac.new(secret_key, f"one-time|{name}".encode(), hashlib.sha256).hexdigest()


def derive_webhook_secret(secret_key: bytes, account_id: str) -> str:
    """Return the secret with which an account's webhooks are signed; its owner may see it."""
    return "whsec_" + hmac.new(secret_key, f"webhook|{account_id}".encode(), hashlib.sha256).hexdigest()
