"""What a person asks of a Brain about their own account."""

from __future__ import annotations

from collections.abc import Iterator

from cloudmr.client.answers import Nothing, Profile
from cloudmr.client.connection import Connection
from cloudmr.client.people_answers import AuditEntry, AuditPage, NewToken, PersonalToken, TokenList
from cloudmr.model.tokens import Scope


class OwnAccount:
    """One's account; every method raises as those of `BrainClient` do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def confirm(self, *, secret: str, password: str) -> None:
        """Confirm an e-mail address with the secret of the mail."""
        self._tell("/api/auth/confirm", token=secret, password=password)

    def resend_confirmation(self, *, email: str) -> None:
        """Have the mail for confirming an address sent again."""
        self._tell("/api/auth/resend-confirmation", email=email)

    def forgot_password(self, *, email: str) -> None:
        """Have a link to choose another password sent."""
        self._tell("/api/auth/forgot-password", email=email)

    def reset_password(self, *, secret: str, new_password: str) -> None:
        """Choose another password with the secret of the mail; every session and token ends."""
        self._tell("/api/auth/reset-password", token=secret, new_password=new_password)

    def change_password(self, *, old_password: str, new_password: str) -> None:
        """Choose another password; other sessions end."""
        self._tell("/api/auth/change-password", old_password=old_password, new_password=new_password)

    def rename(self, *, name: str) -> Profile:
        """Give the account another name."""
        return self._connection.ask(Profile, "PATCH", "/api/auth/profile", body={"name": name})

    def delete(self, *, password: str) -> None:
        """Delete the account and everything it has."""
        self._tell("/api/auth/delete-account", password=password)

    def create_token(self, *, name: str, scope: Scope, lifetime_s: int | None = None) -> NewToken:
        """Make a personal token; its secret is in the answer, and nowhere else."""
        body = {"name": name, "scope": scope, "expires_in": lifetime_s}
        return self._connection.ask(NewToken, "POST", "/api/token", body=body)

    def tokens(self) -> tuple[PersonalToken, ...]:
        """Return the personal tokens that were not revoked, the latest first."""
        return self._connection.ask(TokenList, "GET", "/api/token").tokens

    def revoke_token(self, token_id: str) -> None:
        """End a personal token."""
        self._connection.ask(Nothing, "DELETE", f"/api/token/{token_id}")

    def audit(self) -> Iterator[AuditEntry]:
        """Yield what happened to the account and its things, the latest first."""
        yield from audit_entries(self._connection, "/api/auth/audit", {})

    def _tell(self, path: str, **body: str) -> None:
        self._connection.ask(Nothing, "POST", path, body=body)


def audit_entries(connection: Connection, path: str, query: dict[str, str]) -> Iterator[AuditEntry]:
    """Yield the entries of an audit trail, page by page."""
    while True:
        page = connection.ask(AuditPage, "GET", path, query={**query, "limit": "200"})
        yield from page.events
        if page.next is None:
            return
        query = {**query, "before": str(page.next)}
