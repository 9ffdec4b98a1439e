"""Task and raw files in, `Result` out: the only conductor. It knows the order of things and none of the mathematics."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from mroptimum import rawdata
from mroptimum.as_asked import as_asked, in_words
from mroptimum.coils import SliceSources, read_sources
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.convention import Real
from mroptimum.errors import NoiseError, ReconstructionError
from mroptimum.flip_angle import read_flip_angle
from mroptimum.image_difference import measure_difference
from mroptimum.journal import Journal, Progress
from mroptimum.maps import all_maps, image_alone
from mroptimum.methods import methods_text
from mroptimum.noise import NoiseModel, model_from_estimate, model_from_scan, n_columns, whitener
from mroptimum.one_slice import SliceMaps, measure_slice
from mroptimum.partitions import as_slices, geometry_of_slices, n_partitions
from mroptimum.rawdata.acquisition import Acquisition, SliceGeometry
from mroptimum.rawdata.recognise import recognise
from mroptimum.result import InputFile, Map, Protocol, Result
from mroptimum.slab import measure_slab
from mroptimum.task import (
    CoilMapMethod,
    FileReference,
    Method,
    NoiseEstimate,
    ReconstructionName,
    Reconstructor,
    ReconstructorOptions,
    TaskDocument,
)

__all__ = ["NoSnr", "Progress", "run"]

WELL_SUPPORTED = 0.8
"""Below this support of a GRAPPA kernel the image was measured to be off by one to two sd of its noise."""


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
    journal = Journal(progress=progress, cancelled=cancelled)
    with threadpool_limits(limits=1, user_api="blas"):
        if document.task.name is Method.DIFFERENCE:
            return measure_difference(document, locate, journal)
        return _run(document, locate, journal)


def _run(document: TaskDocument, locate: Callable[[FileReference], Path], journal: Journal) -> Result:
    started = time.monotonic()
    scan = _prepared(document, locate, journal, started)
    sources, flip_angle_deg, beside = _read_beside(document, scan.acquisition, scan.noise, locate)
    measure = _measured_by_column if scan.acquisition.is_3d else _measured_by_slice
    slices = measure(scan, document, sources, flip_angle_deg, journal)
    if not any(s.mask.any() for s in slices):
        raise ReconstructionError(
            "The mask leaves no voxel of any slice.", "Lower its value, or choose another mask.", code="empty_mask"
        )
    unsolvable = sum(s.n_unsolvable for s in slices)
    if unsolvable and not any(s.snr.any() for s in slices):
        raise ReconstructionError(
            "The coils tell no voxels apart that fold onto each other.",
            "Choose a lower acceleration, or coil maps from more calibration lines.",
            code="coils_too_alike",
        )
    if unsolvable:
        journal.warn(f"{unsolvable} voxels cannot be told apart by these coils and were set to 0.")

    weakest = min((s.kernel.support for s in slices if s.kernel is not None), default=1.0)
    if weakest < WELL_SUPPORTED:
        journal.warn(
            f"The GRAPPA kernel's outer lines met only {100 * weakest:.0f} % of the calibration lines' energy: the "
            "image may be off by about its noise. More calibration lines or a smaller kernelSize would help."
        )

    journal.begin("finish", "putting the result together")
    return _result(
        document,
        scan.protocol,
        scan.geometry,
        all_maps(document, slices),
        scan.noise,
        slices,
        [*scan.inputs, *beside],
        journal,
        started,
    )


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """What there is to measure: k-space as slices, or as slabs of accelerated partitions; its noise; where it lies."""

    acquisition: Acquisition
    noise: NoiseModel | None
    geometry: tuple[SliceGeometry, ...]
    protocol: Protocol
    inputs: tuple[InputFile, ...]


def _prepared(
    document: TaskDocument, locate: Callable[[FileReference], Path], journal: Journal, started: float
) -> _Prepared:
    """Read signal and noise and refuse what does not fit together; of the k-space as read, no more is kept than needed.

    Raises `NoSnr` with the image where nothing says what the noise is.
    """
    task = document.task
    options = task.options.reconstructor.options
    journal.begin("read", "reading the signal")
    signal_path = locate(options.signal)
    recorded = rawdata.read(signal_path, multiraid=_multiraid(options))
    inputs = [_input_file("signal", signal_path, recorded.file_format)]
    _describe(recorded, journal)
    acquisition = as_asked(recorded, task)
    if options.decimate:
        journal.say(f"decimated: acceleration {in_words(acquisition.acceleration)}")
    if _acl_is_idle(task.options.reconstructor):
        journal.warn("acl is not used: coil maps by this method take all calibration data; innerACL would heed it.")
    if recorded.n_repetitions > 1 and task.name is not Method.MR:
        journal.say(f"{recorded.n_repetitions} repetitions: the SNR is that of the first")
    geometry = geometry_of_slices(recorded)
    protocol = _protocol(recorded, acquisition.acceleration)
    journal.finish()

    journal.begin("noise", "measuring the noise")
    noise: NoiseModel | None = None
    try:
        noise, noise_inputs = _noise_model(recorded, options, locate)
        inputs.extend(noise_inputs)
        for warning in noise.warnings:
            journal.warn(warning)
    except _NoNoiseGiven as refusal:
        if task.name is not Method.MR:
            image = image_alone(as_slices(recorded, in_place=True) if recorded.is_3d else recorded)
            partial = _result(document, protocol, geometry, [image], None, [], inputs, journal, started)
            raise NoSnr(refusal.message, refusal.next_step, partial=partial) from None
        journal.warn("No noise scan: coils were combined without whitening, which gives less SNR than they could.")
    del recorded
    if acquisition.is_3d and acquisition.acceleration[1] == 1:
        n_repetitions = acquisition.n_repetitions if task.name is Method.MR else 1
        acquisition = as_slices(acquisition, n_repetitions=n_repetitions, in_place=True)
    journal.finish()
    return _Prepared(acquisition=acquisition, noise=noise, geometry=geometry, protocol=protocol, inputs=tuple(inputs))


def _measured_by_slice(
    scan: _Prepared,
    document: TaskDocument,
    sources: Sequence[SliceSources],
    flip_angle_deg: Sequence[Real | None],
    journal: Journal,
) -> list[SliceMaps]:
    acquisition, n_replicas = scan.acquisition, _n_replicas(scan.acquisition, document)
    journal.expect(acquisition.n_slices * n_replicas)
    slices = []
    for index, seed in enumerate(np.random.SeedSequence(document.task.options.seed).spawn(acquisition.n_slices)):
        journal.begin("reconstruct", f"slice {index + 1} of {acquisition.n_slices}")

        def report(done: int) -> None:
            journal.within(done, f"replica {done} of {n_replicas}")

        slices.append(
            measure_slice(acquisition, index, scan.noise, document, sources[index], flip_angle_deg[index], seed, report)
        )
        journal.finish(n_replicas)
    return slices


def _n_replicas(acquisition: Acquisition, document: TaskDocument) -> int:
    """Return how many times each slice is reconstructed to measure its noise: once where that is not the way."""
    return acquisition.n_repetitions if document.task.name is Method.MR else document.task.options.replicas or 1


def _measured_by_column(
    scan: _Prepared,
    document: TaskDocument,
    sources: Sequence[SliceSources],
    flip_angle_deg: Sequence[Real | None],
    journal: Journal,
) -> list[SliceMaps]:
    acquisition, n_replicas = scan.acquisition, _n_replicas(scan.acquisition, document)
    n_slabs, n_x = acquisition.n_slices, n_columns(acquisition)
    n_slices = len(sources) // n_slabs
    journal.expect(n_slabs * n_x * n_replicas)
    slices = []
    for index, seed in enumerate(np.random.SeedSequence(document.task.options.seed).spawn(n_slabs)):
        journal.begin("reconstruct", f"slab {index + 1} of {n_slabs}")

        def report(column: int, done: int) -> None:
            where = f"column {column + 1} of {n_x}" + (f", replica {done} of {n_replicas}" if done else "")
            journal.within(column * n_replicas + done, where)

        own = slice(index * n_slices, (index + 1) * n_slices)
        slices += measure_slab(
            acquisition, index, scan.noise, document, sources[own], flip_angle_deg[own], seed, report
        )
        journal.finish(n_x * n_replicas)
    return slices


def _read_beside(
    document: TaskDocument,
    acquisition: Acquisition,
    noise: NoiseModel | None,
    locate: Callable[[FileReference], Path],
) -> tuple[tuple[SliceSources, ...], list[Real] | list[None], list[InputFile]]:
    """Read the files beside signal and noise: for coil maps and mask, and the flip angle, slice by slice."""
    options = document.task.options.reconstructor.options
    of_maps = options.sensitivity_map.options
    named = {
        "coil maps": of_maps.sensitivity_map_source,
        "mask": of_maps.mask.file,
        "flip angle": options.correction.fa_correction if options.correction.use_correction else None,
    }
    paths = {role: locate(reference) for role, reference in named.items() if reference is not None}
    white = np.eye(acquisition.n_coils, dtype=np.complex128) if noise is None else whitener(noise)
    sources = read_sources(of_maps, acquisition, white, source=paths.get("coil maps"), mask=paths.get("mask"))
    inputs = [_input_file(role, path, "raw or arrays") for role, path in paths.items()]
    if "flip angle" not in paths:
        return sources, [None] * len(sources), inputs
    return sources, list(read_flip_angle(paths["flip angle"], SliceGrid.of(acquisition))), inputs


def _describe(acquisition: Acquisition, journal: Journal) -> None:
    n_z, n_y, n_samples = acquisition.kspace.shape[4:]
    parts = f"slabs of {n_z} partitions x" if acquisition.is_3d else "slices of"
    journal.say(
        f"signal: {acquisition.file_format}, {acquisition.n_slices} {parts} {n_y} lines x {n_samples} samples, "
        f"{acquisition.n_coils} coils"
    )
    for warning in acquisition.warnings:
        journal.warn(warning)


def _acl_is_idle(reconstructor: Reconstructor) -> bool:
    """Return whether the task says how many calibration lines to use, and nothing uses that."""
    options = reconstructor.options
    is_heeded = (
        options.decimate
        or reconstructor.name is ReconstructionName.GRAPPA
        or options.sensitivity_map.options.sensitivity_map_method is CoilMapMethod.INNER_ACL
    )
    return options.acl_xyz != (None, None, None) and not is_heeded


def _multiraid(options: ReconstructorOptions) -> bool | None:
    """Return whether the signal file must hold the noise (True), need not be asked (False), or may (None)."""
    if options.signal_multi_raid or options.signal.options.multiraid:
        return True
    return None if options.noise is None else False


def _input_file(role: str, path: Path, file_format: str) -> InputFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return InputFile(role=role, sha256=digest.hexdigest(), size_bytes=path.stat().st_size, file_format=file_format)


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
        "Give a noise scan (--noise FILE), or ask for an estimate: --noise-estimate repetitions, kspace_edge or "
        'image_corners; in a task file noise: {"type": "estimate", "options": {"source": "kspace_edge"}}.',
    )


def _protocol(recorded: Acquisition, acceleration: tuple[int, int]) -> Protocol:
    return Protocol(
        matrix=(n_columns(recorded), int(recorded.kspace.shape[5]), recorded.n_slices * n_partitions(recorded)),
        n_coils=recorded.n_coils,
        n_partitions=n_partitions(recorded),
        n_averages=recorded.n_averages,
        n_repetitions=recorded.n_repetitions,
        acceleration=acceleration,
        readout_oversampling=recorded.readout_oversampling,
        dwell_time_s=recorded.dwell_time_s,
        field_strength_t=recorded.field_strength_t,
        flip_angle_deg=recorded.flip_angle_deg,
        echo_time_s=recorded.echo_time_s,
        repetition_time_s=recorded.repetition_time_s,
        coil_names=recorded.coil_names,
        removed_fields=recorded.removed_fields,
    )


def _result(
    document: TaskDocument,
    protocol: Protocol,
    geometry: tuple[SliceGeometry, ...],
    maps: list[Map],
    noise: NoiseModel | None,
    slices: list[SliceMaps],
    inputs: list[InputFile],
    journal: Journal,
    started: float,
) -> Result:
    return Result(
        document=document.anonymous(),
        maps=tuple(maps),
        geometry=geometry,
        noise=noise,
        coil_maps=tuple(s.coil_maps for s in slices if s.coil_maps is not None),
        protocol=protocol,
        inputs=tuple(inputs),
        warnings=tuple(journal.warnings),
        methods=methods_text(
            document,
            noise,
            slices[0] if slices else None,
            is_3d=protocol.n_partitions > 1,
            acceleration=protocol.acceleration,
        ),
        log=tuple(journal.log),
        calculation_time_s=time.monotonic() - started,
        noise_domain=slices[0].noise_domain if slices else None,
        seed=document.task.options.seed if slices and slices[0].noise_domain else None,
    )
