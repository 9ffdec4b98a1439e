"""`cloudmr serve` and `cloudmr settings`: a Brain on this machine."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cloudmr.cli.exit_codes import EPILOG
from cloudmr.cli.layout import Table
from cloudmr.cli.terminal import AsJson, answering

app = typer.Typer()


@app.command(epilog=EPILOG)
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen at. \\[default: CLOUDMR_HOST, 127.0.0.1]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 is any free one. \\[default: CLOUDMR_PORT, 8000]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start CloudMR Brain on this machine, with a computing unit of its own, until it is interrupted."""
    with answering(as_json) as terminal:
        from cloudmr.settings import Settings
        from cloudmr.wiring import serve as serve_brain

        given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        settings = Settings.from_environment(os.environ).evolve(**given)

        def ready(url: str) -> None:
            terminal.answer({"url": url, "home": str(settings.home)}, f"CloudMR Brain is at {url}")
            terminal.note(f"`cloudmr register --api-url {url}` makes an account there. Ctrl-C ends it; jobs go on.")

        serve_brain(settings, ready=ready)


@app.command(epilog=EPILOG)
def settings(as_json: AsJson = False) -> None:
    """Show the settings of a Brain started here, where each came from, and no secret."""
    with answering(as_json) as terminal:
        from cloudmr.settings import Settings

        rows = list(Settings.from_environment(os.environ).describe())
        terminal.answer(
            [{"name": row.name, "value": row.value, "source": row.source, "meaning": row.meaning} for row in rows],
            Table(
                columns=("name", "value", "source", "meaning"),
                rows=tuple((row.name, row.value, row.source, row.meaning) for row in rows),
            ),
        )
