"""Writing down who did what, in the transaction in which it is done."""

from __future__ import annotations

from cloudmr.database.base import Transaction
from cloudmr.model.audit import MAX_REASON_LENGTH, AuditAction, AuditEvent
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain


def audit(
    brain: Brain,
    transaction: Transaction,
    caller: Caller,
    action: AuditAction,
    *,
    target: str | None = None,
    account_id: str | None = None,
    reason: str | None = None,
) -> None:
    """Write down that the caller did something to `target`, the id of a thing.

    It stands in the caller's own trail unless `account_id` says whose thing it was.
    """
    transaction.accounts.audit(
        AuditEvent(
            account_id=account_id or caller.id,
            at=brain.now(),
            action=action,
            actor_id=caller.id,
            address=caller.address,
            token_id=caller.token_id,
            target=target,
            reason=_one_line(reason) if reason else None,
        )
    )


def _one_line(text: str) -> str:
    """Return what somebody wrote without what could look like another entry where the trail is shown."""
    return "".join(character if character.isprintable() else " " for character in text)[:MAX_REASON_LENGTH]
