"""Keeping who has an account to ourselves: for nobody's address as much is read and written as for somebody's."""

from __future__ import annotations

from cloudmr.database.base import Transaction
from cloudmr.errors import InvalidRequest
from cloudmr.model.ids import Kind
from cloudmr.model.people import Account, normal_email
from cloudmr.model.throttle import Tries
from cloudmr.services.brain import Brain
from cloudmr.services.throttling import try_key


def find_account(brain: Brain, email: str) -> Account | None:
    """Return the account of an e-mail address, None for nobody's and for what is no address."""
    try:
        email = normal_email(email)
    except InvalidRequest:
        return None
    with brain.database.read() as transaction:
        return transaction.accounts.by_email(email)


def as_if_for_somebody(brain: Brain, transaction: Transaction, *, n_rows: int) -> None:
    """Write as many rows as it takes for somebody: how long an answer takes must not tell whether there is one.

    They are kept with the tries, and forgotten with them: nobody's audit trail is there for anybody to fill.
    """
    for _ in range(n_rows):
        key = try_key("nobody", brain.new_id(Kind.TOKEN))
        transaction.tries.put(key, Tries(count=1, since=brain.now()))
