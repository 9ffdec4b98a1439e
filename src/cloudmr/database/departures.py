"""What people who left have left behind."""

from __future__ import annotations

from sqlalchemy import Connection, exists, or_, select

from cloudmr.database.tables import accounts, data_files, job_inputs, jobs, units
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import END_STATES

_THERE = (DataState.UPLOADING, DataState.READY)


class Departures:
    """Ids of things to clear away, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unsettled(self, *, limit: int) -> list[str]:
        """Return accounts that were deleted and still have jobs or data files that were not."""
        has_jobs = exists().where(jobs.c.owner_id == accounts.c.id, jobs.c.deleted_at.is_(None))
        has_files = exists().where(data_files.c.owner_id == accounts.c.id, data_files.c.state.in_(_THERE))
        query = select(accounts.c.id).where(accounts.c.deleted_at.is_not(None), or_(has_jobs, has_files))
        return list(self._connection.execute(query.limit(limit)).scalars())

    def jobs_of(self, account_id: str, *, limit: int) -> list[str]:
        """Return jobs of an account that were not deleted."""
        query = select(jobs.c.id).where(jobs.c.owner_id == account_id, jobs.c.deleted_at.is_(None))
        return list(self._connection.execute(query.order_by(jobs.c.id).limit(limit)).scalars())

    def files_of(self, account_id: str, *, limit: int) -> list[str]:
        """Return data files of an account that are there and that no open job reads."""
        is_read = exists().where(
            job_inputs.c.data_id == data_files.c.id, jobs.c.id == job_inputs.c.job_id, jobs.c.state.not_in(END_STATES)
        )
        query = select(data_files.c.id).where(
            data_files.c.owner_id == account_id, data_files.c.state.in_(_THERE), ~is_read
        )
        return list(self._connection.execute(query.limit(limit)).scalars())

    def units_of(self, account_id: str) -> list[str]:
        """Return units of an account that were not removed."""
        query = select(units.c.id).where(units.c.owner_id == account_id, units.c.removed_at.is_(None))
        return list(self._connection.execute(query).scalars())
