"""A person's own account."""

from __future__ import annotations

from cloudmr.errors import NotFound
from cloudmr.model.people import Account, Caller
from cloudmr.services.brain import Brain


def get_profile(brain: Brain, caller: Caller) -> Account:
    """Return the caller's account."""
    with brain.database.read() as transaction:
        account = transaction.accounts.get(caller.id)
    if account is None:
        raise NotFound("account")
    return account
