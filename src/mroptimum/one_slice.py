"""One slice from k-space to maps: whitening, calibration, reconstruction, and the method that measures SNR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.by_method import PlaneNoise, measure
from mroptimum.coils import CalibrationRegion, CoilMaps, SliceSources, maps_for
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.flip_angle import corrected
from mroptimum.noise import NoiseModel, lines_power, n_columns, partial_fourier_power, whiten, whitener
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.rawdata.sampling import central, central_block
from mroptimum.reconstruction import Reconstruction
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.grappa import Grappa, grappa
from mroptimum.reconstruction.grappa_keep_acs import GrappaKeepingAcs
from mroptimum.reconstruction.grappa_kernel import GrappaKernel, calibrate
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import Sense, sense
from mroptimum.snr import SnrMap
from mroptimum.task import (
    CoilMapMethod,
    Method,
    NoiseDomain,
    ReconstructionName,
    Reconstructor,
    ReconstructorOptions,
    TaskDocument,
)


@dataclass(frozen=True, kw_only=True)
class KernelFacts:
    """What is said of a GRAPPA kernel: samples x lines, how it was fitted, and how well it is supported."""

    size: tuple[int, int]
    n_equations: int
    regularisation: float
    support: float


@dataclass(frozen=True, kw_only=True)
class SliceMaps:
    """What was found for one slice, (y, x) each, single precision; 0 outside the mask.

    ``coil_maps`` is None where they were not asked for: they are as large as the data. ``coil_map_method`` says in
    words how they were made.
    """

    snr: NDArray[np.float32]
    image: NDArray[np.float32]
    noise_sd: NDArray[np.float32]
    standard_error: NDArray[np.float32] | None
    g_factor: NDArray[np.float32] | None
    mask: NDArray[np.bool_]
    coil_maps: CoilMaps | None
    coil_map_method: str
    noise_domain: NoiseDomain | None
    kernel: KernelFacts | None = None
    n_unsolvable: int = 0

    @classmethod
    def of(
        cls,
        found: SnrMap,
        g_factor: Real | None,
        maps: CoilMaps,
        *,
        flip_angle_deg: Real | None,
        noise_domain: NoiseDomain | None,
        keep_coil_maps: bool,
        kernel: KernelFacts | None = None,
        n_unsolvable: int = 0,
    ) -> SliceMaps:
        """Put together what was found inside the mask of `maps`; `flip_angle_deg` (y, x) corrects its SNR."""
        if flip_angle_deg is not None:
            found = corrected(found, flip_angle_deg)
        return cls(
            snr=_inside(found.snr, maps.mask),
            image=_inside(np.abs(found.image), maps.mask),
            noise_sd=_inside(found.noise_sd, maps.mask),
            standard_error=None if found.standard_error is None else _inside(found.standard_error, maps.mask),
            g_factor=None if g_factor is None else _inside(g_factor, maps.mask),
            mask=maps.mask,
            coil_maps=maps if keep_coil_maps else None,
            coil_map_method=maps.method,
            noise_domain=noise_domain,
            kernel=kernel,
            n_unsolvable=n_unsolvable,
        )


def measure_slice(
    acquisition: Acquisition,
    index: int,
    noise: NoiseModel | None,
    document: TaskDocument,
    sources: SliceSources,
    flip_angle_deg: Real | None,
    seed: np.random.SeedSequence,
    report: Callable[[int], None],
) -> SliceMaps:
    """Measure the SNR of slice `index`.

    `sources` is what other files say of its coil maps, `flip_angle_deg` (y, x) corrects its SNR. Without a noise model
    (real repetitions need none) coils are combined as they are. `seed` is this slice's own; `report` is called with the
    number of replicas done. Raises `ReconstructionError` and `TaskError`.
    """
    task = document.task
    reconstructor = task.options.reconstructor
    options = reconstructor.options
    white = np.eye(acquisition.n_coils, dtype=np.complex128) if noise is None else whitener(noise)
    kept = _lines_put_back(acquisition, options)
    repetitions = [
        whiten(slice_kspace(acquisition, _recorded(acquisition, r, index, kept)), white)
        for r in range(acquisition.n_repetitions if task.name is Method.MR else 1)
    ]
    kspace = repetitions[0]
    calibration = _calibration(acquisition, index, kspace, white, options, is_white=noise is not None)
    region = calibration.region if calibration else None
    maps = maps_for(options.sensitivity_map.options, region, sources)
    reconstruction = _reconstruction(reconstructor, maps, acquisition, kspace, calibration, kept)
    of_plane = PlaneNoise(
        column_sd=column_sd(noise),
        # Lines are drawn over the whole readout, so only zero-filled lines make the image quieter than they are.
        kspace_sd=1.0 / np.sqrt(lines_power(acquisition)),
    )
    found, domain = measure(task, reconstruction, repetitions, of_plane, seed, report)
    return SliceMaps.of(
        found,
        reconstruction.g_factor,
        maps,
        flip_angle_deg=flip_angle_deg,
        noise_domain=domain,
        keep_coil_maps=document.output.coilsensitivity,
        kernel=_facts(reconstruction.kernel) if isinstance(reconstruction, Grappa | GrappaKeepingAcs) else None,
        n_unsolvable=reconstruction.n_unsolvable if isinstance(reconstruction, Sense) else 0,
    )


def _lines_put_back(acquisition: Acquisition, options: ReconstructorOptions) -> NDArray[np.bool_] | None:
    """Return the calibration lines (y,) that the image keeps, those within `acl`; None: it keeps none."""
    if not options.keep_acs or acquisition.calibration is None:
        return None
    n_y = acquisition.sampled.shape[1]
    within = central(n_y, options.acl_xyz[1] or n_y)
    return np.asarray(acquisition.calibration.sampled[0] & within & ~acquisition.sampled[0])


def _recorded(acquisition: Acquisition, repetition: int, index: int, kept: NDArray[np.bool_] | None) -> Complex:
    """Return what was recorded of a slice in one repetition, (coil, z, y, x), averaged, with the lines it keeps."""
    kspace: Complex = acquisition.kspace[:, repetition, index].mean(axis=0)
    calibration = acquisition.calibration
    if kept is None or calibration is None:
        return kspace
    if calibration.of_each is None:
        kspace[:, 0, kept] = calibration.kspace[index, :, 0, kept].swapaxes(0, 1)
    else:
        of_lines = kept[calibration.sampled[0]]
        kspace[:, 0, kept] = calibration.of_each[:, repetition, index][:, :, of_lines].mean(axis=0)
    return kspace


def slice_kspace(acquisition: Acquisition, kspace: Complex) -> Complex:
    """Return (coil, y, x) of one slice's (coil, z, y, x), readout oversampling removed."""
    return fourier.remove_oversampling(kspace[:, 0], n_columns(acquisition))


def column_sd(noise: NoiseModel | None) -> Real | float:
    """Return the noise sd of each image column relative to the whitened, (x,), or 1 where all are alike."""
    return 1.0 if noise is None or noise.column_power is None else np.sqrt(noise.column_power)


def _facts(kernel: GrappaKernel) -> KernelFacts:
    return KernelFacts(
        size=kernel.shape.size,
        n_equations=kernel.n_equations,
        regularisation=kernel.regularisation,
        support=kernel.support,
    )


def _inside(values: Real, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    return np.where(mask, values, 0).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class _Calibration:
    """The calibration data of a slice, whitened, and which lines (y,) they hold."""

    region: CalibrationRegion
    sampled: NDArray[np.bool_]


def _calibration(
    acquisition: Acquisition,
    index: int,
    kspace: Complex,
    white: NDArray[np.complex128],
    options: ReconstructorOptions,
    *,
    is_white: bool,
) -> _Calibration | None:
    sampled, noise_power = acquisition.sampled[0], 1.0
    if acquisition.calibration is not None:
        sampled = acquisition.calibration.sampled[0]
        noise_power = acquisition.calibration.noise_power * acquisition.n_averages
        kspace = whiten(slice_kspace(acquisition, acquisition.calibration.kspace[index]), white)
    elif acquisition.acceleration != (1, 1):
        return None
    if not sampled.any():
        return None
    n_x = kspace.shape[-1]
    _, n_lines = central_block(sampled[None])
    if n_lines == 0 and options.sensitivity_map.options.load_sensitivity:
        return None
    if n_lines == 0:
        raise ReconstructionError(
            "The calibration lines do not reach the centre of k-space.", "Check the scan's calibration lines."
        )
    widths = (n_lines, n_x)
    if options.sensitivity_map.options.sensitivity_map_method is CoilMapMethod.INNER_ACL:
        wide, high, _ = options.acl_xyz
        widths = (min(widths[0], high or n_lines), min(widths[1], wide or n_x))
    noise_sd = np.sqrt(noise_power / partial_fourier_power(acquisition)) if is_white else None
    return _Calibration(region=CalibrationRegion(kspace=kspace, widths=widths, noise_sd=noise_sd), sampled=sampled)


def _reconstruction(
    reconstructor: Reconstructor,
    maps: CoilMaps,
    acquisition: Acquisition,
    kspace: Complex,
    calibration: _Calibration | None,
    kept: NDArray[np.bool_] | None,
) -> Reconstruction:
    acceleration = acquisition.acceleration[0]
    match reconstructor.name:
        case ReconstructionName.RSS:
            return RootSumOfSquares(n_coils=acquisition.n_coils)
        case ReconstructionName.B1:
            return B1Weighted(maps)
        case ReconstructionName.SENSE:
            return sense(maps, acquisition.sampled[0], acceleration)
        case ReconstructionName.GRAPPA:
            if calibration is None:
                raise ReconstructionError(
                    "The accelerated scan holds no calibration lines to learn a kernel from.",
                    "Give a scan with calibration (ACS) lines, or choose sense with coil maps from a file.",
                )
            n_lines = reconstructor.options.acl_xyz[1]
            acs = calibration.sampled & central(len(calibration.sampled), n_lines or len(calibration.sampled))
            kernel = calibrate(calibration.region.kspace, acs, acceleration, size=reconstructor.options.kernel_size)
            if kept is not None:
                return GrappaKeepingAcs.of(kernel, acquisition.sampled[0], kept)
            return grappa(kernel, kspace, acquisition.sampled[0])
        case ReconstructionName.SCANNER:
            raise ValueError("images of a scanner are not reconstructed here")
