"""Everybody's jobs, as administrators see them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, func, select

from cloudmr.database.tables import accounts, jobs, units
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.model.overview import FailedJob, OpenJob

_OPEN = tuple(sorted(set(JobState) - END_STATES))
_FAILED = (JobState.FAILED, JobState.TIMED_OUT)
_WHERE_AND_WHOSE = (
    jobs.c.id.label("job_id"),
    jobs.c.owner_id,
    accounts.c.email.label("owner_email"),
    jobs.c.unit_id,
    units.c.alias.label("unit_alias"),
    jobs.c.state,
    jobs.c.attempt,
)


class JobOverview:
    """The overview, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, *, limit: int, before: str | None = None) -> list[OpenJob]:
        """Return jobs that have not ended, the latest first, those before an id."""
        columns = (
            jobs.c.created_at,
            jobs.c.deadline_at,
            jobs.c.dispatched_at,
            jobs.c.cancel_requested_at,
            jobs.c.waiting_reason,
        )
        query = _query(columns, jobs.c.state.in_(_OPEN), before)
        return [OpenJob(**row) for row in self._connection.execute(query.limit(limit)).mappings()]

    def failed(self, *, since: datetime, limit: int, before: str | None = None) -> list[FailedJob]:
        """Return jobs that ended without success since a moment, the latest first, those before an id."""
        columns = (
            jobs.c.ended_at,
            jobs.c.failure_code.label("code"),
            jobs.c.failure_message.label("message"),
            jobs.c.failure_next_step.label("next_step"),
        )
        query = _query(columns, jobs.c.state.in_(_FAILED) & (jobs.c.ended_at >= since), before)
        return [FailedJob(**row) for row in self._connection.execute(query.limit(limit)).mappings()]

    def count_failures(self, *, since: datetime) -> dict[str, int]:
        """Return how many jobs ended without success since a moment, by cause, the most frequent first."""
        number = func.count().label("number")
        query = (
            select(jobs.c.failure_code, number)
            .where(jobs.c.state.in_(_FAILED), jobs.c.ended_at >= since)
            .group_by(jobs.c.failure_code)
            .order_by(number.desc(), jobs.c.failure_code)
        )
        return {row.failure_code: row.number for row in self._connection.execute(query)}


def _query(
    columns: tuple[ColumnElement[object], ...], condition: ColumnElement[bool], before: str | None
) -> Select[object]:
    source = jobs.join(accounts, accounts.c.id == jobs.c.owner_id).join(units, units.c.id == jobs.c.unit_id)
    query = select(*_WHERE_AND_WHOSE, *columns).select_from(source).where(condition)
    if before is not None:
        query = query.where(jobs.c.id < before)
    return query.order_by(jobs.c.id.desc())
