"""`cloudmr job share|unshare|shares|shared`: letting others look at a job, and looking at theirs."""

from __future__ import annotations

from typing import Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.job_changes import JobId
from cloudmr.cli.layout import local_time
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsCsv, AsJson
from cloudmr.cli.views import share_table, shared_table

app = typer.Typer()


@app.command(epilog=EPILOG)
def share(
    job_id: JobId,
    email: Annotated[str | None, typer.Option("--with", metavar="EMAIL", help="The person to share it with.")] = None,
    link: Annotated[bool, typer.Option("--link", help="Share it with whoever has the link.")] = False,
    days: Annotated[int | None, typer.Option(help="How long. \\[default: 14]")] = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody look at a job: its state, history, log and results, not its data files."""
    if (email is None) is not link:
        raise typer.BadParameter("give either --with EMAIL or --link.")
    with signed_in(as_json) as (brain, terminal):
        made = brain.sharing.share(job_id, email=email, days=days)
        terminal.answer(made.model_dump(mode="json", by_alias=True), made.link or f"{made.share_id}  {made.email}")
        terminal.note(f"It ends {local_time(made.expires_at)}; before that by: cloudmr job unshare {job_id}")


@app.command(epilog=EPILOG)
def unshare(
    job_id: JobId,
    share_id: Annotated[str | None, typer.Argument(help="One share only; `cloudmr job shares` shows them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let nobody look at a job any longer."""
    with signed_in(as_json) as (brain, terminal):
        brain.sharing.unshare(job_id, share_id)
        terminal.answer({"job_id": job_id, "share_id": share_id}, f"{share_id or job_id} is shared no longer.")


@app.command(epilog=EPILOG)
def shares(job_id: JobId, as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List with whom a job is shared."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        found = brain.sharing.of_job(job_id)
        terminal.answer([one.model_dump(mode="json", by_alias=True) for one in found], share_table(found))


@app.command(epilog=EPILOG)
def shared(as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List the jobs that others let you look at; `show`, `log`, `events`, `result` and `download` work for them."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        found = list(brain.sharing.with_me())
        terminal.answer([one.model_dump(mode="json", by_alias=True) for one in found], shared_table(found))
