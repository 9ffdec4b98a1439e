"""POST /api/job/estimate: what would become of a job, before anybody asks for it."""

from __future__ import annotations

from fastapi import APIRouter

from cloudmr.api.access import Reader, TheBrain
from cloudmr.api.bodies import CamelBody
from cloudmr.api.job_bodies import EstimateAnswer, ForecastAnswer, JobUnit, PriceAnswer
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


class PlanAnswer(CamelBody):
    """What would become of a job. `is_from_bytes`: nobody said how large the acquisition is, so it was guessed."""

    computing_unit: JobUnit
    reason: str
    platform: Platform
    platform_reason: str
    machine: MachineAnswer | None
    kind: str
    estimate: EstimateAnswer
    forecast: ForecastAnswer
    price: PriceAnswer
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
            is_from_bytes=plan.is_from_bytes,
            calibration=CalibrationAnswer(**measured),
            accuracy=AccuracyAnswer(**vars(plan.accuracy)) if plan.accuracy else None,
        )


@router.post("/estimate")
def estimate(body: JobRequest, caller: Reader, brain: TheBrain) -> PlanAnswer:
    """Say what would become of a job: where it runs, how long it takes, what it needs and costs. Asks for nothing."""
    return PlanAnswer.of(estimate_job(brain, caller, body.order()))
