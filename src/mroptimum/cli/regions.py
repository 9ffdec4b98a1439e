"""`mroptimum roi`: what maps say in a region."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mroptimum.cli.exit_codes import EPILOG
from mroptimum.cli.terminal import AsJson, Terminal, answering, in_digits

if TYPE_CHECKING:
    from mroptimum.export.nifti import Volume
    from mroptimum.roi import MapsOnGrid, Measurement, Region, Shape

app = typer.Typer()

BoxOption = Annotated[
    str | None,
    typer.Option(metavar="X0,X1,Y0,Y1[,Z[,Z1]]", help="Voxels from-to, counted from 0, ends included; Z is the slice."),
]
EllipseOption = Annotated[
    str | None,
    typer.Option(metavar="X,Y,RX,RY[,Z[,Z1]]", help="Centre and half-axes in voxels; Z is the slice."),
]
_COLUMNS = ("n", "mean", "SD", "median", "min", "max", "95 % of mean", "mm³")


@app.command(epilog=EPILOG)
def roi(
    where: Annotated[
        Path, typer.Argument(metavar="PACKAGE|MAP", help="A result package (folder or zip), or a NIfTI map.")
    ],
    mask: Annotated[
        Path | None, typer.Option(help="NIfTI mask on the map's voxels; each label in it is a region.", dir_okay=False)
    ] = None,
    box: BoxOption = None,
    ellipse: EllipseOption = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="Name or number of a map, or all. Default: all but coil maps.")
    ] = None,
    stack: Annotated[
        int | None, typer.Option(help="Which stack of slices, counted from 1, if there are several.")
    ] = None,
    within_mask: Annotated[
        bool, typer.Option("--within-mask", help="Only voxels that the package counts as object.")
    ] = False,
    name: Annotated[str, typer.Option(help="What the region is called.")] = "region",
    save: Annotated[Path | None, typer.Option(help="Save the region in this folder: NIfTI mask and JSON.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: AsJson = False,
) -> None:
    """Mean, SD, median, extremes and the 95 % interval of the mean in a box, an ellipse or a mask."""
    if as_csv and as_json:
        raise typer.BadParameter("Give --csv or --json, not both.")
    if sum(given is not None for given in (mask, box, ellipse)) != 1:
        raise typer.BadParameter("Give one of --mask, --box and --ellipse.")
    shape = shape_of(box, ellipse)
    with answering(as_json) as terminal:
        from mroptimum.roi import maps_at, measure, one_stack, save_region
        from mroptimum.volume_file import read_volume

        drawing = read_volume(mask) if mask else None
        source = one_stack(maps_at(where, maps or ()), number=stack, mask=drawing)
        regions = _regions(source, shape, drawing, name, within_mask)
        measurements = measure(regions, source.maps)
        if save is not None:
            for region in regions:
                saved, about = save_region(
                    save,
                    region,
                    shape=shape,
                    measurements=[m for m in measurements if m.region == region.name],
                    package_sha256=source.package_sha256,
                )
                terminal.note(f"Saved: {saved}, {about.name}")
        _show(terminal, measurements, as_csv)


def _regions(
    source: MapsOnGrid, shape: Shape | None, drawing: Volume | None, name: str, within_mask: bool
) -> Sequence[Region]:
    from mroptimum.roi import RegionError, drawn, regions_of_mask

    found: Sequence[Region]
    if shape is not None:
        found = [drawn(shape, source.grid, name=name)]
    else:
        assert drawing is not None
        found = regions_of_mask(drawing, source.grid, name=name)
    if not within_mask:
        return found
    if source.mask is None:
        raise RegionError("There is no object mask beside the map.", "Leave out --within-mask, or give a package.")
    return [region.within(source.mask) for region in found]


def shape_of(box: str | None, ellipse: str | None) -> Shape | None:
    """Return what is drawn. Raises a usage error for what is not a list of numbers."""
    from mroptimum.roi import Box, Ellipse, RegionError

    text = box if box is not None else ellipse
    if text is None:
        return None
    parts = text.split(",")
    if not 4 <= len(parts) <= 6:
        raise typer.BadParameter(f"{text!r}: four numbers are needed, and one or two more for the slices.")
    try:
        slices = [int(part) for part in parts[4:]]
        z = (slices[0], slices[-1]) if slices else None
        if box is not None:
            x0, x1, y0, y1 = (int(part) for part in parts[:4])
            return Box(x=(x0, x1), y=(y0, y1), z=z)
        x, y, half_x, half_y = (float(part) for part in parts[:4])
        return Ellipse(centre=(x, y), half_axes=(half_x, half_y), z=z)
    except ValueError:
        kind = "whole numbers" if box is not None else "numbers, the slices whole ones"
        raise typer.BadParameter(f"{text!r}: {kind} are needed.") from None
    except RegionError as error:
        raise typer.BadParameter(f"{text!r}: {error.message} {error.next_step}") from None


def _show(terminal: Terminal, measurements: Sequence[Measurement], as_csv: bool) -> None:
    from mroptimum.roi.statistics import INTERVAL_IN_WORDS

    if terminal.as_json:
        terminal.json({"measurements": [asdict(m) for m in measurements], "mean_interval": INTERVAL_IN_WORDS})
        return
    if as_csv:
        typer.echo(_csv(measurements), nl=False)
        return
    rows = [(m.region, m.map, m.unit, *_cells(m)) for m in measurements]
    terminal.table(("region", "map", "unit", *_COLUMNS), rows)
    for measured in measurements:
        found = measured.statistics
        if found.n_without_value:
            terminal.warn(f"{measured.map}: {found.n_without_value} voxels without a value do not count.")
        if found.n_zero:
            terminal.warn(
                f"{measured.map}: {found.n_zero} of {found.n_voxels} voxels are exactly 0, as outside the object, and "
                "count; --within-mask leaves them out."
            )
    terminal.note(INTERVAL_IN_WORDS)


def _cells(measured: Measurement) -> tuple[str, ...]:
    found = measured.statistics
    interval = found.mean_interval
    return (
        str(found.n_voxels),
        *(in_digits(v) for v in (found.mean, found.sd, found.median, found.minimum, found.maximum)),
        "–" if interval is None else f"{in_digits(interval.low, 5)} to {in_digits(interval.high, 5)}",
        in_digits(found.volume_mm3, 6),
    )


def _csv(measurements: Sequence[Measurement]) -> str:
    """Return one row for each measurement, numbers with all their digits, empty where there is none."""
    rows = [_csv_row(measured) for measured in measurements]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _csv_row(measured: Measurement) -> dict[str, object]:
    found = asdict(measured.statistics)
    interval = found.pop("mean_interval") or {"low": None, "high": None}
    return {
        "region": measured.region,
        "map": measured.map,
        "map_id": measured.map_id,
        "unit": measured.unit,
        **found,
        "mean_95_low": interval["low"],
        "mean_95_high": interval["high"],
    }
