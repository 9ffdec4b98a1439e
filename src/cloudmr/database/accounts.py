"""Accounts and what happened to them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloudmr.database.errors import AlreadyThere
from cloudmr.database.tables import accounts, audit_events
from cloudmr.model.audit import AuditEvent
from cloudmr.model.people import Account, AccountStatus


class Accounts:
    """The accounts, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, account: Account) -> None:
        """Keep a new account. Raise `AlreadyThere` where its e-mail address has one."""
        try:
            self._connection.execute(insert(accounts).values(**vars(account)))
        except IntegrityError as error:
            raise AlreadyThere from error

    def get(self, account_id: str) -> Account | None:
        """Return the account of that id."""
        return self._one(accounts.c.id == account_id)

    def by_email(self, email: str) -> Account | None:
        """Return the account of that (normal) e-mail address."""
        return self._one(accounts.c.email == email)

    def replace_password_hash(self, account_id: str, password_hash: str) -> None:
        """Keep another hash of the password."""
        self._connection.execute(
            update(accounts).where(accounts.c.id == account_id).values(password_hash=password_hash)
        )

    def set_status(self, account_id: str, status: AccountStatus) -> None:
        """Say whether an account may be used."""
        self._connection.execute(update(accounts).where(accounts.c.id == account_id).values(status=status))

    def audit(self, event: AuditEvent) -> None:
        """Write down what happened to an account."""
        self._connection.execute(insert(audit_events).values(**vars(event)))

    def audit_trail(self, account_id: str, *, limit: int) -> list[AuditEvent]:
        """Return what happened to an account, the latest first."""
        query = select(audit_events).where(audit_events.c.account_id == account_id)
        rows = self._connection.execute(query.order_by(audit_events.c.id.desc()).limit(limit))
        return [AuditEvent(**{name: value for name, value in row.items() if name != "id"}) for row in rows.mappings()]

    def _one(self, condition: ColumnElement[bool]) -> Account | None:
        row = self._connection.execute(select(accounts).where(condition)).mappings().one_or_none()
        return Account(**row) if row else None
