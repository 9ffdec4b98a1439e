"""Commands that measure: a task in a file, or said in flags."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mroptimum.cli import options
from mroptimum.cli.exit_codes import EPILOG, ExitCode
from mroptimum.cli.folders import existing, refuse_unless_empty
from mroptimum.cli.terminal import AsJson, Terminal, answering, in_digits, progress_bar
from mroptimum.errors import TaskError

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
        _do(document, output, lambda reference: _located(reference, document, replaced), terminal)


@app.command(epilog=EPILOG)
def snr(
    signal: SignalFile,
    output: OutputFolder,
    noise: NoiseFile = None,
    method: options.Method = "ac",
    reconstruction: options.Reconstruction = "rss",
    acceleration: options.Acceleration = None,
    partition_acceleration: options.PartitionAcceleration = None,
    decimate: options.Decimate = False,
    acs_lines: options.AcsLines = None,
    acs_partitions: options.AcsPartitions = None,
    keep_acs: options.KeepAcs = False,
    coil_maps: options.CoilMaps = None,
    mask_percentage: options.MaskPercentage = None,
    replicas: options.Replicas = None,
    box_size: options.BoxSize = None,
    seed: options.Seed = None,
    noise_estimate: options.NoiseEstimate = None,
    second: Annotated[Path | None, typer.Option(help="File with the second repetition, for repetitions.")] = None,
    coil_sensitivities: options.CoilSensitivities = False,
    matlab: options.Matlab = False,
    as_json: AsJson = False,
) -> None:
    """Measure SNR from files and flags."""
    from mroptimum.flags import Flags

    with answering(as_json) as terminal:
        flags = Flags(
            method=method,
            reconstruction=reconstruction,
            acceleration=acceleration,
            partition_acceleration=partition_acceleration,
            decimate=decimate,
            acs_lines=acs_lines,
            acs_partitions=acs_partitions,
            keep_acs=keep_acs,
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
        _do(document, output, lambda reference: Path(reference.options.filename), terminal)


@app.command()
def schema() -> None:
    """Print the JSON schema of a task document, with every default."""
    from mroptimum.task import TaskDocument

    Terminal().json(TaskDocument.schema_document())


def _do(document: TaskDocument, output: Path, locate: Callable[[FileReference], Path], terminal: Terminal) -> None:
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
    summary = _summary(result)
    if terminal.as_json:
        terminal.json({"package": str(output), "report": str(output / "report.html"), **summary})
        return
    rows = [(name, str(value) if name == "n_voxels" else in_digits(value)) for name, value in summary["snr"].items()]
    terminal.record("SNR inside the mask", rows)
    for warning in result.warnings:
        terminal.warn(warning)
    terminal.text(f"Report:  {output / 'report.html'}")
    terminal.text(f"Package: {output / 'package.zip'}")


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
    return Path(reference.options.filename)


def _local(path: Path) -> FileReference:
    from mroptimum.task import FileReference

    return FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": str(path)}})
