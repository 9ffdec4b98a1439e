"""`cloudmr admin`: what administrators do, over the API but for the first of them, who is made on the server."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cloudmr.cli.accounts import Email, Password, asked, choose_password
from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.people_views import audit_table, failure_table, queue_table, user_record, user_table
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsCsv, AsJson, answering
from cloudmr.model.people import AccountStatus

app = typer.Typer(no_args_is_help=True, help="For administrators: accounts, limits, the queue, failures, the audit.")

UserId = Annotated[str, typer.Argument(metavar="USER_ID", help="`cloudmr admin users` shows them.")]


@app.command(epilog=EPILOG)
def create(email: Email = None, password: Password = None, as_json: AsJson = False) -> None:
    """On the server: make an account that administrates, or let one that is there do so.

    It works on the database that CLOUDMR_HOME or DATABASE_URL names, whether a Brain runs there or not.
    """
    with answering(as_json) as terminal:
        from cloudmr.services.administration import create_admin
        from cloudmr.settings import Settings
        from cloudmr.wiring import on_the_server

        email = email or asked("E-mail address")
        with on_the_server(Settings.from_environment(os.environ)) as brain:
            secret = choose_password(terminal, password, is_new=True)
            account = create_admin(brain, email=email, password=secret)
        terminal.answer(
            {"user_id": account.id, "email": account.email, "is_admin": account.is_admin},
            f"{account.email} ({account.id}) administrates this CloudMR Brain.",
        )


@app.command(epilog=EPILOG)
def users(
    search: Annotated[str | None, typer.Option(help="Only those with this in their address or name.")] = None,
    status: Annotated[AccountStatus | None, typer.Option(help="Only those.")] = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List accounts, the latest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        found = list(brain.administration.users(search=search, status=status))
        terminal.answer([user.model_dump(mode="json") for user in found], user_table(found))


@app.command(epilog=EPILOG)
def show(user_id: UserId, as_json: AsJson = False) -> None:
    """Show one account and its limits."""
    with signed_in(as_json) as (brain, terminal):
        user = brain.administration.user(user_id)
        terminal.answer(user.model_dump(mode="json"), user_record(user))


@app.command(epilog=EPILOG)
def suspend(
    user_id: UserId,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit trail.")],
    as_json: AsJson = False,
) -> None:
    """Close an account: its sessions and tokens end, its jobs go on."""
    with signed_in(as_json) as (brain, terminal):
        user = brain.administration.suspend(user_id, reason=reason)
        terminal.answer(user.model_dump(mode="json"), user_record(user))


@app.command(epilog=EPILOG)
def activate(user_id: UserId, reason: Annotated[str, typer.Option(help="Why.")] = "", as_json: AsJson = False) -> None:
    """Open an account that was suspended, or that waits for its mail."""
    with signed_in(as_json) as (brain, terminal):
        user = brain.administration.activate(user_id, reason=reason)
        terminal.answer(user.model_dump(mode="json"), user_record(user))


@app.command(epilog=EPILOG)
def limits(
    user_id: UserId,
    monthly: Annotated[int | None, typer.Option(help="Jobs a calendar month.")] = None,
    running: Annotated[int | None, typer.Option(help="Jobs that run at once.")] = None,
    queued: Annotated[int | None, typer.Option(help="Jobs that wait.")] = None,
    stored_bytes: Annotated[int | None, typer.Option(help="Bytes of all data files.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set what one person gets of the shared place; what is not given is as for everybody."""
    with signed_in(as_json) as (brain, terminal):
        from cloudmr.client.people_answers import PersonLimits

        wanted = PersonLimits(n_monthly=monthly, n_running=running, n_queued=queued, stored_bytes=stored_bytes)
        user = brain.administration.set_limits(user_id, wanted)
        terminal.answer(user.model_dump(mode="json"), user_record(user))


@app.command(epilog=EPILOG)
def queue(as_csv: AsCsv = False, as_json: AsJson = False) -> None:
    """List everybody's jobs that have not ended, the latest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        jobs = list(brain.administration.queue())
        terminal.answer([job.model_dump(mode="json") for job in jobs], queue_table(jobs))


@app.command(epilog=EPILOG)
def failures(
    days: Annotated[int, typer.Option(min=1, max=366, help="How far back.")] = 7,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List everybody's jobs that ended without success, with their causes, the latest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        jobs = list(brain.administration.failures(days=days))
        terminal.answer([job.model_dump(mode="json") for job in jobs], failure_table(jobs))


@app.command(epilog=EPILOG)
def audit(
    user: Annotated[str | None, typer.Option(metavar="USER_ID", help="Only the trail of this account.")] = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List what happened to everybody's accounts and things, the latest first."""
    with signed_in(as_json, as_csv) as (brain, terminal):
        entries = list(brain.administration.audit(user_id=user))
        terminal.answer([entry.model_dump(mode="json") for entry in entries], audit_table(entries))
