"""The noise of an image estimated from the signal itself: only when asked for, and always with a word on its bias."""

from __future__ import annotations

import numpy as np

from mroptimum import fourier
from mroptimum.convention import ScaleChain, ScaleStep
from mroptimum.errors import NoiseError
from mroptimum.noise.image_factors import image_steps, n_columns, samples_present
from mroptimum.noise.model import NoiseModel
from mroptimum.noise.receive_band import bandwidth_ratio, coils_per_independent_one, column_power_of, is_coloured
from mroptimum.noise.samples import checked_covariance, covariance, dc_fraction
from mroptimum.rawdata.acquisition import Acquisition, Complex64
from mroptimum.task import NoiseSource

EDGE_FRACTION = 0.1
"""What counts as the edge of k-space, or as a corner of the image, on each side."""


def model_from_estimate(source: NoiseSource, acquisition: Acquisition, second: Acquisition | None = None) -> NoiseModel:
    """Estimate the noise from the signal itself, because it was asked for; always with a warning about its bias.

    `second` is another repetition of the same scan in a file of its own (source ``repetitions`` only). Raises
    `NoiseError` when the data do not hold what the estimate needs.
    """
    warnings: list[str] = []
    if source is NoiseSource.REPETITIONS:
        samples, step = _from_repetitions(acquisition, second, warnings)
    elif source is NoiseSource.KSPACE_EDGE:
        samples, step = _from_kspace_edge(acquisition, warnings)
    else:
        samples, step = _from_image_corners(acquisition, warnings)
    psi, n_samples = checked_covariance(samples, acquisition.coil_names, warnings)
    bandwidth, column_power = None, None
    if source is NoiseSource.REPETITIONS:
        bandwidth = bandwidth_ratio(samples)
        if is_coloured(bandwidth, warnings):
            column_power = column_power_of(samples, samples.shape[-1], samples.shape[-1])
    # These two see the readout as it is zero-filled, so what that takes from the noise is in the samples already.
    has_readout = source in {NoiseSource.REPETITIONS, NoiseSource.IMAGE_CORNERS}
    chain = ScaleChain((step, *image_steps(acquisition, readout=not has_readout)))
    return NoiseModel(
        covariance=psi * chain.power,
        sample_covariance=psi,
        n_samples=n_samples,
        dc_fraction=dc_fraction(samples),
        chain=chain,
        origin=f"estimated from the signal ({source})",
        bandwidth=bandwidth,
        column_power=column_power,
        warnings=tuple(warnings),
    )


def _from_repetitions(
    acquisition: Acquisition, second: Acquisition | None, warnings: list[str]
) -> tuple[Complex64, ScaleStep]:
    first_lines = _image_kspace(acquisition, 0)
    if second is not None:
        if second.kspace.shape[2:] != acquisition.kspace.shape[2:] or not np.array_equal(
            second.sampled, acquisition.sampled
        ):
            raise NoiseError(
                "The two repetitions were not recorded alike: "
                f"{acquisition.kspace.shape[2:]} and {second.kspace.shape[2:]} (slice, coil, z, y, x).",
                "Give two repetitions of one and the same scan.",
            )
        second_lines = _image_kspace(second, 0)
    elif acquisition.n_repetitions > 1:
        second_lines = _image_kspace(acquisition, 1)
    else:
        raise NoiseError(
            "The signal has one repetition; the noise cannot be estimated from a difference.",
            "Give a noise scan, or a file with a second repetition of the same scan.",
        )
    difference = second_lines - first_lines
    used, held_out = difference[..., 0::2, :], difference[..., 1::2, :]
    predicted = np.diagonal(covariance(_as_readouts(used))).real
    found = np.diagonal(covariance(_as_readouts(held_out))).real if held_out.size else predicted
    deviation = float(np.sqrt(found.sum() / predicted.sum()) - 1.0)
    error = float(np.sqrt(0.5 / (used.size / coils_per_independent_one(_as_readouts(used)))))
    warnings.append(
        "Noise was estimated from the difference of two repetitions (half of the lines; on the other half the standard "
        f"deviation is {100 * deviation:+.2f} % off, ± {100 * error:.2f} % by chance). Motion, drift or instability "
        "between them counts as noise and makes SNR too low."
    )
    step = ScaleStep(
        name="difference of two repetitions",
        value=0.5,
        source="the variance of a difference is the sum of two equal variances",
    )
    return _as_readouts(used), step


def _from_kspace_edge(acquisition: Acquisition, warnings: list[str]) -> tuple[Complex64, ScaleStep]:
    n_acquired, n_grid = samples_present(acquisition)
    if n_acquired < n_grid:
        raise NoiseError(
            f"The echo is asymmetric ({n_acquired} of {n_grid} samples): the edge of k-space was not recorded.",
            "Give a noise scan, or choose repetitions or image_corners.",
        )
    lines = _image_kspace(acquisition, 0)
    n_lines, n_x = lines.shape[-2:]
    edge = max(1, round(n_lines * EDGE_FRACTION))
    flank = max(1, n_x // 4)
    outer = np.concatenate([lines[..., :edge, :], lines[..., -edge:, :]], axis=-2)
    samples = np.concatenate([outer[..., :flank], outer[..., -flank:]], axis=-1)
    warnings.append(
        f"Noise was estimated from the corners of k-space ({2 * edge} outer lines, outer half of each readout). Signal "
        "that is left there counts as noise and makes SNR too low; noise is taken as white, and where the readout was "
        "not oversampled, a receiver filter makes SNR up to 12 % too high in the middle and too low at the sides."
    )
    return _as_readouts(samples), _estimate_step()


def _from_image_corners(acquisition: Acquisition, warnings: list[str]) -> tuple[Complex64, ScaleStep]:
    if not np.all(acquisition.sampled):
        raise NoiseError(
            "An undersampled image has no corners free of signal: aliases fold into them.",
            "Give a noise scan, or choose kspace_edge or repetitions.",
        )
    kspace = acquisition.kspace[:, 0]
    kept = n_columns(acquisition)
    image = fourier.to_image(fourier.remove_oversampling(kspace, kept), axes=(-2, -1))
    high = max(1, round(image.shape[-2] * EDGE_FRACTION))
    wide = max(1, round(kept * EDGE_FRACTION))
    rows = np.concatenate([image[..., :high, :], image[..., -high:, :]], axis=-2)
    corners = np.concatenate([rows[..., :wide], rows[..., -wide:]], axis=-1)
    samples = corners.reshape(*corners.shape[:3], -1, corners.shape[-1]).astype(np.complex64, copy=False)
    warnings.append(
        f"Noise was estimated from the image corners ({wide} x {high} voxels each). The receiver filter makes the "
        "sides of the readout quieter than the middle (SNR up to 2.7 times too high on oversampled data), artefacts "
        "make them louder."
    )
    return _as_readouts(samples), _estimate_step()


def _estimate_step() -> ScaleStep:
    return ScaleStep(name="estimated in the signal itself", value=1.0, source="same sampling as the image")


def _image_kspace(acquisition: Acquisition, repetition: int) -> Complex64:
    """Return k-space (average, slice, coil, z, y, x) of one repetition, oversampling removed, sampled lines only."""
    lines = acquisition.kspace[:, repetition][..., acquisition.sampled, :]
    return fourier.remove_oversampling(lines, n_columns(acquisition)).astype(np.complex64, copy=False)


def _as_readouts(lines: Complex64) -> Complex64:
    """Turn (average, slice, coil, line, x) into (readout, coil, sample)."""
    moved = np.moveaxis(lines, 2, -2)
    return moved.reshape(-1, *moved.shape[-2:])
