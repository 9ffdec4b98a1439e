"""The command line `cloudmr`, put together. What a command needs is imported when it runs, so `--help` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

import mroptimum
from cloudmr.cli import (
    accounts,
    admin,
    data,
    demo,
    job_changes,
    job_sharing,
    jobs,
    mail_links,
    notifications,
    own_account,
    regions,
    server,
    stacks,
    tokens,
    units,
)
from cloudmr.cli.exit_codes import EPILOG

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="CloudMR Brain: run MR Optimum jobs on computing units, from raw data to SNR maps.",
    epilog=EPILOG,
)
app.add_typer(server.app)
app.add_typer(demo.app)
app.add_typer(accounts.app)
app.add_typer(mail_links.app)
app.add_typer(own_account.app, name="account")
app.add_typer(tokens.app, name="token")
app.add_typer(admin.app, name="admin")
app.add_typer(data.app, name="data")
units.app.add_typer(stacks.app)
app.add_typer(units.app, name="unit")
app.add_typer(regions.app, name="region")
for part in (job_changes, job_sharing):
    jobs.app.add_typer(part.app)
app.add_typer(jobs.app, name="job")
app.add_typer(notifications.app, name="notify")
app.add_typer(notifications.quota_app)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"cloudmr {mroptimum.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
