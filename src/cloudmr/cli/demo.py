"""`cloudmr demo`: the whole way of a job through a Brain of its own, from raw data to maps beside the known truth."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cloudmr.cli.exit_codes import EPILOG, ExitCode
from cloudmr.cli.layout import Table, in_bytes
from cloudmr.cli.terminal import AsJson, Terminal, answering

if TYPE_CHECKING:
    from cloudmr.against_truth import Comparison
    from mroptimum.flags import Flags
    from mroptimum.phantom import Phantom

app = typer.Typer()


@app.command(epilog=EPILOG)
def demo(
    signal: Annotated[
        Path | None, typer.Option(help="Your own raw file instead of a phantom.", exists=True, dir_okay=False)
    ] = None,
    noise: Annotated[
        Path | None, typer.Option(help="Its noise scan, if that is another file.", exists=True, dir_okay=False)
    ] = None,
    noise_estimate: Annotated[
        str | None, typer.Option(help="Without a noise scan: repetitions, kspace_edge or image_corners.")
    ] = None,
    reconstruction: Annotated[str, typer.Option(help="Of your own file: rss, b1 or sense.")] = "rss",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the result package.")] = Path(
        "demo-output"
    ),
    as_json: AsJson = False,
) -> None:
    """Run a job through a CloudMR Brain of its own, and show that its SNR is right.

    A Brain is started in a temporary folder, a 16-coil phantom (or your own file) is uploaded, the job is followed, its
    results are downloaded. The phantom's SNR and g-factor are held to the truth: the command fails if they are more
    than 1 % off. Nothing is left but the results.
    """
    for name, given in (("--noise", noise), ("--noise-estimate", noise_estimate)):
        if given is not None and signal is None:
            raise typer.BadParameter("it goes with --signal.", param_hint=name)
    with answering(as_json) as terminal:
        from mroptimum.flags import Flags

        if signal is None:
            _phantom(terminal, output)
        else:
            flags = Flags(method="ac", reconstruction=reconstruction, noise_estimate=noise_estimate)
            _own_files(terminal, signal, noise, flags, output)


def _phantom(terminal: Terminal, output: Path) -> None:
    from cloudmr.against_truth import LARGEST_DEVIATION_PERCENT, compare
    from cloudmr.cli.own_job import run_through_own_brain
    from mroptimum.flags import Flags
    from mroptimum.phantom import write_demo

    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cloudmr-phantom-") as folder:
        written = write_demo(Path(folder))
        phantom = written.scan.phantom
        terminal.note(f"Phantom: {_described(phantom)}, {in_bytes(written.raw.stat().st_size)} of Siemens TWIX.")
        flags = Flags(method="ac", reconstruction="sense", acceleration=phantom.acceleration)
        job = run_through_own_brain(terminal, signal=written.raw, noise=None, flags=flags, output=output)
        comparisons = compare(output, written)
    is_right = all(found.is_right for found in comparisons)
    terminal.answer(
        {
            "job_id": job.job_id,
            "comparisons": [_values(found) for found in comparisons],
            "is_right": is_right,
            **_places(output),
            "elapsed_s": round(time.monotonic() - started_s, 3),
        },
        _comparison_table(comparisons),
    )
    _say_where(terminal, output)
    terminal.note(f"Done in {time.monotonic() - started_s:.1f} s.")
    if not is_right:
        terminal.warn(f"these maps are wrong: they are {LARGEST_DEVIATION_PERCENT:g} % or more from the truth.")
        raise typer.Exit(ExitCode.FAILED)


def _own_files(terminal: Terminal, signal: Path, noise: Path | None, flags: Flags, output: Path) -> None:
    from cloudmr.against_truth import snr_statistics
    from cloudmr.cli.own_job import run_through_own_brain

    job = run_through_own_brain(terminal, signal=signal, noise=noise, flags=flags, output=output)
    snr = snr_statistics(output)
    terminal.answer(
        {
            "job_id": job.job_id,
            "snr": {"median": snr.median, "mean": snr.mean, "n_voxels": snr.n_voxels},
            **_places(output),
        },
        Table(
            columns=("SNR in the mask", "median", "mean", "voxels"),
            rows=(("", f"{snr.median:.4g}", f"{snr.mean:.4g}", str(snr.n_voxels)),),
        ),
    )
    _say_where(terminal, output)


def _described(phantom: Phantom) -> str:
    return (
        f"{phantom.n_coils} coils, {phantom.n_slices} slices of {phantom.n_x} x {phantom.n_y}, "
        f"acceleration {phantom.acceleration}"
    )


def _comparison_table(comparisons: tuple[Comparison, ...]) -> Table:
    return Table(
        columns=("in the object", "measured", "truth", "deviation"),
        rows=tuple(
            (found.name, f"{found.measured:.4f}", f"{found.truth:.4f}", f"{found.deviation_percent:+.2f} %")
            for found in comparisons
        ),
    )


def _values(found: Comparison) -> dict[str, Any]:
    return {
        "name": found.name,
        "measured": found.measured,
        "truth": found.truth,
        "deviation_percent": found.deviation_percent,
    }


def _places(output: Path) -> dict[str, str]:
    return {"report": str((output / "report.html").resolve()), "maps": str((output / "data").resolve())}


def _say_where(terminal: Terminal, output: Path) -> None:
    """Say where things are, as addresses that terminals turn into links."""
    for name, path in _places(output).items():
        terminal.note(f"{name.capitalize():7} {Path(path).as_uri()}")
