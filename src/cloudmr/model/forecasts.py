"""What a job is expected to take, said before it runs, and what it took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Seconds at work, memory at its peak, size of the results, and the price on the job's platform."""

    seconds: float
    memory_bytes: int
    output_bytes: int
    price_microdollars: int


@dataclass(frozen=True, kw_only=True)
class Actual:
    """Seconds that the last attempt was at work, and their price."""

    seconds: float
    price_microdollars: int
