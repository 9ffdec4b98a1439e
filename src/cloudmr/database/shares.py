"""Who may look at whose jobs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, insert, select, update

from cloudmr.database.tables import accounts, job_shares, jobs
from cloudmr.model.people import AccountStatus
from cloudmr.model.shares import JobShare


class Shares:
    """The shares, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, share: JobShare) -> None:
        """Keep a new share."""
        self._connection.execute(insert(job_shares).values(**vars(share)))

    def of_job(self, job_id: str, *, now: datetime) -> list[JobShare]:
        """Return the shares of a job that are in force, the latest first."""
        query = select(job_shares).where(job_shares.c.job_id == job_id, _in_force(now))
        return [JobShare(**row) for row in self._connection.execute(query.order_by(job_shares.c.id.desc())).mappings()]

    def by_hash(self, secret_hash: str) -> JobShare | None:
        """Return the share whose link has a secret of that hash."""
        query = select(job_shares).where(job_shares.c.secret_hash == secret_hash)
        row = self._connection.execute(query).mappings().one_or_none()
        return JobShare(**row) if row else None

    def is_shared_with(self, job_id: str, account_id: str, *, now: datetime) -> bool:
        """Tell whether a job was shared with a person."""
        query = select(
            exists()
            .select_from(_WITH_PERSON)
            .where(job_shares.c.job_id == job_id, accounts.c.id == account_id, _FOR_THEM, _in_force(now))
        )
        return self._connection.execute(query).scalar_one()

    def shared_with(self, account_id: str, *, now: datetime, limit: int, before: str | None = None) -> list[JobShare]:
        """Return what was shared with a person and is still there, the latest share first, those before an id."""
        query = (
            select(job_shares)
            .select_from(_WITH_PERSON.join(jobs, jobs.c.id == job_shares.c.job_id))
            .where(accounts.c.id == account_id, _FOR_THEM, _in_force(now), jobs.c.deleted_at.is_(None))
        )
        if before is not None:
            query = query.where(job_shares.c.id < before)
        rows = self._connection.execute(query.order_by(job_shares.c.id.desc()).limit(limit)).mappings()
        return [JobShare(**row) for row in rows]

    def revoke(self, job_id: str, share_id: str | None, *, at: datetime) -> int:
        """End one share of a job, or all of them; return how many were in force."""
        which = (job_shares.c.job_id == job_id) & _in_force(at)
        if share_id is not None:
            which &= job_shares.c.id == share_id
        return self._connection.execute(update(job_shares).where(which).values(revoked_at=at)).rowcount


_WITH_PERSON = job_shares.join(accounts, accounts.c.email == job_shares.c.email)
_FOR_THEM = (accounts.c.status == AccountStatus.ACTIVE) & (accounts.c.created_at <= job_shares.c.created_at)
"""An account that came later may be somebody else's who only took the address."""


def _in_force(now: datetime) -> ColumnElement[bool]:
    return job_shares.c.revoked_at.is_(None) & (job_shares.c.expires_at > now)
