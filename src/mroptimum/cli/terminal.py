"""The two streams: standard output holds what was asked for, standard error everything else.

With `--json` standard output is one JSON document and nothing else, an error included.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mroptimum.cli.exit_codes import ExitCode
from mroptimum.errors import ExplainedError, MissingExtra

if TYPE_CHECKING:
    from mroptimum.journal import Progress

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Where a command prints."""

    as_json: bool = False

    def json(self, value: object) -> None:
        """Print the one JSON document."""
        typer.echo(json.dumps(value, indent=1, default=str))

    def text(self, text: str) -> None:
        """Print a line of what was asked for."""
        typer.echo(printable(text))

    def record(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Print names and values, one a line."""
        if title:
            self.text(title)
        self._grid([], rows)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows under the names of their columns."""
        self._grid(columns, rows)

    def note(self, text: str) -> None:
        """Say something beside what was asked for."""
        typer.echo(printable(text), err=True)

    def warn(self, text: str) -> None:
        """Say something that should not be overlooked."""
        typer.secho(f"warning: {printable(text)}", fg="yellow", err=True)

    def error(self, error: ExplainedError, **more: str) -> None:
        """Print an error: what it is, why, and what to do next."""
        explanation = error.explain()
        if self.as_json:
            self.json({"error": explanation, **more})
            return
        typer.secho(f"{explanation['code']}: {printable(explanation['message'])}", fg="red", err=True)
        self.note(f"Next: {explanation['next_step']}")
        for name, value in more.items():
            self.note(f"{name}: {value}")

    def _grid(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        cells = [[printable(cell) for cell in row] for row in ([columns, *rows] if columns else rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextmanager
def answering(as_json: bool = False) -> Iterator[Terminal]:
    """Give a command its terminal, and end it in words and with the right exit code whatever happens in it."""
    terminal = Terminal(as_json=as_json)
    try:
        yield terminal
    except ExplainedError as error:
        terminal.error(error)
        raise typer.Exit(ExitCode.USAGE if isinstance(error, MissingExtra) else ExitCode.REFUSED) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"{error.strerror or 'The file cannot be used'}: {error.filename or 'no file named'}."
        terminal.error(
            ExplainedError(what, "Check that the file is there, may be used, and that the disk has room.", code="file")
        )
        raise typer.Exit(ExitCode.REFUSED) from None


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """Show progress as a bar on a terminal, as lines elsewhere, always on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda progress: print(f"[{progress.done}/{progress.total}] {progress.message}", file=sys.stderr)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda progress: bar.update(
            task, completed=progress.done, total=progress.total, description=progress.message
        )
        bar.update(task, description="done", completed=1, total=1)


def in_digits(value: float | None, digits: int = 4) -> str:
    """Return a number as people read it; a dash for none."""
    return "–" if value is None else f"{value:.{digits}g}"


def printable(text: str) -> str:
    """Return a text of somebody else's without what could move the cursor or change colours."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
