"""Access tokens, as hashes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from cloudmr.database.tables import tokens
from cloudmr.model.tokens import Token

# Put together once: every request says it.
_BY_HASH = select(tokens).where(tokens.c.secret_hash == bindparam("secret_hash"))


class Tokens:
    """The tokens, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: Iterable[Token]) -> None:
        """Keep new tokens."""
        self._connection.execute(insert(tokens), [vars(token) for token in new])

    def by_hash(self, secret_hash: str) -> Token | None:
        """Return the token whose secret has that hash."""
        row = self._connection.execute(_BY_HASH, {"secret_hash": secret_hash}).mappings().one_or_none()
        return Token(**row) if row else None

    def get(self, token_id: str) -> Token | None:
        """Return the token of that id."""
        row = self._connection.execute(select(tokens).where(tokens.c.id == token_id)).mappings().one_or_none()
        return Token(**row) if row else None

    def touch(self, token_id: str, *, at: datetime) -> None:
        """Remember when a token was last used."""
        self._connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))

    def spend(self, token_id: str, *, at: datetime) -> bool:
        """Use up a token that is good once; tell whether it was not used up before."""
        unspent = (tokens.c.id == token_id) & tokens.c.spent_at.is_(None)
        return self._connection.execute(update(tokens).where(unspent).values(spent_at=at)).rowcount == 1

    def personal_of(self, owner_id: str) -> list[Token]:
        """Return a person's personal tokens that were not revoked, expired ones too, the latest first."""
        query = select(tokens).where(
            tokens.c.owner_id == owner_id, tokens.c.name.is_not(None), tokens.c.revoked_at.is_(None)
        )
        return [Token(**row) for row in self._connection.execute(query.order_by(tokens.c.id.desc())).mappings()]

    def revoke(self, token_id: str, *, at: datetime) -> bool:
        """End one token; tell whether it was in force."""
        in_force = (tokens.c.id == token_id) & tokens.c.revoked_at.is_(None)
        return self._connection.execute(update(tokens).where(in_force).values(revoked_at=at)).rowcount == 1

    def revoke_all_of(self, owner_id: str, *, at: datetime) -> int:
        """End every token of a person; return how many."""
        in_force = (tokens.c.owner_id == owner_id) & tokens.c.revoked_at.is_(None)
        return self._connection.execute(update(tokens).where(in_force).values(revoked_at=at)).rowcount

    def revoke_sessions_of(self, owner_id: str, *, at: datetime, but_session: str | None = None) -> int:
        """End every session of a person, or all but one; personal tokens stay. Return how many tokens ended."""
        in_force = (tokens.c.owner_id == owner_id) & tokens.c.revoked_at.is_(None) & tokens.c.name.is_(None)
        if but_session is not None:
            in_force &= tokens.c.session_id != but_session
        return self._connection.execute(update(tokens).where(in_force).values(revoked_at=at)).rowcount

    def revoke_session(self, session_id: str, *, at: datetime) -> bool:
        """End all tokens of one sign-in; tell whether one of them was still in force."""
        in_force = (tokens.c.session_id == session_id) & tokens.c.revoked_at.is_(None)
        return self._connection.execute(update(tokens).where(in_force).values(revoked_at=at)).rowcount > 0

    def forget_expired(self, *, before: datetime) -> int:
        """Remove tokens that expired before a moment; return how many."""
        return self._connection.execute(delete(tokens).where(tokens.c.expires_at < before)).rowcount
