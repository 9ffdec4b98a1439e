"""One-time secrets, as hashes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from cloudmr.database.tables import one_time_tokens
from cloudmr.model.one_time import OneTimeToken


class OneTimeTokens:
    """The one-time tokens, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: OneTimeToken) -> None:
        """Keep a new token."""
        self._connection.execute(insert(one_time_tokens).values(**vars(token)))

    def by_hash(self, secret_hash: str) -> OneTimeToken | None:
        """Return the token whose secret has that hash."""
        query = select(one_time_tokens).where(one_time_tokens.c.secret_hash == secret_hash)
        row = self._connection.execute(query).mappings().one_or_none()
        return OneTimeToken(**row) if row else None

    def use_all_of(self, account_id: str, *, at: datetime) -> int:
        """Use up every one-time token of an account, so that no older mail is good for anything; return how many."""
        unused = (one_time_tokens.c.account_id == account_id) & one_time_tokens.c.used_at.is_(None)
        return self._connection.execute(update(one_time_tokens).where(unused).values(used_at=at)).rowcount

    def forget_expired(self, *, before: datetime) -> int:
        """Remove tokens that expired before a moment; return how many."""
        return self._connection.execute(delete(one_time_tokens).where(one_time_tokens.c.expires_at < before)).rowcount
