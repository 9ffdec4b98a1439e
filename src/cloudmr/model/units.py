"""A computing unit: a place that holds data and runs jobs, and who it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cloudmr.model.instants import require_utc

APP_NAME = "MR Optimum"
"""The application whose jobs units run."""


class Mode(StrEnum):
    """Who runs a unit and pays for it."""

    MODE_1 = "mode_1"
    """Shared by everybody; paid for by whoever operates CloudMR Brain."""
    MODE_2 = "mode_2"
    """One person's own; paid for by that person."""


class Provider(StrEnum):
    """Whose a unit is."""

    CLOUDMRHUB = "cloudmrhub"
    """The operator's of CloudMR Brain."""
    USER = "user"
    """A person's own."""


class UnitStatus(StrEnum):
    """What the last check of a unit found."""

    READY = "ready"
    """It works."""
    UNVERIFIED = "unverified"
    """It has not been checked yet."""
    UNWELL = "unwell"
    """Something is wrong with it; jobs wait."""
    GONE = "gone"
    """It is no longer there; it takes neither data nor jobs."""


@dataclass(frozen=True, kw_only=True)
class ComputingUnit:
    """One unit. `owner_id` is None for a unit of mode 1; the AWS fields are None for a unit on the Brain's machine.

    `external_id` is what the Brain shows when it assumes the unit's role; only this unit got it. `status_reason` says
    why the unit is not ready, `snr_verified_at` when it last gave the right numbers for a known answer, and
    `registration_token_id` which token its registration was made with. A unit that was removed is kept for its jobs'
    sake, and for nothing else.
    """

    id: str
    owner_id: str | None
    app_name: str
    mode: Mode
    provider: Provider
    alias: str
    status: UnitStatus
    is_default: bool
    data_bucket: str
    results_bucket: str
    failed_bucket: str
    created_at: datetime
    region: str | None = None
    aws_account_id: str | None = None
    state_machine_arn: str | None = None
    cross_account_role_arn: str | None = None
    last_checked_at: datetime | None = None
    external_id: str | None = field(default=None, repr=False)
    image_uri: str | None = None
    status_reason: str | None = None
    snr_verified_at: datetime | None = None
    registration_token_id: str | None = None
    removed_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)
        if (self.mode is Mode.MODE_2) != (self.owner_id is not None):
            raise ValueError("a unit of mode 2 has an owner, a unit of mode 1 has none")

    def is_open_to(self, person_id: str) -> bool:
        """Tell whether this person may use the unit."""
        return self.owner_id in {None, person_id} and self.removed_at is None

    @property
    def is_this_machine(self) -> bool:
        """Whether it is the Brain's own machine."""
        return self.provider is Provider.CLOUDMRHUB and self.aws_account_id is None
