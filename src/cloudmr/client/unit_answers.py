"""What the API answers about computing units beyond the list of them, as values."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from cloudmr.client.answer_bases import CamelAnswer
from cloudmr.client.answers import ComputingUnit
from cloudmr.model.findings import Check, Outcome
from cloudmr.model.permissions import Measured


class Finding(CamelAnswer):
    """What one look at a unit came to, and how to mend it."""

    check: Check
    outcome: Outcome
    message: str
    fix: str = ""
    at: datetime


class UnitCheck(CamelAnswer):
    """A unit with everything that was found there, and when it is looked at again."""

    computing_unit: ComputingUnit
    findings: tuple[Finding, ...]
    next_check_at: datetime | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether a look has begun whose end is not known yet."""
        return any(finding.outcome is Outcome.AWAITED for finding in self.findings)


class Permission(CamelAnswer):
    """One thing that CloudMR Brain can do in a unit: as declared, and as measured by trying."""

    action: str
    resource: str
    purpose: str
    switch: str | None = None
    is_declared: bool
    measured: Measured
    is_as_declared: bool


class PermissionList(CamelAnswer):
    """Everything that CloudMR Brain can do in a unit."""

    permissions: tuple[Permission, ...]


class PreparedUnit(CamelAnswer):
    """What the stack of an announced unit is made with."""

    computing_unit_id: str
    external_id: str = Field(repr=False)
    brain_principal_arn: str
    image_uri: str


class RegisteredUnit(CamelAnswer):
    """A unit as it is registered; `message` says what comes next."""

    computing_unit_id: str
    status: str
    is_default: bool
    message: str
