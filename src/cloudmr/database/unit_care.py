"""When computing units are looked at, and what was found there the last time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from cloudmr.database.tables import unit_care, unit_findings, units
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.unit_health import Care

# Put together once: every round of the dispatcher says it.
_DOUBTED = select(unit_care.c.unit_id).where(
    unit_care.c.unit_id.in_(bindparam("unit_ids", expanding=True)), unit_care.c.doubted_at.is_not(None)
)


class UnitCare:
    """When to look, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, care: Care) -> None:
        """Keep when to look at a unit, in place of what was known."""
        changed = self._connection.execute(
            update(unit_care).where(unit_care.c.unit_id == care.unit_id).values(**vars(care))
        )
        if not changed.rowcount:
            self._connection.execute(insert(unit_care).values(**vars(care)))

    def get(self, unit_id: str) -> Care | None:
        """Return when a unit is looked at, and keep others from changing that until this transaction ends."""
        query = select(unit_care).where(unit_care.c.unit_id == unit_id).with_for_update()
        row = self._connection.execute(query).mappings().one_or_none()
        return Care(**row) if row else None

    def claim_due(self, *, now: datetime, until: datetime, limit: int) -> list[str]:
        """Return units that are due to be looked at, and keep them from others until a moment."""
        there = select(units.c.id).where(units.c.removed_at.is_(None))
        due = (unit_care.c.check_at <= now) & unit_care.c.unit_id.in_(there)
        first = select(unit_care.c.unit_id).where(due).order_by(unit_care.c.check_at).limit(limit)
        statement = update(unit_care).where(due, unit_care.c.unit_id.in_(first)).values(check_at=until)
        return list(self._connection.execute(statement.returning(unit_care.c.unit_id)).scalars())

    def doubt(self, unit_id: str, *, now: datetime) -> bool:
        """Have a unit that failed while it was used looked at now; tell whether that was news."""
        statement = update(unit_care).where(unit_care.c.unit_id == unit_id, unit_care.c.doubted_at.is_(None))
        return self._connection.execute(statement.values(doubted_at=now, check_at=now)).rowcount == 1

    def doubted(self, unit_ids: Collection[str]) -> set[str]:
        """Return which of these units failed while they were used, and were not looked at since."""
        return set(self._connection.execute(_DOUBTED, {"unit_ids": list(unit_ids)}).scalars())

    def answered(self, *, limit: int) -> list[tuple[str, str]]:
        """Return units that prove their numbers, each with the job that does so."""
        query = select(unit_care.c.unit_id, unit_care.c.known_answer_job_id)
        rows = self._connection.execute(query.where(unit_care.c.known_answer_job_id.is_not(None)).limit(limit))
        return [(row.unit_id, row.known_answer_job_id) for row in rows]


class UnitFindings:
    """What was found, in one transaction: the latest look of each kind at each unit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, unit_id: str) -> list[Finding]:
        """Return the findings of a unit, in the order of the vocabulary."""
        query = select(unit_findings).where(unit_findings.c.unit_id == unit_id)
        rows = self._connection.execute(query).mappings()
        found = {
            Check(row["check"]): Finding(
                check=Check(row["check"]),
                outcome=Outcome(row["outcome"]),
                message=row["message"],
                fix=row["fix"],
                at=row["at"],
            )
            for row in rows
        }
        return [found[check] for check in Check if check in found]

    def put(self, unit_id: str, findings: Iterable[Finding]) -> None:
        """Keep findings, each in place of the last of its kind."""
        rows = [{"unit_id": unit_id, **vars(finding)} for finding in findings]
        if not rows:
            return
        known = unit_findings.c.check.in_([row["check"] for row in rows])
        self._connection.execute(delete(unit_findings).where(unit_findings.c.unit_id == unit_id, known))
        self._connection.execute(insert(unit_findings), rows)

    def replace_all(self, unit_id: str, findings: Iterable[Finding]) -> None:
        """Keep these findings and no others."""
        self._connection.execute(delete(unit_findings).where(unit_findings.c.unit_id == unit_id))
        self.put(unit_id, findings)
