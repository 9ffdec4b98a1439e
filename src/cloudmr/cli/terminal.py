"""The two streams: standard output holds what was asked for, standard error everything else.

With `--json` standard output is one JSON document and nothing else, an error included.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cloudmr.cli.exit_codes import ExitCode, exit_code_of
from cloudmr.cli.extras import missing_extra
from cloudmr.cli.layout import Record, Table, printable
from cloudmr.client.errors import LocalFileError
from cloudmr.client.progress import Advance, unheard
from cloudmr.model.csv_text import csv_lines
from mroptimum.errors import ExplainedError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

AsCsv = Annotated[bool, typer.Option("--csv", help="Print a table for spreadsheets, with every field.")]


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """Where a command prints."""

    as_json: bool = False
    as_csv: bool = False

    def answer(self, value: Any, view: Table | Record | str) -> None:
        """Print what was asked for: as JSON, a list also as CSV, or as it looks."""
        if self.as_json:
            typer.echo(json.dumps(value, indent=1))
        elif self.as_csv:
            _print_csv(value)
        elif isinstance(view, str):
            typer.echo("\n".join(map(printable, view.split("\n"))))
        elif sys.stdout.isatty():
            _print_rich(view)
        else:
            for line in view.lines():
                typer.echo(line)

    def note(self, text: str) -> None:
        """Say something beside what was asked for."""
        typer.echo("\n".join(map(printable, text.split("\n"))), err=True)

    def warn(self, text: str) -> None:
        """Say something that should not be overlooked."""
        typer.secho(f"warning: {printable(text)}", fg="yellow", err=True)

    def fail(self, error: ExplainedError) -> NoReturn:
        """Print an error, and end the command as that error ends it."""
        explanation = error.explain()
        if self.as_json:
            typer.echo(json.dumps({"error": explanation}, indent=1))
        else:
            typer.secho(f"{explanation['code']}: {printable(explanation['message'])}", fg="red", err=True)
            typer.echo(f"Next: {printable(explanation['next_step'])}", err=True)
        raise typer.Exit(exit_code_of(error))


@contextmanager
def answering(as_json: bool = False, as_csv: bool = False) -> Iterator[Terminal]:
    """Give a command its terminal, and end it in words and with the right exit code whatever happens in it."""
    terminal = Terminal(as_json=as_json, as_csv=as_csv)
    try:
        yield terminal
    except ExplainedError as error:
        terminal.fail(error)
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        terminal.fail(missing)
    except BrokenPipeError:
        raise  # whoever read the output has seen enough; Typer ends quietly
    except OSError as error:
        terminal.fail(LocalFileError.of(Path(error.filename or "A file"), error))
    except KeyboardInterrupt:
        terminal.note("\nInterrupted.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a list of records with the columns they all have; what is a record itself stands there as JSON."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = ([_cell(row.get(column)) for column in columns] for row in rows)
    for line in csv_lines(columns, cells):
        typer.echo(line.removesuffix("\r\n"))


def _cell(value: Any) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else value


def _print_rich(view: Table | Record) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    if isinstance(view, Table):
        grid = RichTable(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for column in view.columns:
            grid.add_column(column, overflow="fold")
        rows = view.rows
    else:
        grid = RichTable(box=None, padding=(0, 2, 0, 0), show_header=False)
        grid.add_column(style="dim")
        grid.add_column(overflow="fold")
        rows = tuple(field for field in view.fields if field[1])
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(grid)


@contextmanager
def byte_bar(label: str, total_bytes: int) -> Iterator[Advance]:
    """Show a transfer on standard error: as a bar on a terminal, as a line when it is done elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield unheard
        typer.echo(f"{label}: {total_bytes} bytes", err=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(printable(label), total=total_bytes)
        yield lambda n_bytes: bar.advance(task, n_bytes)
