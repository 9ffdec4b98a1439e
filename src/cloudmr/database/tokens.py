"""Access tokens, as hashes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from cloudmr.database.tables import tokens
from cloudmr.model.tokens import Token


class Tokens:
    """The tokens, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: Iterable[Token]) -> None:
        """Keep new tokens."""
        self._connection.execute(insert(tokens), [vars(token) for token in new])

    def by_hash(self, secret_hash: str) -> Token | None:
        """Return the token whose secret has that hash."""
        query = select(tokens).where(tokens.c.secret_hash == secret_hash)
        row = self._connection.execute(query).mappings().one_or_none()
        return Token(**row) if row else None

    def get(self, token_id: str) -> Token | None:
        """Return the token of that id."""
        row = self._connection.execute(select(tokens).where(tokens.c.id == token_id)).mappings().one_or_none()
        return Token(**row) if row else None

    def touch(self, token_id: str, *, at: datetime) -> None:
        """Remember when a token was last used."""
        self._connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))

    def revoke_session(self, session_id: str, *, at: datetime) -> bool:
        """End all tokens of one sign-in; tell whether one of them was still in force."""
        in_force = (tokens.c.session_id == session_id) & tokens.c.revoked_at.is_(None)
        return self._connection.execute(update(tokens).where(in_force).values(revoked_at=at)).rowcount > 0

    def forget_expired(self, *, before: datetime) -> int:
        """Remove tokens that expired before a moment; return how many."""
        return self._connection.execute(delete(tokens).where(tokens.c.expires_at < before)).rowcount
