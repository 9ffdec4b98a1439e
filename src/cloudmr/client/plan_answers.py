"""What the API answers about jobs before they run, and about what there is of the shared unit, as values."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from cloudmr.client.answers import Forecast, JobUnit, QueuePlace
from cloudmr.model.platforms import Platform


class _CamelAnswer(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Allowed(_CamelAnswer):
    """What an attempt may use, and what that was reckoned from."""

    memory_bytes: int
    disk_bytes: int
    deadline_s: int
    basis: str


class PriceLine(_CamelAnswer):
    """One thing that costs something."""

    item: str
    quantity: str
    microdollars: int


class Price(_CamelAnswer):
    """What a job is expected to cost, and what that leaves out."""

    microdollars: int
    text: str
    paid_by: str
    lines: tuple[PriceLine, ...]
    dated: str
    left_out: tuple[str, ...]


class Accuracy(_CamelAnswer):
    """How many times longer than was said the last jobs of a kind took."""

    n_jobs: int
    median_ratio: float
    p90_ratio: float


class Calibration(_CamelAnswer):
    """What the expected times come from, and how far off they were where they were tried."""

    measured_on: str
    machine: str
    median_error_percent: float
    p90_error_percent: float


class Plan(_CamelAnswer):
    """What would become of a job."""

    computing_unit: JobUnit
    reason: str
    platform: Platform
    platform_reason: str
    kind: str
    estimate: Allowed
    forecast: Forecast
    price: Price
    queue_place: QueuePlace | None = None
    is_from_bytes: bool
    calibration: Calibration
    accuracy: Accuracy | None = None


class Amount(BaseModel):
    """How much of how much."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    used: int
    limit: int


class Quota(BaseModel):
    """What one person has of the shared unit."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    jobs_this_month: Amount
    month_ends_at: datetime
    running: Amount
    queued: Amount
    stored_bytes: Amount
