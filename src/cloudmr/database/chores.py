"""What is done now and then by one of the Brains, whichever comes first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from cloudmr.database.tables import chores


class Chores:
    """The chores, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due_at(self, name: str) -> datetime | None:
        """Return when a chore is due, None for one that was never done."""
        due_at: datetime | None = self._connection.execute(
            select(chores.c.due_at).where(chores.c.name == name)
        ).scalar_one_or_none()
        return due_at

    def claim(self, name: str, *, now: datetime, until: datetime) -> bool:
        """Tell whether a chore is due; if so it is the caller's, and not due before `until`."""
        due_at = self.due_at(name)
        if due_at is None:
            # No other Brain can have done so in between: a transaction is alone in writing.
            self._connection.execute(insert(chores).values(name=name, due_at=until))
            return True
        if due_at > now:
            return False
        self._connection.execute(update(chores).where(chores.c.name == name).values(due_at=until))
        return True
