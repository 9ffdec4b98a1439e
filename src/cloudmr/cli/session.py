"""What commands have in common that talk to a Brain: who asks, and which unit is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cloudmr.cli.terminal import Terminal, answering
from cloudmr.client.errors import SignInNeeded
from cloudmr.model.units import Mode

if TYPE_CHECKING:
    from cloudmr.client.brain import BrainClient

UnitOption = Annotated[
    str | None, typer.Option("--unit", metavar="ID", help="Computing unit; `cloudmr unit list` shows them.")
]
ModeOption = Annotated[
    Mode | None, typer.Option("--mode", help="A shared computing unit (mode_1) or your own (mode_2).")
]
KeepHeaders = Annotated[
    bool,
    typer.Option(
        "--keep-headers",
        help="Send raw files as they are, to your own unit or to a Brain on this machine, whatever their headers say.",
    ),
]


@contextmanager
def signed_in(as_json: bool, as_csv: bool = False) -> Iterator[tuple[BrainClient, Terminal]]:
    """Give a command its terminal and the Brain it is signed in to; end it with words if it is not."""
    with answering(as_json, as_csv) as terminal:
        from cloudmr.client.brain import BrainClient

        with BrainClient.from_environment() as brain:
            if not brain.is_signed_in:
                raise SignInNeeded(f"You are not signed in to {brain.server}.")
            yield brain, terminal
