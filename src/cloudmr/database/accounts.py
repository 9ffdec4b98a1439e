"""Accounts and what happened to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from cloudmr.database.errors import AlreadyThere
from cloudmr.database.tables import accounts, audit_events
from cloudmr.model.audit import AuditEntry, AuditEvent, AuditFilter
from cloudmr.model.people import Account, AccountStatus

# Put together once: every request says the one, every change the other.
_BY_ID = select(accounts).where(accounts.c.id == bindparam("account_id"))
_INSERT_EVENT = insert(audit_events)


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
        row = self._connection.execute(_BY_ID, {"account_id": account_id}).mappings().one_or_none()
        return Account(**row) if row else None

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
        self._connection.execute(_INSERT_EVENT, vars(event))

    def close(self, account_id: str, *, at: datetime) -> None:
        """Leave nothing of an account but its id: no address, no password, no rights."""
        values = {
            "email": account_id,
            "password_hash": "",
            "name": None,
            "status": AccountStatus.SUSPENDED,
            "is_admin": False,
            "deleted_at": at,
        }
        self._connection.execute(update(accounts).where(accounts.c.id == account_id).values(**values))

    def make_admin(self, account_id: str) -> None:
        """Let an account do what administrators do."""
        self._connection.execute(update(accounts).where(accounts.c.id == account_id).values(is_admin=True))

    def n_admins(self) -> int:
        """Return how many accounts can administrate."""
        can = accounts.c.is_admin & (accounts.c.status == AccountStatus.ACTIVE)
        return self._connection.execute(select(func.count()).select_from(accounts).where(can)).scalar_one()

    def search(
        self, *, text: str | None, status: AccountStatus | None, limit: int, before: str | None = None
    ) -> list[Account]:
        """Return accounts that were not deleted, the latest first, those before an id, with a text in their address."""
        query = select(accounts).where(accounts.c.deleted_at.is_(None))
        if text:
            query = query.where(or_(*(c.icontains(text, autoescape=True) for c in (accounts.c.email, accounts.c.name))))
        if status is not None:
            query = query.where(accounts.c.status == status)
        if before is not None:
            query = query.where(accounts.c.id < before)
        rows = self._connection.execute(query.order_by(accounts.c.id.desc()).limit(limit)).mappings()
        return [Account(**row) for row in rows]

    def rename(self, account_id: str, name: str | None) -> None:
        """Give an account another name."""
        self._connection.execute(update(accounts).where(accounts.c.id == account_id).values(name=name))

    def audit_entries(self, wanted: AuditFilter, *, limit: int, before: int | None = None) -> list[AuditEntry]:
        """Return events as wanted, the latest first, those before a number."""
        query = select(audit_events)
        for column, value in ((audit_events.c.account_id, wanted.account_id), (audit_events.c.action, wanted.action)):
            if value is not None:
                query = query.where(column == value)
        if wanted.since is not None:
            query = query.where(audit_events.c.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(audit_events.c.at < wanted.until)
        if before is not None:
            query = query.where(audit_events.c.id < before)
        rows = self._connection.execute(query.order_by(audit_events.c.id.desc()).limit(limit)).mappings()
        return [AuditEntry(number=row["id"], event=_event(row)) for row in rows]

    def audit_trail(self, account_id: str, *, limit: int) -> list[AuditEvent]:
        """Return what happened to an account, the latest first."""
        query = select(audit_events).where(audit_events.c.account_id == account_id)
        rows = self._connection.execute(query.order_by(audit_events.c.id.desc()).limit(limit))
        return [_event(row) for row in rows.mappings()]

    def _one(self, condition: ColumnElement[bool]) -> Account | None:
        row = self._connection.execute(select(accounts).where(condition)).mappings().one_or_none()
        return Account(**row) if row else None


def _event(row: RowMapping) -> AuditEvent:
    return AuditEvent(**{name: value for name, value in row.items() if name != "id"})
