"""Commands that measure: a task in a file, or said in flags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mroptimum.cli.exit_codes import EPILOG, ExitCode
from mroptimum.cli.folders import existing, refuse_unless_empty
from mroptimum.cli.options import with_flags
from mroptimum.cli.terminal import AsJson, Terminal, answering, in_digits, progress_bar
from mroptimum.errors import TaskError
from mroptimum.flags import Flags

if TYPE_CHECKING:
    from mroptimum.result import Result
    from mroptimum.task import FileReference, TaskDocument

app = typer.Typer()

OutputFolder = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for the result package; made, must be empty.")
]
SignalFile = Annotated[Path, typer.Option("--signal", help="Raw file with the signal.", dir_okay=False)]
NoiseFile = Annotated[Path | None, typer.Option("--noise", help="Raw file with the noise scan.", dir_okay=False)]


@app.command(epilog=EPILOG)
def run(
    task_file: Annotated[Path, typer.Argument(metavar="TASK.json", help="A task document, schema v0.", dir_okay=False)],
    output: OutputFolder,
    signal: Annotated[Path | None, typer.Option("--signal", help="Use this file as the signal instead.")] = None,
    noise: NoiseFile = None,
    as_json: AsJson = False,
) -> None:
    """Do the task in a file."""
    with answering(as_json) as terminal:
        from mroptimum.task_file import read_task_file

        document = read_task_file(task_file)
        replaced = {"signal": signal, "noise": noise}
        result = computed(document, output, lambda reference: _located(reference, document, replaced), terminal)
        _show(result, output, terminal)


@app.command(epilog=EPILOG)
@with_flags
def snr(
    signal: SignalFile,
    output: OutputFolder,
    noise: NoiseFile = None,
    second: Annotated[
        Path | None, typer.Option(help="File with the second repetition or image.", dir_okay=False)
    ] = None,
    *,
    flags: Flags,
    as_json: AsJson = False,
) -> None:
    """Measure SNR from files and flags."""
    with answering(as_json) as terminal:
        of_noise, of_second = (local_file(path) if path else None for path in (noise, second))
        document = flags.document(local_file(signal), of_noise, of_second)
        _show(computed(document, output, where_it_says, terminal), output, terminal)


@app.command()
def schema() -> None:
    """Print the JSON schema of a task document, with every default."""
    from mroptimum.task import TaskDocument

    Terminal().json(TaskDocument.schema_document())


def computed(
    document: TaskDocument, output: Path, locate: Callable[[FileReference], Path], terminal: Terminal
) -> Result:
    """Do a task, write its package into `output` and return the result; end the command where there is no SNR."""
    from mroptimum.export.package import Provenance, write_failure_package, write_package
    from mroptimum.run import NoSnr
    from mroptimum.run import run as run_task

    refuse_unless_empty(output)
    try:
        with progress_bar() as show:
            result = run_task(document, locate=lambda reference: existing(locate(reference)), progress=show)
    except NoSnr as error:
        write_failure_package(
            output,
            error=error.explain(),
            document=document,
            log=error.partial.log,
            provenance=Provenance(),
            partial=error.partial,
        )
        terminal.error(error, package=str(output))
        raise typer.Exit(ExitCode.NO_SNR) from None
    write_package(result, output, provenance=Provenance())
    return result


def where_it_says(reference: FileReference) -> Path:
    """Return the file of this machine that a task names."""
    return Path(reference.options.filename)


def local_file(path: Path) -> FileReference:
    """Return what a task names a file of this machine by."""
    from mroptimum.task import FileReference

    return FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": str(path)}})


def show_places(output: Path, terminal: Terminal) -> None:
    """Say where a package and its report are."""
    terminal.text(f"Report:  {output / 'report.html'}")
    terminal.text(f"Package: {output / 'package.zip'}")


def _show(result: Result, output: Path, terminal: Terminal) -> None:
    summary = _summary(result)
    if terminal.as_json:
        terminal.json({"package": str(output), "report": str(output / "report.html"), **summary})
        return
    rows = [(name, str(value) if name == "n_voxels" else in_digits(value)) for name, value in summary["snr"].items()]
    terminal.record("SNR inside the mask", rows)
    for warning in result.warnings:
        terminal.warn(warning)
    show_places(output, terminal)


def _summary(result: Result) -> dict[str, Any]:
    from mroptimum.result import MapId
    from mroptimum.roi import EmptyRegion, statistics

    maps = {of_map.id: of_map.data for of_map in result.maps}
    numbers: dict[str, float | int | None]
    try:
        inside = statistics(maps[MapId.SNR][maps[MapId.MASK] > 0], voxel_volume_mm3=None)
    except EmptyRegion:
        numbers = {"median": None, "mean": None, "maximum": None, "n_voxels": 0}
    else:
        numbers = {
            "median": inside.median,
            "mean": inside.mean,
            "maximum": inside.maximum,
            "n_voxels": inside.n_voxels,
        }
    return {"snr": numbers, "warnings": list(result.warnings), "calculation_time_s": result.calculation_time_s}


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
    return where_it_says(reference)
