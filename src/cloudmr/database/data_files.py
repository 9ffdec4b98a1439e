"""Data files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, exists, func, insert, or_, select, update

from cloudmr.database.tables import data_files, job_inputs, jobs, units
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.expiry import Expiring
from cloudmr.model.jobs import END_STATES
from cloudmr.model.units import Mode

# Put together once: every submission says them.
_BY_KEY = (
    select(data_files)
    .where(
        data_files.c.owner_id == bindparam("owner_id"),
        or_(
            data_files.c.object_key == bindparam("key"),
            data_files.c.object_key.is_(None) & (data_files.c.id == bindparam("data_id")),
        ),
    )
    .order_by(data_files.c.state.in_({DataState.ABORTED, DataState.DELETED}), data_files.c.id.desc())
    .limit(1)
)
_BY_KEY_FOR_CHANGE = _BY_KEY.with_for_update()
_STORED_BYTES = (
    select(func.coalesce(func.sum(data_files.c.size_bytes), 0))
    .select_from(data_files.join(units, units.c.id == data_files.c.unit_id))
    .where(
        data_files.c.owner_id == bindparam("owner_id"),
        data_files.c.purged_at.is_(None),
        or_(
            data_files.c.purge_after.is_(None),
            data_files.c.purge_after > bindparam("now", type_=data_files.c.purge_after.type),
        ),
        units.c.mode == bindparam("mode", type_=units.c.mode.type),
    )
)


class DataFiles:
    """The data files, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, data_file: DataFile) -> None:
        """Keep a new data file."""
        self._connection.execute(insert(data_files).values(**_columns(data_file)))

    def get(self, data_id: str, *, for_change: bool = False) -> DataFile | None:
        """Return the data file of that id; `for_change` keeps others from changing it until this transaction ends."""
        query = select(data_files).where(data_files.c.id == data_id)
        row = self._connection.execute(query.with_for_update() if for_change else query).mappings().one_or_none()
        return _data_file(row) if row else None

    def by_key(self, owner_id: str, key: str, *, for_change: bool = False) -> DataFile | None:
        """Return a person's data file whose object has that key: one that was added, or uploaded under its own id."""
        query = _BY_KEY_FOR_CHANGE if for_change else _BY_KEY
        is_own_name = key.startswith("uploads/")
        values = {"owner_id": owner_id, "key": key, "data_id": key.removeprefix("uploads/") if is_own_name else None}
        found = self._connection.execute(query, values).mappings().one_or_none()
        return _data_file(found) if found else None

    def of_owner(
        self, owner_id: str, *, states: Collection[DataState], limit: int, before: str | None = None
    ) -> list[DataFile]:
        """Return a person's data files, the latest first, those before an id."""
        query = select(data_files).where(data_files.c.owner_id == owner_id, data_files.c.state.in_(states))
        if before is not None:
            query = query.where(data_files.c.id < before)
        rows = self._connection.execute(query.order_by(data_files.c.id.desc()).limit(limit)).mappings()
        return [_data_file(row) for row in rows]

    def restorable(self, owner_id: str, *, now: datetime, limit: int, before: str | None = None) -> list[DataFile]:
        """Return a person's deleted data files that can still be brought back, the latest first, those before an id."""
        query = select(data_files).where(
            data_files.c.owner_id == owner_id,
            data_files.c.state == DataState.DELETED,
            data_files.c.purged_at.is_(None),
            data_files.c.purge_after > now,
        )
        if before is not None:
            query = query.where(data_files.c.id < before)
        rows = self._connection.execute(query.order_by(data_files.c.id.desc()).limit(limit)).mappings()
        return [_data_file(row) for row in rows]

    def stored_bytes(self, owner_id: str, *, mode: Mode, now: datetime) -> int:
        """Return the size of a person's data files in units of this mode: complete, on their way, still restorable."""
        values = {"owner_id": owner_id, "now": now, "mode": mode}
        return int(self._connection.execute(_STORED_BYTES, values).scalar_one())

    def replace(self, before: DataFile, after: DataFile) -> bool:
        """Write `after` if the file still stands where `before` says; tell whether it did."""
        old = _columns(before)
        changed = {name: value for name, value in _columns(after).items() if value != old[name]}
        if not changed:
            return True
        same = (data_files.c.id == before.id) & (data_files.c.state == before.state)
        return self._connection.execute(update(data_files).where(same).values(**changed)).rowcount == 1

    def is_in_use(self, data_id: str) -> bool:
        """Tell whether a job that has not ended reads this file."""
        inputs = job_inputs.join(jobs, jobs.c.id == job_inputs.c.job_id)
        query = select(
            exists().select_from(inputs).where(job_inputs.c.data_id == data_id, jobs.c.state.not_in(END_STATES))
        )
        return self._connection.execute(query).scalar_one()

    def n_uploading(self) -> int:
        """Return how many uploads have begun and not ended."""
        query = select(func.count()).where(data_files.c.state == DataState.UPLOADING)
        return self._connection.execute(query).scalar_one()

    def uploading_since(self, *, before: datetime) -> list[DataFile]:
        """Return files whose upload began before a moment and has not ended."""
        query = select(data_files).where(data_files.c.state == DataState.UPLOADING, data_files.c.created_at < before)
        return [_data_file(row) for row in self._connection.execute(query).mappings()]

    def to_expire(self, *, now: datetime, limit: int) -> list[DataFile]:
        """Return complete files whose time is up and that no open job reads."""
        readers = job_inputs.join(jobs, jobs.c.id == job_inputs.c.job_id)
        is_read = exists(
            select(job_inputs.c.data_id)
            .select_from(readers)
            .where(job_inputs.c.data_id == data_files.c.id, jobs.c.state.not_in(END_STATES))
        )
        query = select(data_files).where(
            data_files.c.purged_at.is_(None),
            data_files.c.purge_after.is_(None),
            data_files.c.expires_at <= now,
            data_files.c.state == DataState.READY,
            ~is_read,
        )
        return [_data_file(row) for row in self._connection.execute(query.limit(limit)).mappings()]

    def expiring(self, *, after: datetime, until: datetime) -> list[Expiring]:
        """Return complete files whose time is up after a moment, and until another one at the latest."""
        query = select(data_files.c.id, data_files.c.owner_id, data_files.c.expires_at, data_files.c.size_bytes).where(
            data_files.c.purged_at.is_(None),
            data_files.c.purge_after.is_(None),
            data_files.c.expires_at > after,
            data_files.c.expires_at <= until,
            data_files.c.state == DataState.READY,
        )
        return [Expiring(**row) for row in self._connection.execute(query).mappings()]

    def to_purge(self, *, now: datetime, limit: int) -> list[DataFile]:
        """Return aborted and deleted files that can no longer be brought back and whose objects are still there."""
        query = select(data_files).where(data_files.c.purged_at.is_(None), data_files.c.purge_after <= now)
        return [_data_file(row) for row in self._connection.execute(query.limit(limit)).mappings()]


_SIZES = tuple(field.name for field in fields(AcquisitionSize))


def _columns(data_file: DataFile) -> dict[str, Any]:
    """Return the columns of a data file's row."""
    values = {name: value for name, value in vars(data_file).items() if name != "acquisition"}
    size = data_file.acquisition
    return values | {f"acquisition_{name}": size and getattr(size, name) for name in _SIZES}


def _data_file(row: RowMapping) -> DataFile:
    """Return the data file in a row."""
    values = {name: value for name, value in row.items() if not name.startswith("acquisition_")}
    if row["acquisition_n_coils"] is not None:
        values["acquisition"] = AcquisitionSize(**{name: row[f"acquisition_{name}"] for name in _SIZES})
    return DataFile(**values)
