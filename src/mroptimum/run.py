"""Task and raw files in, `Result` out: the only conductor. It knows the order of things and none of the mathematics."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from mroptimum import rawdata
from mroptimum.as_asked import as_asked
from mroptimum.coils import SliceSources, read_sources
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.convention import Real
from mroptimum.errors import NoiseError, ReconstructionError
from mroptimum.flip_angle import read_flip_angle
from mroptimum.journal import Journal, Progress
from mroptimum.maps import all_maps, image_alone
from mroptimum.methods import methods_text
from mroptimum.noise import NoiseModel, model_from_estimate, model_from_scan, n_columns, whitener
from mroptimum.one_slice import SliceMaps, measure_slice
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.rawdata.recognise import recognise
from mroptimum.result import InputFile, Map, Protocol, Result
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
    with threadpool_limits(limits=1, user_api="blas"):
        return _run(document, locate, Journal(progress=progress, cancelled=cancelled))


def _run(document: TaskDocument, locate: Callable[[FileReference], Path], journal: Journal) -> Result:
    started = time.monotonic()
    task = document.task
    options = task.options.reconstructor.options

    journal.begin("read", "reading the signal")
    signal_path = locate(options.signal)
    recorded = rawdata.read(signal_path, multiraid=_multiraid(options))
    inputs = [_input_file("signal", signal_path, recorded.file_format)]
    _describe(recorded, journal)
    acquisition = as_asked(recorded, task.options.reconstructor)
    if options.decimate:
        journal.say(f"decimated to every {acquisition.acceleration[0]}th line")
    if _acl_is_idle(task.options.reconstructor):
        journal.warn("acl is not used: coil maps by this method take all calibration data; innerACL would heed it.")
    if recorded.n_repetitions > 1 and task.name is not Method.MR:
        journal.say(f"{recorded.n_repetitions} repetitions: the SNR is that of the first")
    journal.expect(acquisition.n_slices, task.options.replicas or 1)
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
            image = image_alone(recorded)
            partial = _result(document, recorded, [image], None, [], inputs, journal, started)
            raise NoSnr(refusal.message, refusal.next_step, partial=partial) from None
        journal.warn("No noise scan: coils were combined without whitening, which gives less SNR than they could.")
    journal.finish()

    sources, flip_angle_deg, beside = _read_beside(options, acquisition, noise, locate)
    inputs.extend(beside)
    slices = []
    seeds = np.random.SeedSequence(task.options.seed).spawn(acquisition.n_slices)
    for index, seed in enumerate(seeds):
        journal.begin("reconstruct", f"slice {index + 1} of {acquisition.n_slices}")

        def report(done: int) -> None:
            journal.within(done, task.options.replicas or 1, "replica")

        slices.append(
            measure_slice(acquisition, index, noise, task, sources[index], flip_angle_deg[index], seed, report)
        )
        journal.finish(task.options.replicas or 1)
    if not any(s.mask.any() for s in slices):
        raise ReconstructionError(
            "The mask leaves no voxel of any slice.", "Lower its value, or choose another mask.", code="empty_mask"
        )
    unsolvable = sum(s.n_unsolvable for s in slices)
    if unsolvable:
        journal.warn(f"{unsolvable} voxels cannot be told apart by these coils and were set to 0.")

    weakest = min((s.kernel.support for s in slices if s.kernel is not None), default=1.0)
    if weakest < WELL_SUPPORTED:
        journal.warn(
            f"The GRAPPA kernel's outer lines met only {100 * weakest:.0f} % of the calibration lines' energy: the "
            "image may be off by about its noise. More calibration lines or a smaller kernelSize would help."
        )

    journal.begin("finish", "putting the result together")
    return _result(document, acquisition, all_maps(document, slices), noise, slices, inputs, journal, started)


def _read_beside(
    options: ReconstructorOptions,
    acquisition: Acquisition,
    noise: NoiseModel | None,
    locate: Callable[[FileReference], Path],
) -> tuple[tuple[SliceSources, ...], list[Real] | list[None], list[InputFile]]:
    """Read the files beside signal and noise: for coil maps and mask, and the flip angle, slice by slice."""
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
        return sources, [None] * acquisition.n_slices, inputs
    return sources, list(read_flip_angle(paths["flip angle"], SliceGrid.of(acquisition))), inputs


def _describe(acquisition: Acquisition, journal: Journal) -> None:
    journal.say(
        f"signal: {acquisition.file_format}, {acquisition.n_slices} slices of {acquisition.kspace.shape[-2]} lines x "
        f"{acquisition.kspace.shape[-1]} samples, {acquisition.n_coils} coils"
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
    return options.acl != (None, None) and not is_heeded


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
        "Give a noise scan, or ask for an estimate: "
        'noise: {"type": "estimate", "options": {"source": "repetitions" | "kspace_edge" | "image_corners"}}.',
    )


def _result(
    document: TaskDocument,
    acquisition: Acquisition,
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
        geometry=acquisition.geometry,
        noise=noise,
        coil_maps=tuple(s.coil_maps for s in slices) if document.output.coilsensitivity else (),
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
        methods=methods_text(document, noise, slices[0] if slices else None),
        log=tuple(journal.log),
        calculation_time_s=time.monotonic() - started,
        noise_domain=slices[0].noise_domain if slices else None,
        seed=document.task.options.seed if slices and slices[0].noise_domain else None,
    )
