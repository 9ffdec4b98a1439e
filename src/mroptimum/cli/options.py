"""Options that say what to compute, the same ones wherever a task is put together on a command line."""

from __future__ import annotations

from typing import Annotated

import typer

Method = Annotated[str, typer.Option(help="ac, mr, pmr or cr.")]
Reconstruction = Annotated[str, typer.Option(help="rss, b1, sense or grappa.")]
Acceleration = Annotated[int | None, typer.Option(help="Of phase encoding. Default: as the file was sampled.")]
PartitionAcceleration = Annotated[int | None, typer.Option(help="Of the partitions of a 3D scan; the same default.")]
Decimate = Annotated[bool, typer.Option(help="Undersample a full scan by the accelerations.")]
AcsLines = Annotated[int | None, typer.Option(help="Calibration lines to use or to keep.")]
AcsPartitions = Annotated[int | None, typer.Option(help="Partitions with calibration lines to use or to keep (3D).")]
KeepAcs = Annotated[bool, typer.Option(help="Put calibration lines back (grappa; pmr, mr or cr).")]
CoilMaps = Annotated[str | None, typer.Option(help="inner, innerACL, espirit, walsh or inati.")]
MaskPercentage = Annotated[float | None, typer.Option(help="Count as object from this % of the maximum.")]
Replicas = Annotated[int | None, typer.Option(help="Number of pseudo replicas (pmr, cr).")]
BoxSize = Annotated[int | None, typer.Option(help="Half-width of the box of cr, in voxels.")]
Seed = Annotated[int | None, typer.Option(help="Of the drawn noise; the same seed gives the same numbers.")]
NoiseEstimate = Annotated[
    str | None, typer.Option(help="Without a noise scan: repetitions, kspace_edge or image_corners.")
]
CoilSensitivities = Annotated[bool, typer.Option(help="Write the coil maps too.")]
Matlab = Annotated[bool, typer.Option(help="Write matlab.mat too.")]
