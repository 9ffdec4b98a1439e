"""Messages leave the outbox: each at least once, tried again as long as that is worth it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from cloudmr.delivery.base import NotDelivered, Parcel
from cloudmr.model.messages import (
    SECRET_PLACE,
    Posted,
    derive_one_time_secret,
    derive_webhook_secret,
    next_try,
)
from cloudmr.services.brain import Brain

_log = logging.getLogger(__name__)
_AT_ONCE = 8
"""One receiver that does not answer keeps no other from its messages."""
_KEPT_FROM_OTHERS = timedelta(minutes=5)
"""Longer than a try may take; a Brain that ended in between leaves the message to the next try."""
_MAX_REASON_LENGTH = 255


def deliver_messages(brain: Brain) -> int:
    """Try to deliver every message that is due; return how many those were.

    A Brain that ends between a delivery and its note delivers once more: the receiver knows it by its name.
    """
    now = brain.now()
    with brain.database.write() as transaction:
        due = transaction.outbox.claim_due(now=now, until=now + _KEPT_FROM_OTHERS, limit=_AT_ONCE)
    if due:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cloudmr-delivery") as threads:
            list(threads.map(lambda posted: _deliver(brain, posted), due))
    if len(due) == _AT_ONCE:
        brain.outbox_alarm.set()
    return len(due)


def _deliver(brain: Brain, posted: Posted) -> None:
    message = posted.message
    if message.not_after is not None and brain.now() >= message.not_after:
        return _give_up(brain, posted, "it came too late")
    try:
        brain.carriers[message.kind].carry(_parcel(brain, posted))
    except NotDelivered as failure:
        return _failed(brain, posted, failure)
    except Exception:
        # Whatever is wrong with this one, the others go.
        _log.exception("message %d could not be delivered", posted.number)
        return _failed(brain, posted, NotDelivered("something went wrong inside CloudMR Brain"))
    with brain.database.write() as transaction:
        transaction.outbox.done(posted, at=brain.now())
    return None


def _parcel(brain: Brain, posted: Posted) -> Parcel:
    message = posted.message
    body = message.body
    if message.secret_name is not None:
        body = body.replace(SECRET_PLACE, derive_one_time_secret(brain.secret_key, message.secret_name))
    return Parcel(
        name=message.name,
        target=message.target,
        subject=message.subject,
        body=body,
        at=brain.now(),
        secret=derive_webhook_secret(brain.secret_key, message.account_id),
    )


def _failed(brain: Brain, posted: Posted, failure: NotDelivered) -> None:
    due_at = None if failure.is_final else next_try(posted, now=brain.now())
    if due_at is None:
        return _give_up(brain, posted, failure.reason)
    _log.info("message %d (%s) is tried again: %s", posted.number, posted.message.kind, failure.reason)
    with brain.database.write() as transaction:
        transaction.outbox.failed(posted, due_at=due_at, failure=failure.reason[:_MAX_REASON_LENGTH])
    return None


def _give_up(brain: Brain, posted: Posted, reason: str) -> None:
    _log.warning("message %d (%s) is given up: %s", posted.number, posted.message.kind, reason)
    with brain.database.write() as transaction:
        transaction.outbox.done(posted, at=brain.now(), failure=reason[:_MAX_REASON_LENGTH])
