"""`cloudmr unit`: where data lie and jobs run."""

from __future__ import annotations

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.session import signed_in
from cloudmr.cli.terminal import AsJson
from cloudmr.cli.views import unit_table

app = typer.Typer(no_args_is_help=True, help="Computing units: where data lie and jobs run.")


@app.command("list", epilog=EPILOG)
def list_(as_json: AsJson = False) -> None:
    """List the computing units you may use, the shared ones first."""
    with signed_in(as_json) as (brain, terminal):
        units = brain.units()
        terminal.answer([unit.model_dump(mode="json", by_alias=True) for unit in units], unit_table(units))


@app.callback()
def _several() -> None:
    """Keep `list` a command of its own while it is the only one."""
