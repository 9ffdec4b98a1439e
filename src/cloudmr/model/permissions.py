"""What CloudMR Brain may do in a computing unit: as it was declared, and as it was measured by trying."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Measured(StrEnum):
    """What came of trying."""

    ALLOWED = "allowed"
    """It was tried, and done."""
    REFUSED = "refused"
    """It was tried, and refused."""
    NOT_TRIED = "not_tried"
    """Trying would change something, or cost something."""


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One thing that can be done: to what, what for, whether it was declared, and what came of trying.

    `switch` is the parameter of the deployment that grants it, None for what no unit can do without.
    """

    action: str
    resource: str
    purpose: str
    is_declared: bool
    measured: Measured = Measured.NOT_TRIED
    switch: str | None = None

    @property
    def is_as_declared(self) -> bool:
        """Whether nothing speaks against the declaration."""
        return self.measured is Measured.NOT_TRIED or (self.measured is Measured.ALLOWED) == self.is_declared


def undeclared(permissions: Sequence[Permission]) -> list[Permission]:
    """Return what can be done although it was not declared."""
    return [each for each in permissions if each.measured is Measured.ALLOWED and not each.is_declared]
