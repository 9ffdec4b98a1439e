"""How much of the shared place one person gets."""

from __future__ import annotations

from collections.abc import Collection

from cloudmr.database.base import Transaction
from cloudmr.model.limits import Limits
from cloudmr.services.brain import Brain


def limits_of(brain: Brain, transaction: Transaction, account_id: str) -> Limits:
    """Return a person's limits: the operator's, but where an administrator set others for this person."""
    return transaction.allowances.of(account_id).applied_to(brain.limits)


def limits_of_each(brain: Brain, transaction: Transaction, account_ids: Collection[str]) -> dict[str, Limits]:
    """Return the limits of these people, by id."""
    set_apart = transaction.allowances.of_each(account_ids)
    return {
        account_id: set_apart[account_id].applied_to(brain.limits) if account_id in set_apart else brain.limits
        for account_id in account_ids
    }
