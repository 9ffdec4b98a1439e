"""Task and raw files in, `Result` out: the only conductor. It knows the order of things and none of the mathematics."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from mroptimum import fourier, rawdata
from mroptimum.coils import CoilMaps, calibration_image, coil_maps, object_mask, root_sum_of_squares
from mroptimum.convention import Complex, Real
from mroptimum.errors import Cancelled, NoiseError, ReconstructionError
from mroptimum.methods import methods_text
from mroptimum.noise import NoiseModel, model_from_estimate, model_from_scan, n_columns, whiten, whitener
from mroptimum.rawdata.acquisition import Acquisition, Calibration
from mroptimum.rawdata.recognise import recognise
from mroptimum.reconstruction import Reconstruction
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import Sense, sense
from mroptimum.result import InputFile, LogEntry, Map, MapId, MapKind, Protocol, Result
from mroptimum.snr.analytic import analytic_snr
from mroptimum.task import (
    CoilMapMethod,
    FileReference,
    NoiseEstimate,
    ReconstructionName,
    ReconstructorOptions,
    TaskDocument,
)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: ``done`` of ``total`` units of the whole, and what is going on."""

    step: str
    done: int
    total: int
    message: str


class NoSnr(NoiseError):
    """The image can be made and an SNR cannot: nothing says what the noise is. `partial` holds the image."""

    code = "no_noise"

    def __init__(self, message: str, next_step: str, *, partial: Result) -> None:
        super().__init__(message, next_step)
        self.partial = partial


def _silent(_: Progress) -> None:
    """Report to nobody."""


def _never() -> bool:
    return False


def run(
    document: TaskDocument,
    *,
    locate: Callable[[FileReference], Path],
    progress: Callable[[Progress], None] = _silent,
    cancelled: Callable[[], bool] = _never,
) -> Result:
    """Do a task.

    `locate` gives the local path of an input file; `progress` is called at every step; `cancelled` is asked between
    steps. Raises `RawDataError` for a file that cannot be used, `NoSnr` when there is an image and no noise,
    `NoiseError`, `ReconstructionError`, and `Cancelled`.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        return _run(document, locate, _Journal(progress=progress, cancelled=cancelled))


def _run(document: TaskDocument, locate: Callable[[FileReference], Path], journal: _Journal) -> Result:
    started = time.monotonic()
    options = document.task.options.reconstructor.options
    journal.step("read", "reading the signal")
    signal_path = locate(options.signal)
    acquisition = rawdata.read(signal_path, multiraid=_multiraid(options))
    inputs = [_input_file("signal", signal_path, acquisition.file_format)]
    journal.say(
        f"signal: {acquisition.file_format}, {acquisition.n_slices} slices of {acquisition.kspace.shape[-2]} lines x "
        f"{acquisition.kspace.shape[-1]} samples, {acquisition.n_coils} coils"
    )
    journal.expect(acquisition.n_slices)
    for warning in acquisition.warnings:
        journal.warn(warning)
    recorded = acquisition
    acquisition = _as_asked(recorded, options, document.task.options.reconstructor.name, journal)

    journal.step("noise", "measuring the noise")
    try:
        noise, noise_inputs = _noise_model(recorded, options, locate)
    except _NoNoiseGiven as refusal:
        image = _image_only(recorded)
        partial = _result(document, recorded, [image], None, [], inputs, journal, started)
        raise NoSnr(refusal.message, refusal.next_step, partial=partial) from None
    inputs.extend(noise_inputs)
    for warning in noise.warnings:
        journal.warn(warning)

    slices = []
    for index in range(acquisition.n_slices):
        journal.step("reconstruct", f"slice {index + 1} of {acquisition.n_slices}")
        slices.append(_slice(acquisition, index, noise, document))
    unsolvable = sum(s.n_unsolvable for s in slices)
    if unsolvable:
        journal.warn(f"{unsolvable} voxels cannot be told apart by these coils and were set to 0.")

    maps = _maps(document, slices)
    journal.step("finish", "putting the result together")
    return _result(document, acquisition, maps, noise, [s.coil_maps for s in slices], inputs, journal, started)


@dataclass(kw_only=True)
class _Journal:
    """Keeps the log and the warnings, reports progress, and stops the run when it is asked to."""

    progress: Callable[[Progress], None]
    cancelled: Callable[[], bool]
    log: list[LogEntry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    done: int = 0
    total: int = 4

    def expect(self, n_slices: int) -> None:
        self.total = n_slices + 3

    def step(self, name: str, message: str) -> None:
        if self.cancelled():
            raise Cancelled("The job was cancelled.", "Nothing needs to be done; submit it again if it is wanted.")
        self.say(message)
        self.progress(Progress(step=name, done=self.done, total=self.total, message=message))
        self.done += 1

    def say(self, message: str) -> None:
        self.log.append(LogEntry(at=datetime.now(UTC), level="info", message=message))

    def warn(self, message: str) -> None:
        self.warnings.append(message)
        self.log.append(LogEntry(at=datetime.now(UTC), level="warning", message=message))


def _multiraid(options: ReconstructorOptions) -> bool | None:
    """Return whether the signal file must hold the noise (True), need not be asked (False), or may (None)."""
    if options.signal_multi_raid or options.signal.options.multiraid:
        return True
    return None if options.noise is None else False


def _input_file(role: str, path: Path, file_format: str) -> InputFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return InputFile(role=role, sha256=digest.hexdigest(), size_bytes=path.stat().st_size, file_format=file_format)


def _as_asked(
    acquisition: Acquisition, options: ReconstructorOptions, name: ReconstructionName, journal: _Journal
) -> Acquisition:
    """Return the acquisition as the task wants it: decimated, or as sampled, which must be what the task says."""
    if acquisition.kspace.shape[4] > 1:
        raise ReconstructionError(
            f"The scan is 3D ({acquisition.kspace.shape[4]} partitions).",
            "Use a 2D multi-slice scan; 3D is not available in this version.",
        )
    if acquisition.n_repetitions > 1:
        journal.say(f"{acquisition.n_repetitions} repetitions: the SNR is that of the first")
    wanted = options.accelerations[1] if options.accelerations else None
    if options.decimate and wanted:
        if acquisition.acceleration != (1, 1) or not acquisition.sampled.all():
            raise ReconstructionError(
                "Only a fully sampled scan can be decimated; this one is undersampled already.",
                "Leave out decimate, or give the full scan.",
            )
        journal.say(f"decimated to every {wanted}th line")
        return _decimated(acquisition, wanted, options.acl[1])
    if wanted is not None and wanted != acquisition.acceleration[0]:
        raise ReconstructionError(
            f"The task says acceleration {wanted}, the file was sampled with {acquisition.acceleration[0]}.",
            "Leave accelerations out (null) to take the file's own, or set decimate for a full scan.",
        )
    if name is not ReconstructionName.SENSE and acquisition.acceleration != (1, 1):
        raise ReconstructionError(
            f"The scan is accelerated by {acquisition.acceleration[0]}; {name} reconstructs full scans only.",
            "Choose sense.",
        )
    return acquisition


def _decimated(acquisition: Acquisition, factor: int, n_acs: int | None) -> Acquisition:
    """Return the scan as if only every `factor`-th line (the central one among them) and `n_acs` ACS lines existed."""
    n_y = acquisition.kspace.shape[5]
    lines = np.arange(n_y)
    comb = (lines - n_y // 2) % factor == 0
    acs = np.ones(n_y, dtype=np.bool_) if n_acs is None else _central(n_y, n_acs)
    first = acquisition.kspace[:, 0].mean(axis=0)
    return replace(
        acquisition,
        kspace=np.where(comb[:, None], acquisition.kspace, 0),
        sampled=comb[None, :],
        acceleration=(factor, 1),
        calibration=Calibration(kspace=np.where(acs[:, None], first, 0), sampled=acs[None, :]),
    )


def _central(n: int, width: int) -> NDArray[np.bool_]:
    """Return which of `n` samples are the `width` central ones."""
    start = n // 2 - width // 2
    index = np.arange(n)
    return (index >= start) & (index < start + width)


class _NoNoiseGiven(NoiseError):
    """Neither the task nor the file says what the noise is."""


def _noise_model(
    acquisition: Acquisition, options: ReconstructorOptions, locate: Callable[[FileReference], Path]
) -> tuple[NoiseModel, list[InputFile]]:
    if isinstance(options.noise, NoiseEstimate):
        reference = options.noise.options.file
        second, inputs = None, []
        if reference is not None:
            path = locate(reference)
            second = rawdata.read(path)
            inputs = [_input_file("second repetition", path, second.file_format)]
        return model_from_estimate(options.noise.options.source, acquisition, second), inputs
    if options.noise is not None:
        path = locate(options.noise)
        scan = rawdata.read_noise(path)
        return model_from_scan(scan, acquisition), [_input_file("noise", path, recognise(path))]
    if acquisition.noise is not None:
        return model_from_scan(acquisition.noise, acquisition), []
    raise _NoNoiseGiven(
        "Nothing says what the noise is: the task names no noise scan and the signal file holds none.",
        "Give a noise scan, or ask for an estimate: "
        'noise: {"type": "estimate", "options": {"source": "repetitions" | "kspace_edge" | "image_corners"}}.',
    )


@dataclass(frozen=True, kw_only=True)
class _Slice:
    """The maps of one slice, (y, x)."""

    snr: Real
    image: Real
    noise_sd: Real
    g_factor: Real | None
    mask: NDArray[np.bool_]
    coil_maps: CoilMaps
    n_unsolvable: int


def _slice(acquisition: Acquisition, index: int, noise: NoiseModel, document: TaskDocument) -> _Slice:
    reconstructor = document.task.options.reconstructor
    options = reconstructor.options.sensitivity_map.options
    white = whitener(noise)
    kspace = whiten(_slice_kspace(acquisition, acquisition.kspace[:, 0, index].mean(axis=0)), white)
    calibration, widths = _calibration(acquisition, index, kspace, white, reconstructor.options)
    low_resolution = calibration_image(calibration, widths)
    mask = object_mask(low_resolution, options.mask)
    maps = coil_maps(low_resolution, mask, f"Hann-apodised, {widths[0]} lines x {widths[1]} samples")
    reconstruction = _reconstruction(reconstructor.name, maps, acquisition)
    snr, image = analytic_snr(reconstruction, kspace)
    column_sd = np.ones(snr.shape[-1]) if noise.column_power is None else np.sqrt(noise.column_power)
    inside = mask.astype(snr.dtype)
    g_factor = reconstruction.g_factor
    return _Slice(
        snr=(snr * inside / column_sd).astype(np.float32),
        image=(np.abs(image) * inside).astype(np.float32),
        noise_sd=(reconstruction.noise_sd * inside * column_sd).astype(np.float32),
        g_factor=None if g_factor is None else g_factor.astype(np.float32),
        mask=mask,
        coil_maps=maps,
        n_unsolvable=reconstruction.n_unsolvable if isinstance(reconstruction, Sense) else 0,
    )


def _slice_kspace(acquisition: Acquisition, kspace: Complex) -> Complex:
    """Return (coil, y, x) of one slice's (coil, z, y, x), readout oversampling removed."""
    return fourier.remove_oversampling(kspace[:, 0], n_columns(acquisition))


def _calibration(
    acquisition: Acquisition,
    index: int,
    kspace: Complex,
    white: NDArray[np.complex128],
    options: ReconstructorOptions,
) -> tuple[Complex, tuple[int, int]]:
    """Return the calibration k-space of a slice, whitened, (coil, y, x), and the extent (y, x) of its window."""
    method = options.sensitivity_map.options.sensitivity_map_method
    sampled = acquisition.sampled[0]
    if acquisition.calibration is not None:
        sampled = acquisition.calibration.sampled[0]
        kspace = whiten(_slice_kspace(acquisition, acquisition.calibration.kspace[index]), white)
    elif acquisition.acceleration != (1, 1):
        raise ReconstructionError(
            "The accelerated scan holds no calibration lines to make coil maps from.",
            "Give a scan with calibration (ACS) lines.",
        )
    n_y, n_x = kspace.shape[-2:]
    around_centre = np.flatnonzero(sampled)
    reach = min(n_y // 2 - around_centre[0], around_centre[-1] - n_y // 2 + 1)
    if reach < 1:
        raise ReconstructionError(
            "The calibration lines do not reach the centre of k-space.", "Check the scan's calibration lines."
        )
    high, wide = (int(min(2 * reach, n_y)) if not sampled.all() else n_y), n_x
    if method is CoilMapMethod.INNER_ACL:
        wide, high = (
            min(full, asked) if asked else full for full, asked in zip((wide, high), options.acl, strict=True)
        )
    return kspace, (high, wide)


def _reconstruction(name: ReconstructionName, maps: CoilMaps, acquisition: Acquisition) -> Reconstruction:
    if name is ReconstructionName.SENSE:
        return sense(maps, acquisition.sampled[0], acquisition.acceleration[0])
    return B1Weighted(maps) if name is ReconstructionName.B1 else RootSumOfSquares(n_coils=acquisition.n_coils)


def _image_only(acquisition: Acquisition) -> Map:
    """Return the RSS image without whitening: all that can be had without noise."""
    images = [
        root_sum_of_squares(fourier.to_image(_slice_kspace(acquisition, acquisition.kspace[:, 0, index].mean(axis=0))))
        for index in range(acquisition.n_slices)
    ]
    return Map(
        id=MapId.IMAGE,
        name="Image",
        kind=MapKind.OUTPUT,
        unit="a.u.",
        data=np.stack(images).astype(np.float32),
        description="Root of the sum of squares of the coil images, not whitened. Not an SNR.",
    )


def _maps(document: TaskDocument, slices: list[_Slice]) -> list[Map]:
    options = document.task.options.reconstructor.options
    maps = [
        Map(
            id=MapId.SNR,
            name="SNR",
            kind=MapKind.OUTPUT,
            unit="1",
            data=np.stack([s.snr for s in slices]),
            description="Signal over the standard deviation of one real component of the noise.",
        )
    ]
    g_factors = [s.g_factor for s in slices if s.g_factor is not None]
    if g_factors and (options.gfactor or document.output.gfactor):
        g = np.stack(g_factors)
        inverse = np.zeros_like(g)
        np.divide(1.0, g, out=inverse, where=g > 0)
        description = "Noise amplification by unfolding, beyond sqrt(R) for the shorter scan"
        accessory = MapKind.OUTPUT
        maps += [
            Map(id=MapId.SENSE_G, name="g Factor", kind=accessory, unit="1", data=g, description=f"{description}."),
            Map(
                id=MapId.SENSE_INVERSE_G,
                name="Inverse g Factor",
                kind=accessory,
                unit="1",
                data=inverse,
                description=f"{description}, inverted: the SNR kept.",
            ),
        ]
    maps += [
        Map(
            id=MapId.NOISE_SD,
            name="Noise SD",
            kind=MapKind.ACCESSORY,
            unit="coil noise sd",
            data=np.stack([s.noise_sd for s in slices]),
            description="Standard deviation of the complex noise of the image; SNR = sqrt(2) Image / Noise SD.",
        ),
        Map(
            id=MapId.IMAGE,
            name="Image",
            kind=MapKind.ACCESSORY,
            unit="coil noise sd",
            data=np.stack([s.image for s in slices]),
            description="Magnitude of the reconstructed image, in multiples of the complex noise sd of whitened coils.",
        ),
        Map(
            id=MapId.MASK,
            name="Mask",
            kind=MapKind.MASK,
            unit="1",
            data=np.stack([s.mask for s in slices]).astype(np.uint8),
            description="1 where a voxel counts as object.",
        ),
    ]
    if document.output.coilsensitivity:
        maps += _sensitivity_maps(np.stack([s.coil_maps.maps for s in slices]))
    return maps


def _sensitivity_maps(maps: Complex) -> list[Map]:
    """Return magnitude and phase of maps (slice, coil, y, x)."""
    found = []
    for coil in range(maps.shape[1]):
        known_readers_end = 90
        magnitude_id = (
            MapId.COIL_SENSITIVITY if coil < known_readers_end else MapId.COIL_SENSITIVITY_FROM_COIL_90
        ) + coil
        found += [
            Map(
                id=magnitude_id,
                name=f"Coil Sensitivity {coil + 1}",
                kind=MapKind.ACCESSORY,
                unit="1",
                data=np.abs(maps[:, coil]).astype(np.float32),
                description="Magnitude of the whitened, normalised coil map.",
            ),
            Map(
                id=MapId.COIL_SENSITIVITY_PHASE + coil,
                name=f"Coil Sensitivity {coil + 1} Phase",
                kind=MapKind.ACCESSORY,
                unit="rad",
                data=np.angle(maps[:, coil]).astype(np.float32),
                description="Phase of the whitened, normalised coil map.",
            ),
        ]
    return found


def _result(
    document: TaskDocument,
    acquisition: Acquisition,
    maps: list[Map],
    noise: NoiseModel | None,
    coils: list[CoilMaps],
    inputs: list[InputFile],
    journal: _Journal,
    started: float,
) -> Result:
    return Result(
        document=document.anonymous(),
        maps=tuple(maps),
        geometry=acquisition.geometry,
        noise=noise,
        coil_maps=tuple(coils),
        protocol=Protocol(
            matrix=(n_columns(acquisition), int(acquisition.kspace.shape[5]), acquisition.n_slices),
            n_coils=acquisition.n_coils,
            n_averages=acquisition.n_averages,
            n_repetitions=acquisition.n_repetitions,
            acceleration=acquisition.acceleration,
            readout_oversampling=acquisition.readout_oversampling,
            dwell_time_s=acquisition.dwell_time_s,
            field_strength_t=acquisition.field_strength_t,
            flip_angle_deg=acquisition.flip_angle_deg,
            echo_time_s=acquisition.echo_time_s,
            repetition_time_s=acquisition.repetition_time_s,
            coil_names=acquisition.coil_names,
            removed_fields=acquisition.removed_fields,
        ),
        inputs=tuple(inputs),
        warnings=tuple(journal.warnings),
        methods=methods_text(document, noise, coils[0].method if coils else None),
        log=tuple(journal.log),
        calculation_time_s=time.monotonic() - started,
    )
