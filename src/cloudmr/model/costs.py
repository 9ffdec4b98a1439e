"""What a job took and what that cost, beside what was expected: how good our own estimates are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from cloudmr.model.documents import FrozenDocument
from cloudmr.model.estimates import Estimate
from cloudmr.model.forecasts import Actual
from cloudmr.model.jobs import Job, JobResult
from cloudmr.model.platforms import LAMBDA_SIZE, MachineSize, Platform, fargate_size
from cloudmr.model.prices import Price, price_of

LEAST_JOBS = 5
"""Fewer say nothing about the next one."""
EXPECTED_FILES = 20
"""About what a package holds."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Of the last `n_jobs` of a kind: how many times longer they took than was said, in the middle and for 9 of 10."""

    n_jobs: int
    median_ratio: float
    p90_ratio: float


def accuracy(ratios: Sequence[float]) -> Accuracy | None:
    """Return how actual times compare with expected ones, None for too few jobs."""
    if len(ratios) < LEAST_JOBS:
        return None
    ordered = sorted(ratios)
    return Accuracy(
        n_jobs=len(ordered),
        median_ratio=median(ordered),
        p90_ratio=ordered[min(len(ordered) - 1, 9 * len(ordered) // 10)],
    )


def size_of(platform: Platform, estimate: Estimate) -> MachineSize | None:
    """Return the machine that a job has there, None for a part of the unit's own."""
    match platform:
        case Platform.LOCAL:
            return None
        case Platform.LAMBDA:
            return LAMBDA_SIZE
        case Platform.FARGATE:
            return fargate_size(estimate.memory_bytes)


def expected_price(job: Job) -> Price:
    """Return the price that a job is expected to have, line by line."""
    forecast = job.forecast
    return _price(
        job,
        seconds=forecast.seconds if forecast else 0.0,
        output_bytes=forecast.output_bytes if forecast else 0,
        n_output_files=EXPECTED_FILES,
    )


def actual_of(job: Job, *, ended_at: datetime, result: JobResult | None) -> Actual | None:
    """Return what the last attempt at a job took, None if it never began."""
    if job.started_at is None:
        return None
    seconds = max(0.0, (ended_at - job.started_at).total_seconds())
    price = _price(
        job,
        seconds=seconds,
        output_bytes=result.size_bytes if result else 0,
        n_output_files=result.n_files if result else 0,
    )
    return Actual(seconds=round(seconds, 3), price_microdollars=price.microdollars)


def _price(job: Job, *, seconds: float, output_bytes: int, n_output_files: int) -> Price:
    inputs = FrozenDocument.model_validate_json(job.document).inputs
    return price_of(
        job.platform,
        size_of(job.platform, job.estimate),
        seconds=seconds,
        input_bytes=sum(file.size_bytes for file in inputs),
        output_bytes=output_bytes,
        n_output_files=n_output_files,
    )
