"""What one person gets of the shared place, where an administrator set it apart from what everybody gets."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from cloudmr.errors import InvalidRequest
from cloudmr.model.limits import Limits

MOST_JOBS = 1_000_000
MOST_BYTES = 10**15


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """Numbers in place of the operator's: jobs a calendar month, running, and waiting, and bytes of data files.

    None is what everybody gets.
    """

    n_monthly: int | None = None
    n_running: int | None = None
    n_queued: int | None = None
    stored_bytes: int | None = None

    def check(self) -> None:
        """Raise `InvalidRequest` for numbers that cannot be limits. None at all is allowed but for what runs."""
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = int(field.name == "n_running"), MOST_BYTES if field.name == "stored_bytes" else MOST_JOBS
            if value is not None and not low <= value <= high:
                raise InvalidRequest(
                    f"{field.name} cannot be {value}.", f"Give a whole number from {low} to {high}, or none."
                )

    def applied_to(self, limits: Limits) -> Limits:
        """Return the operator's limits with these numbers in their place."""
        chosen: dict[str, Any] = {
            "n_monthly_each": self.n_monthly,
            "n_running_each": self.n_running,
            "n_queued_each": self.n_queued,
            "max_stored_bytes_each": self.stored_bytes,
        }
        return replace(limits, **{name: value for name, value in chosen.items() if value is not None})
