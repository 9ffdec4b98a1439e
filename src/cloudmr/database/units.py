"""Computing units."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from cloudmr.database.tables import units
from cloudmr.model.units import ComputingUnit, Provider

# Put together once: every submission says them.
_BY_IDS = select(units).where(units.c.id.in_(bindparam("unit_ids", expanding=True)))
_OPEN_TO = (
    select(units)
    .where(or_(units.c.owner_id.is_(None), units.c.owner_id == bindparam("person_id")), units.c.removed_at.is_(None))
    .order_by(units.c.mode, units.c.id)
)


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
        return self._get(unit_id, for_change=False)

    def get_for_change(self, unit_id: str) -> ComputingUnit | None:
        """Return the unit of that id, and keep others from changing it until this transaction ends."""
        return self._get(unit_id, for_change=True)

    def by_ids(self, unit_ids: Collection[str]) -> list[ComputingUnit]:
        """Return the units of these ids."""
        rows = self._connection.execute(_BY_IDS, {"unit_ids": list(unit_ids)}).mappings()
        return [ComputingUnit(**row) for row in rows]

    def open_to(self, person_id: str, *, app_name: str | None = None) -> list[ComputingUnit]:
        """Return the units a person may use, the shared ones first, each in the order they came."""
        rows = self._connection.execute(_OPEN_TO, {"person_id": person_id}).mappings()
        return [ComputingUnit(**row) for row in rows if app_name in {None, row["app_name"]}]

    def on_this_machine(self) -> ComputingUnit | None:
        """Return the shared unit that has no account in a cloud: the Brain's own machine."""
        query = select(units).where(
            units.c.provider == Provider.CLOUDMRHUB, units.c.aws_account_id.is_(None), units.c.removed_at.is_(None)
        )
        row = self._connection.execute(query.order_by(units.c.id).limit(1)).mappings().one_or_none()
        return ComputingUnit(**row) if row else None

    def with_state_machine(self, arn: str) -> list[ComputingUnit]:
        """Return the units of anybody that say that this state machine is theirs."""
        query = select(units).where(units.c.state_machine_arn == arn, units.c.removed_at.is_(None))
        rows = self._connection.execute(query.order_by(units.c.id)).mappings()
        return [ComputingUnit(**row) for row in rows]

    def with_any_of(self, *, role_arn: str, buckets: Collection[str]) -> list[ComputingUnit]:
        """Return the units of anybody that say that this role or one of these buckets is theirs."""
        is_theirs = or_(
            units.c.cross_account_role_arn == role_arn,
            units.c.data_bucket.in_(buckets),
            units.c.results_bucket.in_(buckets),
            units.c.failed_bucket.in_(buckets),
        )
        rows = self._connection.execute(select(units).where(is_theirs, units.c.removed_at.is_(None))).mappings()
        return [ComputingUnit(**row) for row in rows]

    def registered_with(self, token_id: str) -> ComputingUnit | None:
        """Return the unit that was registered with a token, one that is worth a single registration."""
        query = select(units).where(units.c.registration_token_id == token_id)
        row = self._connection.execute(query).mappings().one_or_none()
        return ComputingUnit(**row) if row else None

    def default_of(self, owner_id: str) -> ComputingUnit | None:
        """Return a person's default unit."""
        query = select(units).where(units.c.owner_id == owner_id, units.c.is_default, units.c.removed_at.is_(None))
        row = self._connection.execute(query).mappings().one_or_none()
        return ComputingUnit(**row) if row else None

    def make_default(self, owner_id: str, unit_id: str | None) -> None:
        """Make a unit its owner's default in place of the one that was; None: nobody's unit is."""
        mine = units.c.owner_id == owner_id
        self._connection.execute(update(units).where(mine, units.c.is_default).values(is_default=False))
        if unit_id is not None:
            self._connection.execute(update(units).where(mine, units.c.id == unit_id).values(is_default=True))

    def count_by_status(self) -> dict[tuple[str, str], int]:
        """Return how many units there are, by mode and status."""
        query = select(units.c.mode, units.c.status, func.count()).where(units.c.removed_at.is_(None))
        rows = self._connection.execute(query.group_by(units.c.mode, units.c.status))
        return {(mode.value, status.value): n for mode, status, n in rows}

    def _get(self, unit_id: str, *, for_change: bool) -> ComputingUnit | None:
        query = select(units).where(units.c.id == unit_id)
        row = self._connection.execute(query.with_for_update() if for_change else query).mappings().one_or_none()
        return ComputingUnit(**row) if row else None
