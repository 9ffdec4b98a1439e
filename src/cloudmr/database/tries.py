"""How often something was tried, by a key that tells nobody what it stands for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloudmr.database.errors import AlreadyThere
from cloudmr.database.tables import tries
from cloudmr.model.throttle import Tries


class TriesCount:
    """The counts, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> Tries | None:
        """Return the count for a key."""
        query = select(tries).where(tries.c.key == key)
        row = self._connection.execute(query).mappings().one_or_none()
        return Tries(count=row["count"], since=row["since"]) if row else None

    def put(self, key: str, count: Tries) -> None:
        """Keep the count for a key. Raise `AlreadyThere` where somebody else counted the first one at this moment."""
        known = self._connection.execute(update(tries).where(tries.c.key == key).values(**vars(count)))
        if known.rowcount:
            return
        try:
            self._connection.execute(insert(tries).values(key=key, **vars(count)))
        except IntegrityError as error:
            raise AlreadyThere from error

    def clear(self, key: str) -> None:
        """Forget the count for a key."""
        self._connection.execute(delete(tries).where(tries.c.key == key))

    def forget(self, *, before: datetime) -> int:
        """Remove counts whose window opened before a moment; return how many."""
        return self._connection.execute(delete(tries).where(tries.c.since < before)).rowcount
