"""What services see of the ways by which messages go."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A message as it is delivered now.

    `name`, letters and digits, is the same at each try, so that a receiver can tell a second copy from a second
    message. `secret` is what a webhook is signed with.
    """

    name: str
    target: str
    subject: str
    body: str = field(repr=False)
    at: datetime
    secret: str = field(repr=False)


class NotDelivered(Exception):
    """It did not arrive. `is_final`: another try would not arrive either."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


class Carrier(Protocol):
    """One way for messages of one kind. Safe to use from several threads."""

    def carry(self, parcel: Parcel) -> None:
        """Deliver it, or raise `NotDelivered`; returns within a minute. Reasons name no secret."""
        ...
