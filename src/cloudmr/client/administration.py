"""What an administrator asks of a Brain."""

from __future__ import annotations

from collections.abc import Iterator

from cloudmr.client.connection import Connection
from cloudmr.client.own_account import audit_entries
from cloudmr.client.people_answers import (
    AuditEntry,
    FailedJob,
    FailurePage,
    OpenJob,
    OpenJobPage,
    PersonLimits,
    User,
    UserPage,
)


class Administration:
    """Accounts, limits, and everybody's jobs; every method raises as those of `BrainClient` do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def users(self, *, search: str | None = None, status: str | None = None) -> Iterator[User]:
        """Yield accounts, the latest first; `search` is a part of the address or name."""
        wanted = {"search": search, "status": status, "limit": "200"}
        query = {name: value for name, value in wanted.items() if value is not None}
        while True:
            page = self._connection.ask(UserPage, "GET", "/api/admin/users", query=query)
            yield from page.users
            if page.next is None:
                return
            query["before"] = page.next

    def user(self, user_id: str) -> User:
        """Return one account."""
        return self._connection.ask(User, "GET", f"/api/admin/users/{user_id}")

    def suspend(self, user_id: str, *, reason: str) -> User:
        """Close an account: its sessions and tokens end, its jobs go on."""
        return self._connection.ask(User, "POST", f"/api/admin/users/{user_id}/suspend", body={"reason": reason})

    def activate(self, user_id: str, *, reason: str = "") -> User:
        """Open an account."""
        return self._connection.ask(User, "POST", f"/api/admin/users/{user_id}/activate", body={"reason": reason})

    def set_limits(self, user_id: str, limits: PersonLimits) -> User:
        """Set what one person gets of the shared place."""
        return self._connection.ask(User, "PUT", f"/api/admin/users/{user_id}/limits", body=limits.model_dump())

    def queue(self) -> Iterator[OpenJob]:
        """Yield everybody's jobs that have not ended, the latest first."""
        query = {"limit": "200"}
        while True:
            page = self._connection.ask(OpenJobPage, "GET", "/api/admin/queue", query=query)
            yield from page.jobs
            if page.next is None:
                return
            query["before"] = page.next

    def failures(self, *, days: int = 7) -> Iterator[FailedJob]:
        """Yield everybody's jobs that ended without success, the latest first."""
        query = {"days": str(days), "limit": "200"}
        while True:
            page = self._connection.ask(FailurePage, "GET", "/api/admin/failures", query=query)
            yield from page.jobs
            if page.next is None:
                return
            query["before"] = page.next

    def audit(self, *, user_id: str | None = None) -> Iterator[AuditEntry]:
        """Yield what happened to everybody's accounts and things, or to one's, the latest first."""
        yield from audit_entries(self._connection, "/api/admin/audit", {"user_id": user_id} if user_id else {})
