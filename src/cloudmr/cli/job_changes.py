"""`cloudmr job rerun|rename|delete|restore|events|result`: what is done to a job that was asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.layout import local_time
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsCsv, AsJson
from cloudmr.cli.views import event_table, result_table

app = typer.Typer()

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="`cloudmr job list` shows them.")]
JobIds = Annotated[list[str], typer.Argument(metavar="JOB_ID…", help="`cloudmr job list` shows them.")]


@app.command(epilog=EPILOG)
def rerun(job_id: JobId, as_json: AsJson = False) -> None:
    """Ask for a job again: the same task on the same unit and data, as a new job."""
    with signed_in(as_json) as (brain, terminal):
        job = brain.rerun(job_id)
        terminal.answer(
            job.model_dump(mode="json", by_alias=True), f"{job.job_id}  {job.status}; it repeats {job.rerun_of}."
        )


@app.command(epilog=EPILOG)
def rename(job_id: JobId, name: str, as_json: AsJson = False) -> None:
    """Call a job something else."""
    with signed_in(as_json) as (brain, terminal):
        job = brain.rename_job(job_id, alias=name)
        terminal.answer(job.model_dump(mode="json", by_alias=True), f"{job.job_id}  {job.alias}")


@app.command(epilog=EPILOG)
def delete(job_ids: JobIds, as_json: AsJson = False) -> None:
    """Delete jobs that have ended; for a while `cloudmr job restore` brings them back."""
    with signed_in(as_json) as (brain, terminal):
        jobs = [brain.delete_job(job_id) for job_id in job_ids]
        lines = [
            f"Deleted {job.job_id}; until {local_time(job.restorable_until)} it can be restored."
            + (" What it left stays in the bucket of your own unit." if job.expires_by == "unit" else "")
            for job in jobs
        ]
        terminal.answer([job.model_dump(mode="json", by_alias=True) for job in jobs], "\n".join(lines))


@app.command(epilog=EPILOG)
def restore(job_ids: JobIds, as_json: AsJson = False) -> None:
    """Bring deleted jobs back, or what jobs left whose time is up."""
    with signed_in(as_json) as (brain, terminal):
        jobs = [brain.restore_job(job_id) for job_id in job_ids]
        lines = [
            f"Restored {job.job_id}." + (f" Kept until {local_time(job.expires_at)}." if job.expires_at else "")
            for job in jobs
        ]
        terminal.answer([job.model_dump(mode="json", by_alias=True) for job in jobs], "\n".join(lines))


@app.command(epilog=EPILOG)
def events(job_id: JobId, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """Show what happened to a job: who did what, and why."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        found = brain.job_log(job_id).events
        terminal.answer([event.model_dump(mode="json", by_alias=True) for event in found], event_table(found))


@app.command(epilog=EPILOG)
def result(job_id: JobId, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List the files that a job left, with --json also the addresses that get them, good for some minutes."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        found = brain.result(job_id)
        files = ([found.package] if found.package else []) + list(found.files)
        terminal.answer([file.model_dump(mode="json", by_alias=True) for file in files], result_table(files))
