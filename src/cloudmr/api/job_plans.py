"""POST /api/job/estimate: what would become of a job, before anybody asks for it."""

from __future__ import annotations

from fastapi import APIRouter

from cloudmr.api.access import Reader, TheBrain
from cloudmr.api.bodies import CamelBody, with_examples
from cloudmr.api.job_bodies import (
    EXAMPLE_PRICE,
    EXAMPLE_UNIT,
    EstimateAnswer,
    ForecastAnswer,
    JobUnit,
    PlaceAnswer,
    PriceAnswer,
)
from cloudmr.api.job_requests import JobRequest
from cloudmr.model.calibration import calibration
from cloudmr.model.platforms import Platform
from cloudmr.services.plan_job import JobPlan, estimate_job

router = APIRouter(prefix="/api/job", tags=["jobs"])


class AccuracyAnswer(CamelBody):
    """How many times longer than was said the last jobs of this kind took: in the middle, and nine of ten at most."""

    n_jobs: int
    median_ratio: float
    p90_ratio: float


class MachineAnswer(CamelBody):
    """The machine that is chosen for a job."""

    vcpu: float
    memory_bytes: int


class CalibrationAnswer(CamelBody):
    """What the expected times come from, and how far off they were where they were tried."""

    measured_on: str
    machine: str
    median_error_percent: float
    p90_error_percent: float


_PLAN = {
    "computingUnit": EXAMPLE_UNIT | {"mode": "mode_2", "provider": "user", "alias": "our own account"},
    "reason": "The data are there.",
    "platform": "fargate",
    "platformReason": "Lambda is too small: it needs 4.1 GiB of memory, and there are 2.9 GiB.",
    "machine": {"vcpu": 4, "memoryBytes": 8589934592},
    "kind": "pmr sense",
    "estimate": {
        "memoryBytes": 8589934592,
        "cpuTimeS": 86400,
        "diskBytes": 3221225472,
        "deadlineS": 21600,
        "basis": "32 coils, 512 x 256 x 1 samples, 30 slices, 100 replicas",
    },
    "forecast": {"seconds": 600, "memoryBytes": 2935000000, "outputBytes": 13000000, "priceMicrodollars": 33313},
    "price": EXAMPLE_PRICE,
    "queuePlace": {"place": 1, "nWaiting": 1, "reason": "It is about to begin."},
    "isFromBytes": False,
    "calibration": {
        "measuredOn": "2026-11-22",
        "machine": "2 cores, x86_64, NumPy 2.4.6",
        "medianErrorPercent": 8.5,
        "p90ErrorPercent": 16.3,
    },
    "accuracy": {"nJobs": 40, "medianRatio": 1.1, "p90Ratio": 1.6},
}


class PlanAnswer(CamelBody):
    """What would become of a job. `is_from_bytes`: nobody said how large the acquisition is, so it was guessed.

    `queue_place` is the one that it would have if it was submitted now.
    """

    model_config = with_examples(_PLAN)

    computing_unit: JobUnit
    reason: str
    platform: Platform
    platform_reason: str
    machine: MachineAnswer | None
    kind: str
    estimate: EstimateAnswer
    forecast: ForecastAnswer
    price: PriceAnswer
    queue_place: PlaceAnswer | None
    is_from_bytes: bool
    calibration: CalibrationAnswer
    accuracy: AccuracyAnswer | None

    @classmethod
    def of(cls, plan: JobPlan) -> PlanAnswer:
        """Return a plan as JSON has it."""
        measured = {name: value for name, value in vars(calibration()).items() if name != "pairs"}
        return cls(
            computing_unit=JobUnit.of(plan.choice.unit),
            reason=plan.choice.reason,
            platform=plan.platform.platform,
            platform_reason=plan.platform.reason,
            machine=MachineAnswer(**vars(plan.platform.size)) if plan.platform.size else None,
            kind=plan.kind,
            estimate=EstimateAnswer.of(plan.estimate),
            forecast=ForecastAnswer(**vars(plan.forecast)),
            price=PriceAnswer.of(plan.price, plan.choice.unit),
            queue_place=PlaceAnswer(**vars(plan.queue_place)) if plan.queue_place else None,
            is_from_bytes=plan.is_from_bytes,
            calibration=CalibrationAnswer(**measured),
            accuracy=AccuracyAnswer(**vars(plan.accuracy)) if plan.accuracy else None,
        )


@router.post("/estimate")
def estimate(body: JobRequest, caller: Reader, brain: TheBrain) -> PlanAnswer:
    """Say what would become of a job: where it runs, how long it takes, what it needs and costs. Asks for nothing."""
    return PlanAnswer.of(estimate_job(brain, caller, body.order()))
