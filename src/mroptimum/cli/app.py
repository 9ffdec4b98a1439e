"""The commands, put together. What a command needs is imported when it runs, so `--help` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

import mroptimum
from mroptimum.cli import difference, measuring, packages, raw_files, regions
from mroptimum.cli.exit_codes import EPILOG

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="SNR, g-factor and noise maps from multi-coil MR raw data.",
    epilog=EPILOG,
)
app.add_typer(measuring.app)
app.add_typer(difference.app)
app.add_typer(raw_files.app)
app.add_typer(regions.app)
app.add_typer(packages.app)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"mroptimum {mroptimum.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
