"""What a person asks of a Brain about being told of the ends of jobs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from cloudmr.client.connection import Connection
from cloudmr.model.notifications import NotifyOn


class NotificationSettings(BaseModel):
    """Which ends of jobs bring a mail and a webhook, where that goes, and the secret that it is signed with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mail: NotifyOn
    webhook: NotifyOn
    webhook_url: str | None = None
    webhook_secret: str | None = Field(None, repr=False)


class _Tried(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    sent: tuple[str, ...]


class Notifications:
    """The settings; every method raises as those of `BrainClient` do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self) -> NotificationSettings:
        """Return how this person is told of the ends of jobs."""
        return self._connection.ask(NotificationSettings, "GET", "/api/notifications")

    def change(
        self, *, mail: NotifyOn | None = None, webhook: NotifyOn | None = None, webhook_url: str | None = None
    ) -> NotificationSettings:
        """Change how this person is told; None leaves a setting, an empty URL removes the webhook."""
        body = {"mail": mail, "webhook": webhook, "webhook_url": webhook_url}
        return self._connection.ask(NotificationSettings, "PUT", "/api/notifications", body=body, is_repeatable=True)

    def try_out(self) -> tuple[str, ...]:
        """Have a message sent by every way that is set, and return which those are."""
        return self._connection.ask(_Tried, "POST", "/api/notifications/test").sent
