"""How people want to be told of the ends of their jobs."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from cloudmr.database.tables import notification_settings
from cloudmr.model.notifications import NotificationSettings


class Notifications:
    """The settings, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, account_id: str) -> NotificationSettings | None:
        """Return what a person wants, None for one who never said."""
        query = select(notification_settings).where(notification_settings.c.account_id == account_id)
        row = self._connection.execute(query).mappings().one_or_none()
        return NotificationSettings(**row) if row else None

    def put(self, settings: NotificationSettings) -> None:
        """Keep what a person wants. The caller's transaction is alone in writing."""
        self.forget(settings.account_id)
        self._connection.execute(insert(notification_settings).values(**vars(settings)))

    def forget(self, account_id: str) -> None:
        """Forget what a person wants."""
        of_person = notification_settings.c.account_id == account_id
        self._connection.execute(delete(notification_settings).where(of_person))
