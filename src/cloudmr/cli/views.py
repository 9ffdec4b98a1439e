"""How the nouns look in text: from what the API answers to tables, records and lines, without printing anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cloudmr.cli.layout import Record, Table, in_bytes, local_time

if TYPE_CHECKING:
    from cloudmr.client.answers import ComputingUnit, DataFile, Failure, Job, JobLog


def data_table(files: Iterable[DataFile]) -> Table:
    """Return data files, one a row."""
    return Table(
        columns=("id", "name", "size", "state", "unit", "uploaded"),
        rows=tuple(
            (
                file.id,
                file.filename,
                in_bytes(file.size_bytes),
                file.state,
                file.computing_unit_id,
                local_time(file.created_at),
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
            ("waits because", job.waiting_reason or ""),
            ("step", progress_text(progress.done, progress.total, progress.message) if progress else ""),
            ("unit", f"{job.computing_unit.alias} ({job.computing_unit.mode})"),
            ("why there", job.reason),
            ("attempt", str(job.attempt or "")),
            ("data files", ", ".join(job.data_ids)),
            ("submitted", local_time(job.created_at)),
            ("started", local_time(job.started_at)),
            ("cancel asked for", local_time(job.cancel_requested_at)),
            ("ended", local_time(job.ended_at)),
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
