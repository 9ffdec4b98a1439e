"""Computing units that were announced, registered since or not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from cloudmr.database.tables import unit_preparations
from cloudmr.model.registration import Preparation


class Preparations:
    """The announcements, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, preparation: Preparation) -> None:
        """Keep a new announcement."""
        self._connection.execute(insert(unit_preparations).values(**vars(preparation)))

    def get(self, unit_id: str) -> Preparation | None:
        """Return the announcement of the unit of that id."""
        query = select(unit_preparations).where(unit_preparations.c.unit_id == unit_id)
        row = self._connection.execute(query).mappings().one_or_none()
        return Preparation(**row) if row else None

    def open_for(self, owner_id: str, *, aws_account_id: str, region: str, since: datetime) -> Preparation | None:
        """Return a person's latest announcement for an account and region that no unit was registered for yet."""
        query = (
            select(unit_preparations)
            .where(
                unit_preparations.c.owner_id == owner_id,
                unit_preparations.c.aws_account_id == aws_account_id,
                unit_preparations.c.region == region,
                unit_preparations.c.registered_at.is_(None),
                unit_preparations.c.created_at >= since,
            )
            .order_by(unit_preparations.c.unit_id.desc())
        )
        row = self._connection.execute(query.limit(1)).mappings().one_or_none()
        return Preparation(**row) if row else None

    def mark_registered(self, unit_id: str, *, at: datetime) -> None:
        """Write down that the announced unit was registered."""
        statement = update(unit_preparations).where(unit_preparations.c.unit_id == unit_id)
        self._connection.execute(statement.values(registered_at=at))

    def forget_unregistered(self, *, before: datetime) -> int:
        """Remove announcements from before a moment that came to nothing; return how many."""
        old = unit_preparations.c.created_at < before
        nothing = unit_preparations.c.registered_at.is_(None)
        return self._connection.execute(delete(unit_preparations).where(old, nothing)).rowcount
