"""The task `difference`: two images one after the other, and the noise in what they do not share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum import rawdata
from mroptimum.as_asked import as_asked
from mroptimum.coils.masks import read_mask, reference_mask
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.convention import CONVENTION
from mroptimum.errors import ReconstructionError
from mroptimum.journal import Journal
from mroptimum.maps import image_alone
from mroptimum.partitions import as_slices, geometry_of_slices
from mroptimum.rawdata.acquisition import Acquisition, FileFormat
from mroptimum.rawdata.magnitude_image import MagnitudeImage, ParallelImaging
from mroptimum.rawdata.summary import sha256_of
from mroptimum.result import InputFile, Map, MapId, MapKind, Protocol, Result
from mroptimum.scanner_images import read_image, refuse_unless_repeated, warnings_of_pair
from mroptimum.snr import SnrMap
from mroptimum.snr.difference import RegionalSnr, local_snr, regional_snr, without_magnitude_bias
from mroptimum.task import FileReference, MaskMethod, NoiseEstimate, ReconstructionName, TaskDocument

BOX_SIZE = 3
"""Half-width of the box of the map where the task names none: 7 x 7 voxels, which give a standard error of 10 %."""
SMOOTH_FROM = 0.5
"""Correlation of neighbours in the difference from which it is no noise alone: of white noise it is 0."""
Locate = Callable[[FileReference], Path]


@dataclass(frozen=True, kw_only=True)
class ImagePair:
    """Two images to compare, of ``n_coils`` (0: not known) that were combined by the root of the sum of squares."""

    first: MagnitudeImage
    second: MagnitudeImage
    n_coils: int
    inputs: tuple[InputFile, ...]

    @property
    def n_receivers(self) -> int:
        """How many count for the bias of magnitudes; 1 where a scanner combined them, as it does, with weights."""
        return max(1, self.n_coils)

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of both, (slice, y, x)."""
        return (self.first.data + self.second.data) / 2

    @property
    def difference(self) -> NDArray[np.float64]:
        """The first less the second, (slice, y, x)."""
        return self.first.data - self.second.data


def measure_difference(document: TaskDocument, locate: Locate, journal: Journal) -> Result:
    """Do the task. Raises `RawDataError`, `ReconstructionError` for what is no pair, and `Cancelled`."""
    started = time.monotonic()
    journal.expect(0)
    journal.begin("read", "reading the images")
    pair = _read_pair(document, locate)
    refuse_unless_repeated(pair.first, pair.second)
    for warning in warnings_of_pair(pair.first, pair.second):
        journal.warn(warning)
    mask, beside = _mask(document, pair, locate)
    if not mask.any():
        raise ReconstructionError(
            "The mask leaves no voxel of any slice.", "Lower its value, or choose another mask.", code="empty_mask"
        )
    if _correlation_of_neighbours(pair.difference, mask) > SMOOTH_FROM:
        journal.warn(
            "Neighbours in the difference are alike: something moved or drifted between the images, or they were "
            "filtered or interpolated. The spread of the difference is then not the noise of a voxel."
        )
    journal.finish()

    journal.begin("reconstruct", "measuring the difference")
    box_size = document.task.options.box_size or BOX_SIZE
    slices = [local_snr(a, b, box_size) for a, b in zip(pair.first.data, pair.second.data, strict=True)]
    over_mask = regional_snr(pair.mean, pair.difference, mask, n_receivers=pair.n_receivers)
    journal.say(in_words(over_mask))
    journal.finish()

    journal.begin("finish", "putting the result together")
    return Result(
        document=document.anonymous(),
        maps=tuple(_maps(pair, slices, mask)),
        geometry=pair.first.geometry,
        noise=None,
        coil_maps=(),
        protocol=_protocol(pair),
        inputs=(*pair.inputs, *beside),
        warnings=tuple(journal.warnings),
        methods=_methods(pair, box_size, over_mask),
        log=tuple(journal.log),
        calculation_time_s=time.monotonic() - started,
    )


def in_words(found: RegionalSnr) -> str:
    """Say what was measured over a region in one sentence."""
    return (
        f"Over the mask ({found.n_voxels} voxels) the SNR is {found.snr:.4g} ± {found.standard_error:.2g}, "
        f"{found.snr_without_bias:.4g} without the bias of magnitudes: mean signal {found.signal:.5g}, noise sd "
        f"{found.noise_sd:.4g}; the first image is brighter by {found.mean_difference:.2g} noise sd."
    )


def _read_pair(document: TaskDocument, locate: Locate) -> ImagePair:
    options = document.task.options.reconstructor.options
    second = options.noise.options.file if isinstance(options.noise, NoiseEstimate) else None
    paths = [locate(reference) for reference in (options.signal, second) if reference is not None]
    if document.task.options.reconstructor.name is ReconstructionName.SCANNER:
        a, b = (read_image(path) for path in paths)
        return ImagePair(first=a, second=b, n_coils=0, inputs=_inputs(paths, (a.file_format, b.file_format)))
    scans = [as_asked(rawdata.read(path, multiraid=False), document.task) for path in paths]
    if len(scans) == 1:
        if scans[0].n_repetitions < 2:
            raise ReconstructionError(
                "The scan has one repetition, and the difference needs two.",
                "Give a second file of the same scan, or a scan with repetitions.",
            )
        images = [_rss(scans[0], 0), _rss(scans[0], 1)]
    else:
        images = [_rss(scan, 0) for scan in scans]
    return ImagePair(
        first=images[0],
        second=images[1],
        n_coils=scans[0].n_coils,
        inputs=_inputs(paths, [scan.file_format for scan in scans]),
    )


def _rss(scan: Acquisition, repetition: int) -> MagnitudeImage:
    one = replace(scan, kspace=scan.kspace[:, repetition : repetition + 1])
    return MagnitudeImage(
        data=image_alone(as_slices(one) if one.is_3d else one).data.astype(np.float64),
        file_format=scan.file_format,
        geometry=geometry_of_slices(scan),
        parallel_imaging=ParallelImaging(is_used=False, source="the raw data are a full scan"),
        field_strength_t=scan.field_strength_t,
        flip_angle_deg=scan.flip_angle_deg,
        echo_time_s=scan.echo_time_s,
        repetition_time_s=scan.repetition_time_s,
        removed_fields=scan.removed_fields,
        warnings=scan.warnings,
    )


def _inputs(paths: list[Path], formats: tuple[str, ...] | list[FileFormat]) -> tuple[InputFile, ...]:
    roles = ("signal", "second repetition")
    return tuple(
        InputFile(role=role, sha256=sha256_of(path), size_bytes=path.stat().st_size, file_format=file_format)
        for role, path, file_format in zip(roles, paths, formats, strict=False)
    )


def _mask(document: TaskDocument, pair: ImagePair, locate: Locate) -> tuple[NDArray[np.bool_], tuple[InputFile, ...]]:
    """Return which voxels count, (slice, y, x), and the file that says so, if one does."""
    wanted = document.task.options.reconstructor.options.sensitivity_map.options.mask
    mean = pair.mean
    match wanted.method:
        case MaskMethod.NO:
            return np.ones(mean.shape, dtype=np.bool_), ()
        case MaskMethod.PERCENTAGE:
            return mean >= (wanted.value or 0.0) / 100 * mean.max(), ()
        case MaskMethod.REFERENCE:
            return np.stack([reference_mask(of_slice) for of_slice in mean]), ()
        case MaskMethod.UPLOAD if wanted.file is not None:
            path = locate(wanted.file)
            n_slices, n_y, n_x = mean.shape
            grid = SliceGrid(n_slices=n_slices, n_coils=0, n_y=n_y, n_x=n_x, geometry=pair.first.geometry)
            given = InputFile(
                role="mask", sha256=sha256_of(path), size_bytes=path.stat().st_size, file_format="raw or arrays"
            )
            return read_mask(path, grid), (given,)
    raise ValueError(f"a mask by {wanted.method} is refused with the task")


def _correlation_of_neighbours(difference: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Return the larger correlation, of those along x and y, between voxels of the mask one apart."""
    found = [0.0]
    for axis in (1, 2):
        values, inside = np.moveaxis(difference, axis, 0), np.moveaxis(mask, axis, 0)
        both = inside[1:] & inside[:-1]
        pairs = values[1:][both], values[:-1][both]
        if both.any() and min(of_pair.std() for of_pair in pairs) > 0:
            found.append(float(np.corrcoef(*pairs)[0, 1]))
    return max(found)


def _maps(pair: ImagePair, slices: list[SnrMap], mask: NDArray[np.bool_]) -> list[Map]:
    snr = np.stack([of_slice.snr for of_slice in slices])
    errors = np.stack([np.zeros_like(s.snr) if s.standard_error is None else s.standard_error for s in slices])
    single = np.float32
    return [
        Map(
            id=MapId.SNR,
            name="SNR",
            kind=MapKind.OUTPUT,
            unit="1",
            data=np.where(mask, snr, 0).astype(single),
            description="Mean of both images over the spread of their difference in the box around each voxel.",
        ),
        Map(
            id=MapId.SNR_WITHOUT_MAGNITUDE_BIAS,
            name="SNR without Magnitude Bias",
            kind=MapKind.OUTPUT,
            unit="1",
            data=np.where(mask, without_magnitude_bias(snr, pair.n_receivers), 0).astype(single),
            description="The same, corrected for what taking magnitudes does to mean and spread (Constantinides 1997).",
        ),
        Map(
            id=MapId.STANDARD_ERROR,
            name="SNR Standard Error",
            kind=MapKind.ACCESSORY,
            unit="1",
            data=np.where(mask, errors, 0).astype(single),
            description="Random error of the SNR map itself, SNR / sqrt(2 nu) for nu degrees of freedom.",
        ),
        Map(
            id=MapId.NOISE_SD,
            name="Noise SD",
            kind=MapKind.ACCESSORY,
            unit="a.u.",
            data=np.stack([of_slice.noise_sd for of_slice in slices]).astype(single),
            description="Standard deviation of the difference in the box; SNR = sqrt(2) Image / Noise SD.",
        ),
        Map(
            id=MapId.IMAGE,
            name="Image",
            kind=MapKind.ACCESSORY,
            unit="a.u.",
            data=pair.mean.astype(single),
            description="Mean of both images.",
        ),
        Map(
            id=MapId.DIFFERENCE,
            name="Difference",
            kind=MapKind.ACCESSORY,
            unit="a.u.",
            data=pair.difference.astype(single),
            description="First image less the second: noise alone, where nothing moved.",
        ),
        Map(
            id=MapId.MASK,
            name="Mask",
            kind=MapKind.MASK,
            unit="1",
            data=mask.astype(np.uint8),
            description="1 where a voxel counts as object.",
        ),
    ]


def _protocol(pair: ImagePair) -> Protocol:
    first = pair.first
    n_slices, n_y, n_x = first.data.shape
    return Protocol(
        matrix=(n_x, n_y, n_slices),
        n_coils=pair.n_coils,
        n_averages=1,
        n_repetitions=2,
        acceleration=first.parallel_imaging.acceleration,
        readout_oversampling=1.0,
        dwell_time_s=None,
        field_strength_t=first.field_strength_t,
        flip_angle_deg=first.flip_angle_deg,
        echo_time_s=first.echo_time_s,
        repetition_time_s=first.repetition_time_s,
        coil_names=(),
        removed_fields=tuple(sorted({*first.removed_fields, *pair.second.removed_fields})),
    )


def _methods(pair: ImagePair, box_size: int, over_mask: RegionalSnr) -> tuple[str, ...]:
    side = 2 * box_size + 1
    used = pair.first.parallel_imaging
    receivers = "one receiver" if pair.n_receivers == 1 else f"{pair.n_receivers} receivers"
    is_said = {True: "was used", False: "was not used", None: "is not said"}[used.is_used]
    nema = (
        "SNR was measured from the difference of two magnitude images, SNR = sqrt(2) S / SD(first - second) "
        "(NEMA MS 1-2008, method 1); S is the mean of both images, where NEMA takes that of the first."
    )
    of_map = (
        f"In the map the spread is that of the box of {side} x {side} voxels around each voxel and S the voxel's own; "
        "it was divided by c(nu) = sqrt(nu/2) Gamma((nu-1)/2) / Gamma(nu/2) to be unbiased."
    )
    bias = (
        f"The bias of magnitudes was taken out for {receivers} by inverting mean over standard deviation of the "
        "non-central chi distribution (Constantinides 1997, doi:10.1002/mrm.1910380524)."
    )
    parallel = f"Parallel imaging {is_said} ({used.source}); with it this method is not valid."
    return (CONVENTION, nema, in_words(over_mask), of_map, bias, parallel)
