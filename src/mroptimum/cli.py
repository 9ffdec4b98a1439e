"""The command line `mroptimum`: the science alone, on this machine, without a network.

Text is for people, `--json` for programs: then standard output holds one JSON document and nothing else, and progress
goes to standard error as always.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

import mroptimum
from mroptimum.errors import ExplainedError, Explanation, TaskError

if TYPE_CHECKING:
    from mroptimum.journal import Progress
    from mroptimum.result import Result
    from mroptimum.task import FileReference, TaskDocument


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    """What was asked for is done."""
    REFUSED = 1
    """The task or the data cannot be used; the reason and the next step are printed."""
    USAGE = 2
    """The command line is wrong, or needs a part that is not installed."""
    NO_SNR = 3
    """The image was made and written; an SNR was not, because nothing says what the noise is."""


EXIT_CODES = "Exit codes: 0 done; 1 refused, with the reason; 2 wrong usage; 3 image written but no SNR possible."

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="SNR, g-factor and noise maps from multi-coil MR raw data.",
    epilog=EXIT_CODES,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
OutputFolder = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for the result package; made, must be empty.")
]
SignalFile = Annotated[Path, typer.Option("--signal", help="Raw file with the signal.", dir_okay=False)]
NoiseFile = Annotated[Path | None, typer.Option("--noise", help="Raw file with the noise scan.", dir_okay=False)]


@app.command(epilog=EXIT_CODES)
def run(
    task_file: Annotated[Path, typer.Argument(metavar="TASK.json", help="A task document, schema v0.", dir_okay=False)],
    output: OutputFolder,
    signal: Annotated[Path | None, typer.Option("--signal", help="Use this file as the signal instead.")] = None,
    noise: NoiseFile = None,
    as_json: Json = False,
) -> None:
    """Do the task in a file."""
    with _explaining(as_json):
        document = _read_task(task_file)
        replaced = {"signal": signal, "noise": noise}
        _do(document, output, lambda reference: _located(reference, document, replaced), as_json)


@app.command(epilog=EXIT_CODES)
def snr(
    signal: SignalFile,
    output: OutputFolder,
    noise: NoiseFile = None,
    method: Annotated[str, typer.Option(help="ac, mr, pmr or cr.")] = "ac",
    reconstruction: Annotated[str, typer.Option(help="rss, b1 or sense.")] = "rss",
    acceleration: Annotated[int | None, typer.Option(help="Default: as the file was sampled.")] = None,
    decimate: Annotated[bool, typer.Option(help="Undersample a full scan by --acceleration.")] = False,
    acs_lines: Annotated[int | None, typer.Option(help="Calibration lines to use or to keep.")] = None,
    coil_maps: Annotated[str | None, typer.Option(help="inner or innerACL.")] = None,
    mask_percentage: Annotated[float | None, typer.Option(help="Count as object from this % of the maximum.")] = None,
    replicas: Annotated[int | None, typer.Option(help="Number of pseudo replicas (pmr, cr).")] = None,
    box_size: Annotated[int | None, typer.Option(help="Half-width of the box of cr, in voxels.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the drawn noise; the same seed gives the same numbers.")] = None,
    noise_estimate: Annotated[
        str | None, typer.Option(help="Without a noise scan: repetitions, kspace_edge or image_corners.")
    ] = None,
    second: Annotated[Path | None, typer.Option(help="File with the second repetition, for repetitions.")] = None,
    coil_sensitivities: Annotated[bool, typer.Option(help="Write the coil maps too.")] = False,
    matlab: Annotated[bool, typer.Option(help="Write matlab.mat too.")] = False,
    as_json: Json = False,
) -> None:
    """Measure SNR from files and flags."""
    from mroptimum.flags import Flags

    with _explaining(as_json):
        flags = Flags(
            method=method,
            reconstruction=reconstruction,
            acceleration=acceleration,
            decimate=decimate,
            acs_lines=acs_lines,
            coil_maps=coil_maps,
            mask_percentage=mask_percentage,
            replicas=replicas,
            box_size=box_size,
            seed=seed,
            noise_estimate=noise_estimate,
            coil_sensitivities=coil_sensitivities,
            matlab=matlab,
        )
        document = flags.document(_local(signal), _local(noise) if noise else None, _local(second) if second else None)
        _do(document, output, lambda reference: Path(reference.options.filename), as_json)


@app.command()
def inspect(file: Annotated[Path, typer.Argument(dir_okay=False)], as_json: Json = False) -> None:
    """Say what a raw file holds, from its headers, and which header fields could identify a person."""
    from mroptimum import rawdata

    with _explaining(as_json):
        found = rawdata.inspect(_existing(file))
    if as_json:
        _print_json(asdict(found))
        return
    _table(
        "",
        [
            ("format", found.file_format),
            ("holds", found.kind),
            ("size", f"{found.size_bytes:,} bytes"),
            ("SHA-256", found.sha256),
            ("identifying fields", ", ".join(found.identifying_fields) or "none filled"),
            *(("note", note) for note in found.notes),
        ],
    )
    for number, measurement in enumerate(found.measurements, start=1):
        _table(f"Measurement {number}", [(key.replace("_", " "), str(value)) for key, value in measurement.items()])


@app.command()
def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the files; made if needed.")],
    as_json: Json = False,
) -> None:
    """Write synthetic raw files (TWIX, ISMRMRD, npz) whose SNR is known in closed form, with the truth beside them."""
    from mroptimum.phantom import write_set

    with _explaining(as_json):
        files = write_set(output)
    if as_json:
        _print_json(
            [{"raw": str(f.raw), "truth": str(f.truth_arrays), "about": str(f.truth_description)} for f in files]
        )
        return
    for written in files:
        typer.echo(f"{written.raw}  (truth: {written.truth_arrays.name}, {written.truth_description.name})")


@app.command()
def schema() -> None:
    """Print the JSON schema of a task document, with every default."""
    from mroptimum.task import TaskDocument

    _print_json(TaskDocument.schema_document())


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


def _do(document: TaskDocument, output: Path, locate: Callable[[FileReference], Path], as_json: bool) -> None:
    from mroptimum.export.package import Provenance, write_failure_package, write_package
    from mroptimum.run import NoSnr
    from mroptimum.run import run as run_task

    _empty_folder(output)
    try:
        with _progress() as show:
            result = run_task(document, locate=lambda reference: _existing(locate(reference)), progress=show)
    except NoSnr as error:
        write_failure_package(
            output,
            error=error.explain(),
            document=document,
            log=error.partial.log,
            provenance=Provenance(),
            partial=error.partial,
        )
        _print_error(error.explain(), as_json, package=str(output))
        raise typer.Exit(ExitCode.NO_SNR) from None
    write_package(result, output, provenance=Provenance())
    summary = _summary(result)
    if as_json:
        _print_json({"package": str(output), "report": str(output / "report.html"), **summary})
        return
    rows = [
        (name, f"{value:.4g}" if isinstance(value, float) else str(value)) for name, value in summary["snr"].items()
    ]
    _table("SNR inside the mask", rows)
    for warning in result.warnings:
        typer.secho(f"warning: {warning}", fg="yellow", err=True)
    typer.echo(f"Report:  {output / 'report.html'}\nPackage: {output / 'package.zip'}")


def _summary(result: Result) -> dict[str, Any]:
    import numpy as np

    from mroptimum.result import MapId

    maps = {of_map.id: of_map.data for of_map in result.maps}
    values = maps[MapId.SNR][maps[MapId.MASK] > 0].astype(np.float64)
    statistics = {
        "median": float(np.median(values)),
        "mean": float(values.mean()),
        "maximum": float(values.max()),
        "n_voxels": int(values.size),
    }
    return {"snr": statistics, "warnings": list(result.warnings), "calculation_time_s": result.calculation_time_s}


def _read_task(path: Path) -> TaskDocument:
    from mroptimum.task import TaskDocument

    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise TaskError(f"The task file cannot be read: {error.strerror}.", "Check its name and rights.") from None
    except (ValueError, RecursionError):
        raise TaskError("The task file is not JSON.", "Check the file with a JSON checker.") from None
    return TaskDocument.parse(document)


def _located(reference: FileReference, document: TaskDocument, replaced: dict[str, Path | None]) -> Path:
    options = document.task.options.reconstructor.options
    role = "signal" if reference is options.signal else "noise" if reference is options.noise else ""
    instead = replaced.get(role)
    if instead is not None:
        return instead
    if reference.options.type == "s3":
        raise TaskError(
            f"The {role or 'input'} file is in a computing unit's bucket, which cannot be reached from here.",
            "Give --signal and --noise with local files, or submit the task with `cloudmr job submit`.",
        )
    return Path(reference.options.filename)


def _local(path: Path) -> FileReference:
    from mroptimum.task import FileReference

    return FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": str(path)}})


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise TaskError(f"There is no file {path}.", "Check its name.", code="file_not_found")
    return path


def _empty_folder(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise TaskError(f"{output} is not an empty folder.", "Choose another folder with -o.", code="output_not_empty")


@contextmanager
def _explaining(as_json: bool) -> Iterator[None]:
    try:
        yield
    except ExplainedError as error:
        _fail(error.explain(), as_json)


def _fail(explanation: Explanation, as_json: bool) -> NoReturn:
    _print_error(explanation, as_json)
    raise typer.Exit(ExitCode.REFUSED)


def _print_error(explanation: Explanation, as_json: bool, **more: str) -> None:
    if as_json:
        _print_json({"error": explanation, **more})
        return
    typer.secho(f"{explanation['code']}: {explanation['message']}", fg="red", err=True)
    typer.echo(f"Next: {explanation['next_step']}", err=True)
    for name, value in more.items():
        typer.echo(f"{name}: {value}", err=True)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=1, default=str))


def _table(title: str, rows: list[tuple[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, show_header=False, title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    Console().print(table)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
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
