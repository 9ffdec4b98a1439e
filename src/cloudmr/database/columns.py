"""Column types that keep the model's promises: moments in UTC, words from a closed list."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer
from sqlalchemy.types import TypeDecorator

ID_LENGTH = 32
SHA256_LENGTH = 64
WORD_LENGTH = 32
"""Room for every member of every enum, so that adding one needs no wider column."""

RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""A number the database counts up itself; SQLite does so for INTEGER only."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite has no zones, so it keeps the UTC wall time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what is not in UTC on its way in."""
        if value is None:
            return None
        if value.tzinfo is not UTC:
            raise ValueError("only moments in UTC are stored")
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say on the way out that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def word_of(vocabulary: type[StrEnum], *, name: str, is_closed: bool = True) -> Enum:
    """Return the type of a column that holds members of an enum by value; of a closed one with a CHECK named `name`."""
    return Enum(
        vocabulary,
        name=name,
        native_enum=False,
        create_constraint=is_closed,
        length=WORD_LENGTH,
        values_callable=lambda members: [member.value for member in members],
    )
