"""How the nouns look in text: from what the API answers to tables, records and lines, without printing anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cloudmr.cli.layout import Record, Table, in_bytes, local_time
from cloudmr.model.prices import in_dollars

if TYPE_CHECKING:
    from cloudmr.client.answers import (
        Actual,
        ComputingUnit,
        DataFile,
        Failure,
        Forecast,
        Job,
        JobEvent,
        JobLog,
        ResultFile,
    )
    from cloudmr.client.plan_answers import Accuracy, Calibration, Plan, Quota
    from cloudmr.client.sharing import Share, SharedJob


def data_table(files: Iterable[DataFile]) -> Table:
    """Return data files, one a row."""
    return Table(
        columns=("id", "name", "size", "state", "unit", "uploaded", "kept until"),
        rows=tuple(
            (
                file.id,
                file.filename,
                in_bytes(file.size_bytes),
                file.state,
                file.computing_unit_id,
                local_time(file.created_at),
                local_time(file.restorable_until or file.expires_at),
            )
            for file in files
        ),
    )


def unit_table(units: Iterable[ComputingUnit]) -> Table:
    """Return computing units, one a row."""
    return Table(
        columns=("id", "name", "mode", "provider", "status", "default", "region", "checked"),
        rows=tuple(
            (
                unit.computing_unit_id,
                unit.alias,
                unit.mode,
                unit.provider,
                unit.status,
                "yes" if unit.is_default else "",
                unit.region or "",
                local_time(unit.last_checked_at),
            )
            for unit in units
        ),
    )


def job_table(jobs: Iterable[Job]) -> Table:
    """Return jobs, one a row."""
    return Table(
        columns=("id", "name", "status", "unit", "submitted", "ended"),
        rows=tuple(
            (
                job.job_id,
                job.alias,
                job.status,
                job.computing_unit.alias,
                local_time(job.created_at),
                local_time(job.ended_at),
            )
            for job in jobs
        ),
    )


def job_record(job: Job) -> Record:
    """Return everything a person may want to know of one job."""
    progress = job.progress if job.progress and not job.has_ended else None
    return Record(
        fields=(
            ("id", job.job_id),
            ("name", job.alias),
            ("status", job.status),
            (
                "place in the queue",
                f"{job.queue_place.place} of {job.queue_place.n_waiting}" if job.queue_place else "",
            ),
            ("waits because", job.waiting_reason or ""),
            ("step", progress_text(progress.done, progress.total, progress.message) if progress else ""),
            ("unit", f"{job.computing_unit.alias} ({job.computing_unit.mode})"),
            ("why there", job.reason),
            ("platform", job.platform),
            ("expected", _taken(job.forecast) if job.forecast else ""),
            ("taken", _taken(job.actual) if job.actual else ""),
            ("repeats", job.rerun_of or ""),
            ("attempt", str(job.attempt or "")),
            ("data files", ", ".join(job.data_ids)),
            ("submitted", local_time(job.created_at)),
            ("started", local_time(job.started_at)),
            ("cancel asked for", local_time(job.cancel_requested_at)),
            ("ended", local_time(job.ended_at)),
            ("kept until", local_time(job.expires_at)),
            ("can be restored until", local_time(job.restorable_until)),
            *failure_fields(job.failure),
        )
    )


def failure_fields(failure: Failure | None) -> tuple[tuple[str, str], ...]:
    """Return the three things that every error says."""
    if failure is None:
        return ()
    return (("error", failure.code), ("what happened", failure.message), ("next", failure.next_step))


def progress_text(done: int, total: int, message: str) -> str:
    """Return how far a job is, in words; a total of 0 is not known."""
    return f"{done} of {total}: {message}" if done < total else message


def log_lines(log: JobLog) -> Iterator[str]:
    """Yield what happened to a job and what its worker said, in the order of time."""
    happened = [(event.at, "job", event.reason) for event in log.events]
    said = [(line.at, line.level, line.message) for line in log.lines]
    for at, kind, text in sorted(happened + said, key=lambda entry: entry[0]):
        yield f"{local_time(at)}  {kind:7}  {text}"
    if not log.is_available:
        yield "The computing unit does not show what the worker said."


def plan_record(plan: Plan) -> Record:
    """Return what would become of a job."""
    price = plan.price
    return Record(
        fields=(
            ("unit", f"{plan.computing_unit.alias} ({plan.computing_unit.mode})"),
            ("why there", plan.reason),
            ("platform", plan.platform),
            ("why that", plan.platform_reason),
            ("queue", f"place {plan.queue_place.place} now. {plan.queue_place.reason}" if plan.queue_place else ""),
            ("time", f"about {_duration(plan.forecast.seconds)}"),
            ("memory", f"about {in_bytes(plan.forecast.memory_bytes)}; {in_bytes(plan.estimate.memory_bytes)} allowed"),
            ("disk", f"{in_bytes(plan.estimate.disk_bytes)} allowed"),
            ("results", f"about {in_bytes(plan.forecast.output_bytes)}"),
            ("deadline", _duration(plan.estimate.deadline_s)),
            ("price", f"{price.text}, paid by {price.paid_by}"),
            *((f"  {line.item}", f"{in_dollars(line.microdollars)}  {line.quantity}") for line in price.lines),
            ("not in the price", ", ".join(price.left_out)),
            ("reckoned from", plan.estimate.basis),
            ("how good it is", _goodness(plan.calibration)),
            ("so far", _so_far(plan.accuracy) if plan.accuracy else ""),
        )
    )


def event_table(events: Iterable[JobEvent]) -> Table:
    """Return what happened to a job, one event a row."""
    return Table(
        columns=("at", "what", "from", "to", "why"),
        rows=tuple(
            (local_time(event.at), event.action, event.old or "", event.new or "", event.reason) for event in events
        ),
    )


def result_table(files: Iterable[ResultFile]) -> Table:
    """Return the files that a job left, one a row."""
    return Table(columns=("name", "size"), rows=tuple((file.name, in_bytes(file.size_bytes)) for file in files))


def share_table(shares: Iterable[Share]) -> Table:
    """Return with whom a job is shared, one share a row."""
    return Table(
        columns=("id", "with", "since", "until"),
        rows=tuple(
            (one.share_id, one.email or "whoever has the link", local_time(one.created_at), local_time(one.expires_at))
            for one in shares
        ),
    )


def shared_table(shared: Iterable[SharedJob]) -> Table:
    """Return jobs that others shared, one a row."""
    return Table(
        columns=("id", "name", "status", "shared by", "until"),
        rows=tuple(
            (one.job.job_id, one.job.alias, one.job.status, one.shared_by, local_time(one.shared_until))
            for one in shared
        ),
    )


def quota_table(quota: Quota) -> Table:
    """Return what there is of the shared unit, one limit a row."""
    stored = quota.stored_bytes
    return Table(
        columns=("at the shared unit", "used", "limit"),
        rows=(
            (
                f"jobs until {quota.month_ends_at:%Y-%m-%d} (UTC)",
                str(quota.jobs_this_month.used),
                str(quota.jobs_this_month.limit),
            ),
            ("jobs running", str(quota.running.used), str(quota.running.limit)),
            ("jobs waiting", str(quota.queued.used), str(quota.queued.limit)),
            ("data files", in_bytes(stored.used), in_bytes(stored.limit)),
        ),
    )


def _goodness(calibration: Calibration) -> str:
    tried = f"{calibration.machine}, {calibration.measured_on}"
    return f"off by {calibration.median_error_percent:g} % in the middle where it was tried ({tried})"


def _so_far(accuracy: Accuracy) -> str:
    times = f"{accuracy.median_ratio:.2f} times as long, nine of ten at most {accuracy.p90_ratio:.2f} times"
    return f"{accuracy.n_jobs} jobs took {times}"


def _taken(taken: Forecast | Actual) -> str:
    return f"{_duration(taken.seconds)}, {in_dollars(taken.price_microdollars)}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.3g} h"
