"""Jobs in JSON: as they stand, what happened to them, what their workers said, what they left."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from cloudmr.api.bodies import Body, CamelBody, with_examples
from cloudmr.model.costs import expected_price
from cloudmr.model.estimates import Estimate
from cloudmr.model.events import JobAction, JobEvent
from cloudmr.model.jobs import Job, JobState, Progress
from cloudmr.model.platforms import Platform
from cloudmr.model.prices import Price, PriceSet, in_dollars
from cloudmr.model.units import ComputingUnit, Mode, Provider
from cloudmr.services import jobs
from cloudmr.services.jobs import JobLog, ResultFile, ResultPackage
from cloudmr.services.views import JobView

EXAMPLE_PRICE = {
    "microdollars": 33313,
    "text": "$0.0333",
    "paidBy": "you",
    "lines": [
        {"item": "Fargate vCPU", "quantity": "4 vCPU for 600 s", "microdollars": 26987},
        {"item": "Fargate memory", "quantity": "8 GB for 600 s", "microdollars": 5927},
        {"item": "Step Functions", "quantity": "4 transitions", "microdollars": 100},
        {"item": "S3 storage", "quantity": "0.013 GB for a month", "microdollars": 299},
    ],
    "priceSet": "list",
    "dated": "2026-11-22",
    "leftOut": ["data sent out of AWS", "public IPv4 addresses"],
}
EXAMPLE_UNIT = {
    "computingUnitId": "unit_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "mode": "mode_1",
    "provider": "cloudmrhub",
    "alias": "CloudMR Brain's own machine",
}
_JOB = {
    "jobId": "job_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "alias": "knee",
    "appName": "MR Optimum",
    "status": "queued",
    "version": 1,
    "attempt": 0,
    "computingUnit": EXAMPLE_UNIT,
    "reason": "The data are there.",
    "waitingReason": "All 2 places of the unit are taken, and one job has its turn before it.",
    "queuePlace": {
        "place": 2,
        "nWaiting": 3,
        "reason": "All 2 places of the unit are taken, and one job has its turn before it.",
    },
    "kind": "ac sense",
    "platform": "local",
    "estimate": {
        "memoryBytes": 6442450944,
        "cpuTimeS": 86400,
        "diskBytes": 3221225472,
        "deadlineS": 21600,
        "basis": "16 coils, 512 x 256 x 1 samples, 20 slices",
    },
    "forecast": {
        "seconds": 14.2,
        "memoryBytes": 1370000000,
        "outputBytes": 28000000,
        "priceMicrodollars": 0,
    },
    "actual": None,
    "rerunOf": None,
    "isOwn": True,
    "dataIds": ["data_01jd3v6w0s8k2m4n6p8q0r2t4v"],
    "createdAt": "2026-11-22T12:05:10Z",
    "deadlineAt": "2026-11-29T12:05:10Z",
    "dispatchedAt": None,
    "startedAt": None,
    "endedAt": None,
    "cancelRequestedAt": None,
    "expiresAt": None,
    "expiresBy": "brain",
    "restorableUntil": None,
    "deletedAt": None,
    "progress": None,
    "failure": None,
    "result": None,
}


class JobUnit(CamelBody):
    """The computing unit of a job."""

    computing_unit_id: str
    mode: Mode
    provider: Provider
    alias: str

    @classmethod
    def of(cls, unit: ComputingUnit) -> JobUnit:
        """Return a unit as JSON has it."""
        return cls(computing_unit_id=unit.id, mode=unit.mode, provider=unit.provider, alias=unit.alias)


class EstimateAnswer(CamelBody):
    """What the job may use, and what that was reckoned from."""

    memory_bytes: int
    cpu_time_s: int
    disk_bytes: int
    deadline_s: int
    basis: str

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateAnswer:
        """Return an estimate as JSON has it."""
        return cls(**vars(estimate))


class ForecastAnswer(CamelBody):
    """What a job is expected to take: seconds at work, memory at its peak, size of its results, and its price."""

    seconds: float
    memory_bytes: int
    output_bytes: int
    price_microdollars: int


class ActualAnswer(CamelBody):
    """What the last attempt at a job took, beside what was expected: `ratio` is actual over expected seconds."""

    seconds: float
    price_microdollars: int
    ratio: float | None


class PlaceAnswer(CamelBody):
    """Where a job stands in the queue of its unit: `place` 1 is next, of `n_waiting`; `reason` says why it waits."""

    place: int
    n_waiting: int
    reason: str


class PriceLineAnswer(CamelBody):
    """One thing that costs something."""

    item: str
    quantity: str
    microdollars: int


class PriceAnswer(CamelBody):
    """What a job is expected to cost whoever pays for its unit, and what that leaves out. A dollar is 1 000 000."""

    model_config = with_examples(EXAMPLE_PRICE)

    microdollars: int
    text: str
    paid_by: Literal["you", "the operator of CloudMR Brain"]
    lines: list[PriceLineAnswer]
    price_set: PriceSet
    dated: str
    left_out: list[str]

    @classmethod
    def of(cls, price: Price, unit: ComputingUnit) -> PriceAnswer:
        """Return a price as JSON has it."""
        return cls(
            microdollars=price.microdollars,
            text=in_dollars(price.microdollars),
            paid_by="you" if unit.mode is Mode.MODE_2 else "the operator of CloudMR Brain",
            lines=[
                PriceLineAnswer(item=line.item, quantity=line.quantity, microdollars=line.microdollars)
                for line in price.lines
            ],
            price_set=price.price_set,
            dated=price.dated,
            left_out=list(price.left_out),
        )


class ProgressAnswer(CamelBody):
    """How far the worker is: `done` of `total` at a step (total 0: not known)."""

    step: str
    done: int
    total: int
    message: str
    at: datetime

    @classmethod
    def of(cls, progress: Progress) -> ProgressAnswer:
        """Return progress as JSON has it."""
        return cls(
            step=progress.step, done=progress.done, total=progress.total, message=progress.message, at=progress.at
        )


class FailureAnswer(Body):
    """Why there is no result, in the three fields that every error has."""

    code: str
    message: str
    next_step: str


class ResultSummary(CamelBody):
    """What the job left, all files together."""

    size_bytes: int
    n_files: int
    manifest_sha256: str


class JobAnswer(CamelBody):
    """A job.

    `reason` says why it runs on this unit, `waiting_reason` why it does not go on (null: it does). `deadline_at` is
    when it must have left the queue, or ended its attempt. `version` counts its changes, and is the number of its
    latest event. `forecast` was said before it ran, `actual` is what it took; prices are for whoever pays for the unit.
    What it left is kept until `expires_at` (null: as long as `expires_by`, the Brain or the unit, keeps it), and can
    then be restored until `restorable_until`. `is_own` is false for who may only look; they see no inputs.
    """

    model_config = with_examples(_JOB)

    job_id: str
    alias: str
    app_name: str
    status: JobState
    version: int
    attempt: int
    computing_unit: JobUnit
    reason: str
    waiting_reason: str | None
    queue_place: PlaceAnswer | None
    kind: str | None
    platform: Platform
    estimate: EstimateAnswer
    forecast: ForecastAnswer | None
    actual: ActualAnswer | None
    rerun_of: str | None
    is_own: bool
    data_ids: list[str]
    created_at: datetime
    deadline_at: datetime
    dispatched_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cancel_requested_at: datetime | None
    expires_at: datetime | None
    expires_by: Literal["brain", "unit"]
    restorable_until: datetime | None
    deleted_at: datetime | None
    progress: ProgressAnswer | None
    failure: FailureAnswer | None
    result: ResultSummary | None

    @classmethod
    def of(cls, view: JobView) -> JobAnswer:
        """Return a job as JSON has it."""
        return cls(**_fields(view))


class JobDetail(JobAnswer):
    """A job with its task, as it was accepted."""

    model_config = with_examples(_JOB | {"task": {"name": "ac"}, "output": {}})

    task: dict[str, Any]
    output: dict[str, Any]

    @classmethod
    def of(cls, view: JobView) -> JobDetail:
        """Return a job and its task as JSON has them."""
        document = jobs.shown_document(view)
        return cls(**_fields(view), task=document.task, output=document.output)


class SubmittedAnswer(JobAnswer):
    """An accepted job, with its expected price line by line and what that leaves out."""

    model_config = with_examples(_JOB | {"price": EXAMPLE_PRICE})

    price: PriceAnswer

    @classmethod
    def of(cls, view: JobView) -> SubmittedAnswer:
        """Return an accepted job as JSON has it."""
        return cls(**_fields(view), price=PriceAnswer.of(expected_price(view.job), view.unit))


class EventAnswer(CamelBody):
    """Something that happened to a job. `old` and `new` are null where its status stayed."""

    number: int
    at: datetime
    actor: str
    action: JobAction
    reason: str
    old: JobState | None
    new: JobState | None

    @classmethod
    def of(cls, event: JobEvent) -> EventAnswer:
        """Return an event as JSON has it."""
        return cls(**{name: value for name, value in vars(event).items() if name != "job_id"})


class LineAnswer(CamelBody):
    """A line of a log; `level` is `info` or `warning`."""

    at: datetime
    level: str
    message: str


class LogAnswer(CamelBody):
    """What the worker said so far, and what happened to the job.

    `is_available` is false where the unit does not show the worker's lines (it does not answer).
    """

    job_id: str
    attempt: int
    is_available: bool
    lines: list[LineAnswer]
    events: list[EventAnswer]

    @classmethod
    def of(cls, view: JobView, events: list[JobEvent], log: JobLog) -> LogAnswer:
        """Return a log as JSON has it."""
        return cls(
            job_id=view.job.id,
            attempt=view.job.attempt,
            is_available=log.is_available,
            lines=[LineAnswer(at=line.at, level=line.level, message=line.message) for line in log.lines],
            events=[EventAnswer.of(event) for event in events],
        )


class FileAnswer(CamelBody):
    """A file of a package, and the request that gets it, for some minutes."""

    name: str
    size_bytes: int
    method: str
    url: str
    headers: dict[str, str]

    @classmethod
    def of(cls, file: ResultFile) -> FileAnswer:
        """Return a file as JSON has it."""
        request = file.request
        return cls(
            name=file.name, size_bytes=file.size_bytes, method=request.method, url=request.url, headers=request.headers
        )


class ResultAnswer(CamelBody):
    """What an ended job left: results if it succeeded, else a failure package, if there is one.

    `package` is everything in one file; `files` are its parts, `manifest.json` with the SHA-256 of each among them.
    """

    job_id: str
    status: JobState
    attempt: int
    manifest_sha256: str | None
    package: FileAnswer | None
    files: list[FileAnswer]

    @classmethod
    def of(cls, package: ResultPackage) -> ResultAnswer:
        """Return what a job left as JSON has it."""
        job = package.job
        return cls(
            job_id=job.id,
            status=job.state,
            attempt=job.attempt,
            manifest_sha256=job.result.manifest_sha256 if job.result else None,
            package=FileAnswer.of(package.package) if package.package else None,
            files=[FileAnswer.of(file) for file in package.files],
        )


def _fields(view: JobView) -> dict[str, Any]:
    job = view.job
    shared = {name: value for name, value in vars(job).items() if name in JobAnswer.model_fields}
    return shared | {
        "job_id": job.id,
        "status": job.state,
        "computing_unit": JobUnit.of(view.unit),
        "reason": job.unit_reason,
        "waiting_reason": view.waiting_reason,
        "queue_place": PlaceAnswer(**vars(view.queue_place)) if view.queue_place else None,
        "estimate": EstimateAnswer.of(job.estimate),
        "forecast": ForecastAnswer(**vars(job.forecast)) if job.forecast else None,
        "actual": _actual(job),
        "is_own": view.is_own,
        "data_ids": list(job.data_ids) if view.is_own else [],
        "expires_by": "brain" if view.unit.mode is Mode.MODE_1 else "unit",
        "restorable_until": job.purge_after if job.purged_at is None else None,
        "progress": ProgressAnswer.of(job.progress) if job.progress else None,
        "failure": FailureAnswer(**vars(job.failure)) if job.failure else None,
        "result": ResultSummary(**vars(job.result)) if job.result else None,
    }


def _actual(job: Job) -> ActualAnswer | None:
    if job.actual is None:
        return None
    ratio = job.actual.seconds / job.forecast.seconds if job.forecast else None
    return ActualAnswer(**vars(job.actual), ratio=None if ratio is None else round(ratio, 3))


JOB_COLUMNS = (
    *("jobId", "alias", "status", "kind", "computingUnitId", "mode", "platform", "attempt", "rerunOf"),
    *("createdAt", "startedAt", "endedAt", "expectedSeconds", "actualSeconds"),
    *("expectedMicrodollars", "actualMicrodollars", "failure", "resultBytes", "expiresAt"),
)
"""What an exported list of jobs has of each."""


def job_row(view: JobView) -> dict[str, str | int | float | None]:
    """Return a job as one row of an exported list."""
    job = view.job

    def moment(at: datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "jobId": job.id,
        "alias": job.alias,
        "status": job.state,
        "kind": job.kind,
        "computingUnitId": job.unit_id,
        "mode": view.unit.mode,
        "platform": job.platform,
        "attempt": job.attempt,
        "rerunOf": job.rerun_of,
        "createdAt": moment(job.created_at),
        "startedAt": moment(job.started_at),
        "endedAt": moment(job.ended_at),
        "expectedSeconds": job.forecast.seconds if job.forecast else None,
        "actualSeconds": job.actual.seconds if job.actual else None,
        "expectedMicrodollars": job.forecast.price_microdollars if job.forecast else None,
        "actualMicrodollars": job.actual.price_microdollars if job.actual else None,
        "failure": job.failure.code if job.failure else None,
        "resultBytes": job.result.size_bytes if job.result else None,
        "expiresAt": moment(job.expires_at),
    }
