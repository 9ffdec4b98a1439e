"""Messages that wait for their delivery: written in the transaction of what they tell of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from cloudmr.database.tables import outbox
from cloudmr.model.messages import Message, Posted

_WAITS = outbox.c.done_at.is_(None)


class Outbox:
    """The outbox, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, message: Message, *, at: datetime) -> bool:
        """Keep a message to be delivered; tell whether it is new. The caller's transaction is alone in writing."""
        known = select(outbox.c.number).where(outbox.c.dedupe_key == message.dedupe_key)
        if self._connection.execute(known).first() is not None:
            return False
        self._connection.execute(insert(outbox).values(**vars(message), posted_at=at, due_at=at, n_failed=0))
        return True

    def claim_due(self, *, now: datetime, until: datetime, limit: int) -> list[Posted]:
        """Return messages that are due, and keep them from others until a moment."""
        first = select(outbox.c.number).where(_WAITS, outbox.c.due_at <= now).order_by(outbox.c.due_at).limit(limit)
        statement = (
            update(outbox)
            .where(_WAITS, outbox.c.due_at <= now, outbox.c.number.in_(first))
            .values(due_at=until)
            .returning(*outbox.c)
        )
        return sorted(map(_posted, self._connection.execute(statement).mappings()), key=lambda posted: posted.number)

    def done(self, posted: Posted, *, at: datetime, failure: str | None = None) -> None:
        """Say that a message was delivered, or given up for a reason; what it said is forgotten."""
        values = {"done_at": at, "failure": failure, "body": ""}
        self._connection.execute(update(outbox).where(outbox.c.number == posted.number).values(**values))

    def failed(self, posted: Posted, *, due_at: datetime, failure: str) -> None:
        """Say that a try failed, and when the next one is due."""
        values = {"due_at": due_at, "failure": failure, "n_failed": posted.n_failed + 1}
        self._connection.execute(update(outbox).where(outbox.c.number == posted.number, _WAITS).values(**values))

    def n_waiting(self) -> int:
        """Return how many messages wait."""
        return self._connection.execute(select(func.count()).select_from(outbox).where(_WAITS)).scalar_one()

    def forget_of(self, account_id: str) -> int:
        """Remove every message of an account; return how many."""
        return self._connection.execute(delete(outbox).where(outbox.c.account_id == account_id)).rowcount

    def forget_done(self, *, before: datetime) -> int:
        """Remove messages that were done with before a moment; return how many."""
        return self._connection.execute(delete(outbox).where(outbox.c.done_at < before)).rowcount


def _posted(row: RowMapping) -> Posted:
    message = Message(
        account_id=row["account_id"],
        kind=row["kind"],
        target=row["target"],
        subject=row["subject"],
        body=row["body"],
        dedupe_key=row["dedupe_key"],
        not_after=row["not_after"],
        secret_name=row["secret_name"],
    )
    return Posted(number=row["number"], message=message, posted_at=row["posted_at"], n_failed=row["n_failed"])
