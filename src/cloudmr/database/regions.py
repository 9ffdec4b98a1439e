"""Regions of interest."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update

from cloudmr.database.tables import regions
from cloudmr.model.regions import Region


class Regions:
    """The regions, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, region: Region) -> None:
        """Keep a new region."""
        self._connection.execute(insert(regions).values(**vars(region)))

    def replace(self, region: Region) -> None:
        """Write what a region is now."""
        self._connection.execute(update(regions).where(regions.c.id == region.id).values(**vars(region)))

    def get(self, region_id: str) -> Region | None:
        """Return the region of that id."""
        row = self._connection.execute(select(regions).where(regions.c.id == region_id)).mappings().one_or_none()
        return Region(**row) if row else None

    def of_job(self, job_id: str) -> list[Region]:
        """Return the regions of a job that were not deleted, the oldest first."""
        query = select(regions).where(regions.c.job_id == job_id, regions.c.deleted_at.is_(None))
        return [Region(**row) for row in self._connection.execute(query.order_by(regions.c.id)).mappings()]

    def n_of_job(self, job_id: str) -> int:
        """Return how many regions a job has."""
        query = select(func.count()).where(regions.c.job_id == job_id, regions.c.deleted_at.is_(None))
        return self._connection.execute(query).scalar_one()

    def to_purge(self, *, limit: int) -> list[Region]:
        """Return deleted regions whose masks are still in storage."""
        query = select(regions).where(regions.c.deleted_at.is_not(None), regions.c.purged_at.is_(None))
        return [Region(**row) for row in self._connection.execute(query.limit(limit)).mappings()]
