"""`mroptimum difference`: SNR from two images of the same thing, for who has no raw data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mroptimum.cli.exit_codes import EPILOG
from mroptimum.cli.folders import existing
from mroptimum.cli.measuring import OutputFolder, computed, local_file, show_places, where_it_says
from mroptimum.cli.regions import BoxOption, EllipseOption, shape_of
from mroptimum.cli.terminal import AsJson, Terminal, answering, in_digits
from mroptimum.flags import Flags

if TYPE_CHECKING:
    from mroptimum.export.nifti import Volume
    from mroptimum.result import Result
    from mroptimum.roi import Region, Shape
    from mroptimum.snr.difference import RegionalSnr

app = typer.Typer()

_COLUMNS = ("region", "n", "SNR", "±", "without bias", "signal", "noise SD")


@app.command(epilog=EPILOG)
def difference(
    a: Annotated[Path, typer.Argument(metavar="A", help="An image, DICOM or NIfTI; or raw data.", dir_okay=False)],
    b: Annotated[
        Path | None,
        typer.Argument(metavar="[B]", help="The same again; of raw data only where A has one repetition."),
    ] = None,
    *,
    output: OutputFolder,
    mask: Annotated[Path | None, typer.Option(help="NIfTI mask; each label in it is a region.", dir_okay=False)] = None,
    box: BoxOption = None,
    ellipse: EllipseOption = None,
    name: Annotated[str, typer.Option(help="What the region is called.")] = "region",
    mask_percentage: Annotated[
        float | None, typer.Option(help="Count as object from this % of the maximum. Default: by Otsu's criterion.")
    ] = None,
    box_size: Annotated[
        int | None, typer.Option(help="Half-width of the box of the map, in voxels. Default: 3.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure SNR from the difference of two images, one measured after the other (NEMA MS 1, method 1).

    Not valid with parallel imaging. Regions are counted in the voxels of the maps that are written, as by `roi`.
    """
    if sum(given is not None for given in (mask, box, ellipse)) > 1:
        raise typer.BadParameter("Give one of --mask, --box and --ellipse.")
    shape = shape_of(box, ellipse)
    with answering(as_json) as terminal:
        from mroptimum.rawdata.recognise import recognise_other

        is_image = recognise_other(existing(a)) is not None
        flags = Flags(
            method="difference",
            reconstruction="scanner" if is_image else "rss",
            mask_percentage=mask_percentage,
            box_size=box_size,
        )
        document = flags.document(local_file(a), None, local_file(b) if b else None)
        result = computed(document, output, where_it_says, terminal)
        _show(terminal, result, _measured(result, shape, mask, name), output)


def _measured(result: Result, shape: Shape | None, mask: Path | None, name: str) -> Sequence[tuple[str, RegionalSnr]]:
    """Return what each region says; without any, the object of all slices."""
    import numpy as np

    from mroptimum.export.nifti import volumes
    from mroptimum.result import MapId
    from mroptimum.snr.difference import regional_snr

    n_receivers = max(1, result.protocol.n_coils)
    maps = {of_map.id: of_map.data.astype(np.float64) for of_map in result.maps}
    if shape is None and mask is None:
        inside = np.asarray(maps[MapId.MASK] > 0)
        found = regional_snr(maps[MapId.IMAGE], maps[MapId.DIFFERENCE], inside, n_receivers=n_receivers)
        return [("object", found)]
    mean, differences = (volumes(maps[number], result.geometry)[0] for number in (MapId.IMAGE, MapId.DIFFERENCE))
    return [
        (region.name, regional_snr(mean.data, differences.data, region.voxels, n_receivers=n_receivers))
        for region in _regions(mean, shape, mask, name)
    ]


def _regions(volume: Volume, shape: Shape | None, mask: Path | None, name: str) -> Iterator[Region]:
    from mroptimum.roi import drawn, regions_of_mask
    from mroptimum.volume_file import read_volume

    if shape is not None:
        yield drawn(shape, volume.grid, name=name)
    if mask is not None:
        yield from regions_of_mask(read_volume(mask), volume.grid, name=name)


def _show(terminal: Terminal, result: Result, regions: Sequence[tuple[str, RegionalSnr]], output: Path) -> None:
    if terminal.as_json:
        terminal.json(
            {
                "package": str(output),
                "report": str(output / "report.html"),
                "regions": [{"region": name, **asdict(found)} for name, found in regions],
                "warnings": list(result.warnings),
                "calculation_time_s": result.calculation_time_s,
            }
        )
        return
    rows = [
        (
            name,
            str(found.n_voxels),
            *(
                in_digits(value)
                for value in (
                    found.snr, found.standard_error, found.snr_without_bias, found.signal, found.noise_sd,
                )
            ),
        )
        for name, found in regions
    ]  # fmt: skip
    terminal.table(_COLUMNS, rows)
    for warning in result.warnings:
        terminal.warn(warning)
    show_places(output, terminal)
