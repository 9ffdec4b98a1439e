"""What single people get of the shared place, where that was set apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from cloudmr.database.tables import account_limits
from cloudmr.model.allowances import Allowance

_NAMES = tuple(field.name for field in fields(Allowance))

# Put together once: every submission says it.
_OF_EACH = select(account_limits).where(account_limits.c.account_id.in_(bindparam("account_ids", expanding=True)))


class Allowances:
    """The allowances, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, account_id: str) -> Allowance:
        """Return what was set for a person; for most that is nothing."""
        return self.of_each([account_id]).get(account_id, Allowance())

    def of_each(self, account_ids: Collection[str]) -> dict[str, Allowance]:
        """Return what was set for these people, without those for whom nothing was."""
        rows = self._connection.execute(_OF_EACH, {"account_ids": list(account_ids)}).mappings()
        return {row["account_id"]: Allowance(**{name: row[name] for name in _NAMES}) for row in rows}

    def put(self, account_id: str, allowance: Allowance, *, at: datetime) -> None:
        """Set what a person gets. The caller's transaction is alone in writing."""
        mine = account_limits.c.account_id == account_id
        if allowance == Allowance():
            self._connection.execute(delete(account_limits).where(mine))
            return
        values = {**vars(allowance), "changed_at": at}
        if not self._connection.execute(update(account_limits).where(mine).values(**values)).rowcount:
            self._connection.execute(insert(account_limits).values(account_id=account_id, **values))
