"""What would become of a job: where it runs and why, how long it takes, what it may use, what it costs.

The same is reckoned when a person only asks and when the job is accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict, InvalidRequest, NotFound
from cloudmr.model.calibration import Effort, calibration
from cloudmr.model.costs import EXPECTED_FILES, Accuracy, accuracy
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.estimates import Estimate, choose_deadline, disk_bytes, estimate
from cloudmr.model.fair_share import QueuePlace
from cloudmr.model.forecasts import Forecast
from cloudmr.model.people import Caller
from cloudmr.model.platforms import Need, Platform, PlatformChoice, choose_platform
from cloudmr.model.prices import Price, price_of
from cloudmr.model.unit_choice import UnitChoice, choose_unit
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode
from cloudmr.model.workload import kind_of, workload
from cloudmr.services.brain import Brain
from cloudmr.services.queue_places import place_if_submitted
from mroptimum.task import FileReference, TaskDocument

_N_COMPARED = 100
"""So many jobs of a kind are looked at to say how good our estimates are."""
_MEMORY_MARGIN = 1.5
"""On a machine that is chosen for the job: what it is expected to need, and half as much again."""


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """What is asked for. `document` is `{"task": …, "output": …}` as it came, not yet validated.

    `platform` and `deadline_s` are chosen for whoever leaves them out; `rerun_of` is the job this one repeats.
    """

    document: object
    app_name: str = APP_NAME
    alias: str | None = None
    mode: Mode | None = None
    unit_id: str | None = None
    platform: Platform | None = None
    deadline_s: int | None = None
    idempotency_key: str | None = None
    rerun_of: str | None = None


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """What would become of it. `is_from_bytes` says that nobody told how large the acquisition is.

    `accuracy` compares what was said of earlier jobs of this kind with what they took; None: too few, or not asked for.
    `queue_place` is the one it would have now; None for a job that has one of its own, being submitted.
    """

    files: Sequence[DataFile]
    choice: UnitChoice
    platform: PlatformChoice
    kind: str
    estimate: Estimate
    forecast: Forecast
    price: Price
    is_from_bytes: bool
    accuracy: Accuracy | None = None
    queue_place: QueuePlace | None = None


def estimate_job(brain: Brain, caller: Caller, order: JobOrder) -> JobPlan:
    """Return what would become of a job, and ask for nothing. Raises what `submit_job` raises, limits left aside."""
    document = task_of(order)
    with brain.database.read() as transaction:
        plan = plan_job(brain, transaction, caller, order, document)
        return replace(
            plan,
            accuracy=accuracy(transaction.jobs.ratios(plan.kind, limit=_N_COMPARED)),
            queue_place=place_if_submitted(brain, transaction, plan.choice.unit, caller.id),
        )


def task_of(order: JobOrder) -> TaskDocument:
    """Return the task of an order, validated. Raises `TaskError`, `InvalidRequest` for another application."""
    if order.app_name != APP_NAME:
        raise InvalidRequest("There is no such application.", f"Submit jobs for {APP_NAME}.")
    return TaskDocument.parse(order.document)


def plan_job(
    brain: Brain,
    transaction: Transaction,
    caller: Caller,
    order: JobOrder,
    document: TaskDocument,
    *,
    for_change: bool = False,
) -> JobPlan:
    """Return what would become of a job; `for_change` keeps its data files until the transaction ends."""
    files = _inputs(transaction, caller, document, for_change=for_change)
    choice = choose_unit(
        transaction.units.open_to(caller.id, app_name=order.app_name),
        unit_id=order.unit_id,
        mode=order.mode,
        data_unit_ids=frozenset(file.unit_id for file in files.values()),
    )
    _check_buckets(document, choice.unit)
    sizes_bytes = [file.size_bytes for file in files.values()]
    signal = next(iter(files.values()), None)
    work = workload(document, signal=signal.acquisition if signal else None, input_sizes_bytes=sizes_bytes)
    effort = calibration().effort(work.work)
    platform = choose_platform(_need(effort, sizes_bytes), platforms_of(choice.unit), wanted=order.platform)
    seconds = max(1.0, round(effort.seconds / platform.platform.relative_speed, 1))
    price = price_of(
        platform.platform,
        platform.size,
        seconds=seconds,
        input_bytes=sum(sizes_bytes),
        output_bytes=effort.output_bytes,
        n_output_files=EXPECTED_FILES,
        region=choice.unit.region,
    )
    return JobPlan(
        files=list(files.values()),
        choice=choice,
        platform=platform,
        kind=kind_of(document),
        estimate=estimate(
            sizes_bytes,
            most_bytes=brain.limits.most_memory_bytes,
            machine_bytes=platform.size.memory_bytes if platform.size else None,
            deadline_s=choose_deadline(seconds, wanted_s=order.deadline_s),
            basis=work.basis,
        ),
        forecast=Forecast(
            seconds=seconds,
            memory_bytes=effort.memory_bytes,
            output_bytes=effort.output_bytes,
            price_microdollars=price.microdollars,
        ),
        price=price,
        is_from_bytes=signal is None or signal.acquisition is None,
    )


def platforms_of(unit: ComputingUnit) -> frozenset[Platform]:
    """Return what a unit runs jobs on: a machine of its own, or what AWS has."""
    if unit.aws_account_id is None:
        return frozenset({Platform.LOCAL})
    return frozenset({Platform.LAMBDA, Platform.FARGATE})


def _need(effort: Effort, sizes_bytes: Sequence[int]) -> Need:
    return Need(
        memory_bytes=round(_MEMORY_MARGIN * effort.memory_bytes),
        disk_bytes=disk_bytes(sizes_bytes) + effort.output_bytes,
        seconds=effort.seconds,
    )


def _inputs(
    transaction: Transaction, caller: Caller, document: TaskDocument, *, for_change: bool
) -> dict[str, DataFile]:
    """Return the caller's data files that a task refers to, by key, each once, in the order of the task."""
    found: dict[str, DataFile] = {}
    for reference in document.files():
        key = _key(reference)
        if key in found:
            continue
        data_file = transaction.data_files.by_key(caller.id, key, for_change=for_change)
        if data_file is None or data_file.state is DataState.DELETED:
            raise NotFound("data file")
        if data_file.state is not DataState.READY:
            raise Conflict("A data file of the task is not complete.", "Finish its upload.", code="data_not_ready")
        found[key] = data_file
    return found


def _key(reference: FileReference) -> str:
    options = reference.options
    if options.type != "s3":
        raise InvalidRequest(
            "The task refers to a file that is not in a computing unit.",
            "Upload the file and refer to it by the bucket and key of the data file.",
            code="file_not_uploaded",
        )
    return options.key or ""


def _check_buckets(document: TaskDocument, unit: ComputingUnit) -> None:
    if any(reference.options.bucket != unit.data_bucket for reference in document.files()):
        raise InvalidRequest(
            f"The task refers to another bucket than that of the data, {unit.data_bucket}.",
            "Refer to each file by the bucket and key of its data file.",
            code="wrong_bucket",
        )
