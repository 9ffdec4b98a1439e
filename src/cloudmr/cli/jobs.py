"""`cloudmr job`: to ask for a job, to see how it stands, to end it, to get what it left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cloudmr.cli.data import Overwrite, upload_file
from cloudmr.cli.exit_codes import EPILOG, ExitCode
from cloudmr.cli.following import watch as watch_job
from cloudmr.cli.placement import local, placed
from cloudmr.cli.session import KeepHeaders, ModeOption, UnitOption, signed_in
from cloudmr.cli.terminal import AsCsv, AsJson, Terminal, byte_bar
from cloudmr.cli.views import job_record, job_table, log_lines, plan_record
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.jobs import JobState
from cloudmr.model.platforms import Platform
from mroptimum.cli.options import with_flags
from mroptimum.flags import Flags

if TYPE_CHECKING:
    from cloudmr.client.answers import Job
    from cloudmr.client.brain import BrainClient
    from mroptimum.task import FileReference, TaskDocument

app = typer.Typer(no_args_is_help=True, help="Jobs: estimate, submit, list, show, watch, cancel, download, share.")

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="`cloudmr job list` shows them.")]
FILE_OR_ID = "FILE|DATA_ID"
TaskFile = Annotated[
    Path | None, typer.Argument(metavar="[TASK.json]", help="A task document; its local files are uploaded.")
]
Signal = Annotated[str | None, typer.Option(metavar=FILE_OR_ID, help="Raw data with the signal.")]
Noise = Annotated[str | None, typer.Option(metavar=FILE_OR_ID, help="Raw data with the noise scan.")]
Second = Annotated[str | None, typer.Option(metavar=FILE_OR_ID, help="The second repetition or image.")]
PlatformOption = Annotated[
    Platform | None, typer.Option(help="Where in the unit it runs. \\[default: the smallest that is large enough]")
]
DeadlineOption = Annotated[
    float | None, typer.Option("--deadline", metavar="HOURS", help="When it is ended, 48 at most. \\[default: 6]")
]
_EITHER = "Give either a task file, or --signal with what belongs to it."


@app.command(epilog=EPILOG)
@with_flags
def submit(
    task_file: TaskFile = None,
    signal: Signal = None,
    noise: Noise = None,
    second: Second = None,
    *,
    flags: Flags,
    alias: Annotated[str | None, typer.Option("--name", help="What to call the job.")] = None,
    unit: UnitOption = None,
    mode: ModeOption = None,
    platform: PlatformOption = None,
    deadline_h: DeadlineOption = None,
    keep_headers: KeepHeaders = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Wait for the end of the job, and show how far it is.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Wait for the end, and bring what the job leaves into this folder."),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Ask for a job, by a task file or by --signal and the flags of `mroptimum snr`; local files are uploaded first."""
    with signed_in(as_json) as (brain, terminal):
        document = _document(brain, task_file, signal, noise, second, flags)

        def place(path: Path) -> FileReference:
            return upload_file(brain, path, terminal, unit=unit, mode=mode, keep_headers=keep_headers).reference

        job = brain.submit(
            placed(document, place),
            alias=alias,
            unit_id=unit,
            mode=mode,
            platform=platform,
            deadline_s=_seconds(deadline_h),
        )
        if not (watch or output):
            terminal.answer(_values(job), f"{job.job_id}  {job.status} on {job.computing_unit.alias}. {job.reason}")
            return
        terminal.note(f"Submitted {job.job_id} to {job.computing_unit.alias}.")
        with _goes_on(terminal, job.job_id):
            job = watch_job(brain, job.job_id)
        if output:
            _bring_files(brain, job.job_id, output, overwrite=overwrite)
        _end(terminal, job)
        if not output:
            _say_how_to_get_it(terminal, job)


@app.command(epilog=EPILOG)
@with_flags
def estimate(
    task_file: TaskFile = None,
    signal: Signal = None,
    noise: Noise = None,
    second: Second = None,
    *,
    flags: Flags,
    unit: UnitOption = None,
    mode: ModeOption = None,
    platform: PlatformOption = None,
    deadline_h: DeadlineOption = None,
    keep_headers: KeepHeaders = False,
    as_json: AsJson = False,
) -> None:
    """Say where a job would run, how long it would take, what it would need and cost; local files are uploaded first.

    Nothing is asked for: `cloudmr job submit` with the same options does that.
    """
    with signed_in(as_json) as (brain, terminal):
        document = _document(brain, task_file, signal, noise, second, flags)

        def place(path: Path) -> FileReference:
            return upload_file(brain, path, terminal, unit=unit, mode=mode, keep_headers=keep_headers).reference

        plan = brain.estimate(
            placed(document, place), unit_id=unit, mode=mode, platform=platform, deadline_s=_seconds(deadline_h)
        )
        terminal.answer(plan.model_dump(mode="json", by_alias=True), plan_record(plan))
        if plan.is_from_bytes:
            terminal.warn("nothing is known of these data but their size; the estimate is rough.")


@app.command("list", epilog=EPILOG)
def list_(
    state: Annotated[list[JobState] | None, typer.Option(help="Only jobs in this state; may be repeated.")] = None,
    unit: Annotated[str | None, typer.Option(metavar="ID", help="Only jobs of this computing unit.")] = None,
    text: Annotated[str | None, typer.Option(help="Only jobs with this in their name.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only jobs submitted at this time or later.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only jobs submitted before this time.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 50,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List your jobs, the latest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        found = brain.jobs(
            state or (),
            unit_id=unit,
            text=text,
            created_from=since.astimezone() if since else None,
            created_to=until.astimezone() if until else None,
        )
        jobs = list(islice(found, limit))
        terminal.answer([_values(job) for job in jobs], job_table(jobs))


@app.command(epilog=EPILOG)
def show(job_id: JobId, as_json: AsJson = False) -> None:
    """Show how a job stands: where it runs and why, how far it is, how it ended."""
    with signed_in(as_json) as (brain, terminal):
        job = brain.job(job_id)
        terminal.answer(_values(job), job_record(job))


@app.command(epilog=EPILOG)
def watch(job_id: JobId, as_json: AsJson = False) -> None:
    """Wait for the end of a job, and show how far it is. To interrupt this does not end the job."""
    with signed_in(as_json) as (brain, terminal):
        with _goes_on(terminal, job_id):
            job = watch_job(brain, job_id)
        _end(terminal, job)
        _say_how_to_get_it(terminal, job)


@app.command(epilog=EPILOG)
def log(job_id: JobId, as_json: AsJson = False) -> None:
    """Show what happened to a job, and what its worker said so far."""
    with signed_in(as_json) as (brain, terminal):
        found = brain.job_log(job_id)
        terminal.answer(found.model_dump(mode="json", by_alias=True), "\n".join(log_lines(found)))


@app.command(epilog=EPILOG)
def cancel(job_id: JobId, as_json: AsJson = False) -> None:
    """Ask for the end of a job."""
    with signed_in(as_json) as (brain, terminal):
        job = brain.cancel(job_id)
        terminal.answer(_values(job), f"{job.job_id}  {job.status}{'' if job.has_ended else ', will be cancelled'}")


@app.command(epilog=EPILOG)
def download(
    job_id: JobId,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder (with --zip: file) to write. \\[default: the job's id]"),
    ] = None,
    as_zip: Annotated[bool, typer.Option("--zip", help="One zip file instead of a folder.")] = False,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Bring what an ended job left: maps, report and all, or what is known of its failure.

    Every file is held to the SHA-256 in the manifest. A download that was interrupted goes on where it stopped.
    """
    with signed_in(as_json) as (brain, terminal):
        if as_zip:
            path = output or Path(f"{job_id}.zip")
            files = [_bring_package(brain, job_id, path, overwrite=overwrite)]
        else:
            path = output or Path(job_id)
            files = _bring_files(brain, job_id, path, overwrite=overwrite)
        terminal.answer({"path": str(path), "files": [str(file) for file in files]}, "\n".join(map(str, files)))


def _document(
    brain: BrainClient,
    task_file: Path | None,
    signal: str | None,
    noise: str | None,
    second: str | None,
    flags: Flags,
) -> TaskDocument:
    """Return the task that was given, as a file or by flags; its files may be local."""
    if (task_file is None) == (signal is None):
        raise typer.BadParameter(_EITHER)
    if signal is not None:
        return flags.document(_given(brain, signal), _if_given(brain, noise), _if_given(brain, second))
    if task_file is None or (flags, noise, second) != (Flags(), None, None):
        raise typer.BadParameter(_EITHER)
    from mroptimum.task_file import read_task_file

    return read_task_file(task_file)


def _seconds(hours: float | None) -> int | None:
    return None if hours is None else round(3600 * hours)


def _if_given(brain: BrainClient, text: str | None) -> FileReference | None:
    return None if text is None else _given(brain, text)


def _given(brain: BrainClient, text: str) -> FileReference:
    """Return the reference to what was given on the command line: a data file by its id, or a file of this machine."""
    return brain.data_file(text).reference if is_id(Kind.DATA, text) else local(Path(text))


def _bring_files(brain: BrainClient, job_id: str, folder: Path, *, overwrite: bool) -> list[Path]:
    result = brain.result(job_id)
    if not result.files:
        return []
    with byte_bar("Downloading", sum(file.size_bytes for file in result.files)) as advance:
        return brain.download_files(result, folder, overwrite=overwrite, advance=advance)


def _bring_package(brain: BrainClient, job_id: str, path: Path, *, overwrite: bool) -> Path:
    result = brain.result(job_id)
    with byte_bar("Downloading", result.package.size_bytes if result.package else 0) as advance:
        brain.download_package(result, path, overwrite=overwrite, advance=advance)
    return path


@contextmanager
def _goes_on(terminal: Terminal, job_id: str) -> Iterator[None]:
    """Say to whoever stops watching, or can watch no longer, that the job is not stopped by that."""
    from cloudmr.client.errors import BrainUnreachable

    try:
        yield
    except (KeyboardInterrupt, BrainUnreachable):
        terminal.note(f"\n{job_id} goes on; look again with `cloudmr job watch {job_id}`.")
        raise


def _end(terminal: Terminal, job: Job) -> None:
    """Print a job that has ended, and end the command as the job ended."""
    terminal.answer(_values(job), job_record(job))
    if not job.succeeded:
        raise typer.Exit(ExitCode.FAILED)


def _say_how_to_get_it(terminal: Terminal, job: Job) -> None:
    terminal.note(f"Its maps: `cloudmr job download {job.job_id} -o out/`")


def _values(job: Job) -> dict[str, Any]:
    return job.model_dump(mode="json", by_alias=True)
