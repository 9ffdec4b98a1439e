"""Computing units."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, insert, or_, select, update

from cloudmr.database.tables import units
from cloudmr.model.units import ComputingUnit, Provider


class Units:
    """The units, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, unit: ComputingUnit) -> None:
        """Keep a new unit."""
        self._connection.execute(insert(units).values(**vars(unit)))

    def replace(self, unit: ComputingUnit) -> None:
        """Write what a unit is now."""
        self._connection.execute(update(units).where(units.c.id == unit.id).values(**vars(unit)))

    def get(self, unit_id: str) -> ComputingUnit | None:
        """Return the unit of that id."""
        row = self._connection.execute(select(units).where(units.c.id == unit_id)).mappings().one_or_none()
        return ComputingUnit(**row) if row else None

    def by_ids(self, unit_ids: Collection[str]) -> list[ComputingUnit]:
        """Return the units of these ids."""
        rows = self._connection.execute(select(units).where(units.c.id.in_(unit_ids))).mappings()
        return [ComputingUnit(**row) for row in rows]

    def open_to(self, person_id: str, *, app_name: str | None = None) -> list[ComputingUnit]:
        """Return the units a person may use, the shared ones first, each in the order they came."""
        query = select(units).where(or_(units.c.owner_id.is_(None), units.c.owner_id == person_id))
        if app_name is not None:
            query = query.where(units.c.app_name == app_name)
        rows = self._connection.execute(query.order_by(units.c.mode, units.c.id)).mappings()
        return [ComputingUnit(**row) for row in rows]

    def on_this_machine(self) -> ComputingUnit | None:
        """Return the shared unit that has no account in a cloud: the Brain's own machine."""
        query = select(units).where(units.c.provider == Provider.CLOUDMRHUB, units.c.aws_account_id.is_(None))
        row = self._connection.execute(query.order_by(units.c.id).limit(1)).mappings().one_or_none()
        return ComputingUnit(**row) if row else None
