"""Noise: its covariance from samples, how it reaches the image, and whitening.

A noise scan is used as recorded: unsorted, unaveraged, not mean-subtracted. Between it and the image stands the scale
chain (`mroptimum.convention`); every factor is computed from what was really done, and reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex, ScaleChain, ScaleStep, power_gain
from mroptimum.errors import NoiseError
from mroptimum.rawdata.acquisition import Acquisition, Complex64, NoiseScan
from mroptimum.task import NoiseSource
from mroptimum.threads import over_blocks

Covariance = NDArray[np.complex128]

MIN_SAMPLES_PER_COIL = 50
"""Below this many samples a coil, the SNR is biased by more than 1 % (sqrt(N / (N - n_coils)))."""
FLAT_HALF = 0.5
"""The part of the receive band taken as flat: the centre half, which is what 2x oversampling keeps."""
WHITE_WITHIN = 3.0
"""A band is called white when its bandwidth ratio is within this many standard errors of 1."""
INDEPENDENT_ABOVE = 1e-10
"""A coil whose noise power is explained by the other coils up to this part cannot be whitened."""
EDGE_FRACTION = 0.1
"""What counts as the edge of k-space, or as a corner of the image, on each side."""


@dataclass(frozen=True, kw_only=True)
class Bandwidth:
    """Noise-equivalent bandwidth over sampling bandwidth: value, standard error, where it comes from."""

    ratio: float
    standard_error: float
    source: str


@dataclass(frozen=True, kw_only=True)
class NoiseModel:
    """The noise of one voxel of an unaccelerated, unaveraged-over-coils image.

    ``covariance`` is (coil, coil), complex, in the units of the image squared: Psi of the samples times
    ``chain.power``. ``column_power`` is the power along x relative to that (None: the same everywhere).
    ``sample_covariance`` is Psi of the samples alone; ``n_samples`` their number; ``dc_fraction`` the part of their
    power that is a constant offset.
    """

    covariance: Covariance
    sample_covariance: Covariance
    n_samples: int
    dc_fraction: float
    chain: ScaleChain
    origin: str
    bandwidth: Bandwidth | None = None
    column_power: NDArray[np.float64] | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def sigma(self) -> NDArray[np.float64]:
        """Standard deviation of the complex noise of each coil, (coil,), in image units."""
        return np.sqrt(np.diagonal(self.covariance).real)

    @property
    def correlation(self) -> Covariance:
        """Noise correlation coefficients, (coil, coil), complex, 1 on the diagonal."""
        matrix: Covariance = self.covariance / np.outer(self.sigma, self.sigma)
        return matrix


def covariance(samples: Complex) -> Covariance:
    """Return ``Psi = (1/N) sum n n^H``, (coil, coil), float64 accuracy, of samples (readout, coil, sample)."""
    n_coils = samples.shape[1]
    psi = np.zeros((n_coils, n_coils), dtype=np.complex128)
    for readout in samples:
        n = readout.astype(np.complex128)
        psi += n @ n.conj().T
    psi /= samples.shape[0] * samples.shape[2]
    return psi


def bandwidth_ratio(samples: Complex) -> Bandwidth:
    """Measure the noise-equivalent bandwidth of the receiver filter, relative to the sampling bandwidth.

    The spectrum of the noise, averaged over coils (each at unit power) and readouts: its mean over the whole band over
    its mean in the flat centre half. White noise gives 1; Siemens receivers about 0.79. `samples` is
    (readout, coil, sample).
    """
    spectrum = _spectrum(samples)
    n = len(spectrum)
    width = max(1, round(n * FLAT_HALF))
    start = n // 2 - width // 2
    flat = spectrum[start : start + width].mean()
    n_independent = samples.shape[0] * n * _independent_coils(samples)
    return Bandwidth(
        ratio=float(spectrum.mean() / flat),
        # (a + b) / 2a with a, b the means of N/2 exponential variates each: variance 1/4 (2/N + 2/N) = 1/N at a = b.
        standard_error=float(np.sqrt(1.0 / n_independent)),
        source=f"measured on {samples.shape[0]} noise readouts",
    )


def _spectrum(samples: Complex) -> NDArray[np.float64]:
    """Return the mean power spectrum, (sample,), centred, coils weighted to equal power."""
    power = np.zeros(samples.shape[2])
    scale = np.sqrt(np.mean(np.abs(samples) ** 2, axis=(0, 2), dtype=np.float64))
    for readout in samples:
        band = fourier.to_image(readout.astype(np.complex128) / scale[:, None], axes=(-1,))
        power += np.mean(np.abs(band) ** 2, axis=0)
    spectrum: NDArray[np.float64] = power / samples.shape[0]
    return spectrum


def _independent_ratio(samples: Complex) -> float:
    """Return how many coils there are for each uncorrelated one."""
    return float(samples.shape[1] / _independent_coils(samples))


def _independent_coils(samples: Complex) -> float:
    """Return how many uncorrelated coils carry as much information: n^2 over the sum of squared correlations."""
    psi = covariance(samples)
    sigma = np.sqrt(np.diagonal(psi).real)
    correlation = np.abs(psi / np.outer(sigma, sigma)) ** 2
    return float(len(psi) ** 2 / correlation.sum())


def model_from_scan(scan: NoiseScan, acquisition: Acquisition) -> NoiseModel:
    """Carry a noise scan over to one image of an acquisition: the scale chain of `docs/snr-methods.md`.

    ``Psi_image = Psi_scan * (dwell_scan / dwell_image) / NBW * gains``. Raises `NoiseError` when coils do not match or
    one receives nothing.
    """
    if scan.n_coils != acquisition.n_coils:
        raise NoiseError(
            f"The noise scan has {scan.n_coils} coils, the signal {acquisition.n_coils}.",
            "Give a noise scan recorded with the coils of the signal.",
        )
    scan = _in_order_of(acquisition.coil_names, scan)
    warnings = list(scan.warnings)
    psi, n_samples = _checked_covariance(scan.samples, acquisition.coil_names, warnings)
    n_x = int(acquisition.kspace.shape[-1])
    n_kept = n_columns(acquisition)
    removed = _removed_before(scan, acquisition, warnings)
    n_band = n_x if removed is None else round(n_x / removed.value)
    bandwidth = _bandwidth(scan, warnings)
    steps = [_dwell_step(scan, acquisition, warnings)]
    column_power = None
    if n_kept <= round(n_band * FLAT_HALF):
        steps.append(
            ScaleStep(
                name="1 / noise bandwidth ratio",
                value=1.0 / bandwidth.ratio,
                source=f"{bandwidth.source}; the image keeps the flat centre of the receive band",
            )
        )
    elif _is_coloured(bandwidth, warnings):
        column_power = _column_power(scan.samples, n_band, n_kept)
    steps.append(
        ScaleStep(
            name="oversampling removal",
            value=power_gain(lambda matrix: _complex128(fourier.remove_oversampling(matrix, n_kept)), n_x),
            source=f"computed from the operator applied, {n_x} to {n_kept} samples",
        )
    )
    if removed is not None:
        steps.append(removed)
    chain = ScaleChain((*steps, *_image_steps(acquisition)))
    return NoiseModel(
        covariance=psi * chain.power,
        sample_covariance=psi,
        n_samples=n_samples,
        dc_fraction=_dc_fraction(scan.samples),
        chain=chain,
        origin=scan.origin,
        bandwidth=bandwidth,
        column_power=column_power,
        warnings=tuple(warnings),
    )


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
    psi, n_samples = _checked_covariance(samples, acquisition.coil_names, warnings)
    bandwidth, column_power = None, None
    if source is NoiseSource.REPETITIONS:
        bandwidth = bandwidth_ratio(samples)
        if _is_coloured(bandwidth, warnings):
            column_power = _column_power(samples, samples.shape[-1], samples.shape[-1])
    # These two see the readout as it is zero-filled, so what that takes from the noise is in the samples already.
    has_readout = source in {NoiseSource.REPETITIONS, NoiseSource.IMAGE_CORNERS}
    chain = ScaleChain((step, *_image_steps(acquisition, readout=not has_readout)))
    return NoiseModel(
        covariance=psi * chain.power,
        sample_covariance=psi,
        n_samples=n_samples,
        dc_fraction=_dc_fraction(samples),
        chain=chain,
        origin=f"estimated from the signal ({source})",
        bandwidth=bandwidth,
        column_power=column_power,
        warnings=tuple(warnings),
    )


def whitener(model: NoiseModel) -> NDArray[np.complex128]:
    """Return ``L^-1`` with ``Psi = L L^H``, (coil, coil): what makes the noise of the coils white with power 1.

    Raises `NoiseError` when the covariance cannot be inverted.
    """
    try:
        lower = np.linalg.cholesky(model.covariance)
    except np.linalg.LinAlgError:
        raise _singular() from None
    own = np.diagonal(lower).real / model.sigma
    if float(own.min()) ** 2 < INDEPENDENT_ABOVE:
        raise _singular()
    inverse: NDArray[np.complex128] = scipy.linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
    return inverse


def whiten(kspace: Complex, matrix: NDArray[np.complex128]) -> Complex:
    """Return ``L^-1 p`` over the coil axis of k-space or images (coil, ...), in the precision of the data.

    In blocks, because one large product is slower than several that stay in the cache.
    """
    flat = kspace.reshape(kspace.shape[0], -1)
    white = np.empty_like(flat)
    factor = matrix.astype(kspace.dtype)

    def multiply(part: slice) -> None:
        np.matmul(factor, flat[:, part], out=white[:, part])

    over_blocks(multiply, flat.shape[1], _BLOCK)
    return white.reshape(kspace.shape)


_BLOCK = 4096


def _singular() -> NoiseError:
    return NoiseError(
        "The noise covariance is singular: the noise of one coil is that of others.",
        "Check that no coil was recorded twice, or record a longer noise scan.",
    )


def _complex128(array: Complex) -> NDArray[np.complex128]:
    return array.astype(np.complex128, copy=False)


def n_columns(acquisition: Acquisition) -> int:
    """Return the number of voxels along x once the readout oversampling is gone."""
    return max(1, round(int(acquisition.kspace.shape[-1]) / acquisition.readout_oversampling))


def _in_order_of(names: tuple[str, ...], scan: NoiseScan) -> NoiseScan:
    """Put the coils of a scan in the order of `names`; without distinct names on both sides their order stands."""
    own = scan.coil_names
    if not names or not own or own == names:
        return scan
    if set(own) != set(names):
        raise NoiseError(
            f"The noise scan was recorded with other coils ({', '.join(own)}) than the signal ({', '.join(names)}).",
            "Give a noise scan recorded with the coils of the signal.",
        )
    if len(set(names)) < len(names):
        return scan
    order = [own.index(name) for name in names]
    return replace(scan, samples=scan.samples[:, order], coil_names=names)


def _checked_covariance(samples: Complex64, coil_names: tuple[str, ...], warnings: list[str]) -> tuple[Covariance, int]:
    psi = covariance(samples)
    n_coils, n_samples = len(psi), samples.shape[0] * samples.shape[2]
    power = np.diagonal(psi).real
    dead = [coil_names[c] if c < len(coil_names) else f"{c + 1}" for c in np.flatnonzero(power <= 0)]
    if dead or not np.all(np.isfinite(power)):
        raise NoiseError(
            f"No noise was received by coil {', '.join(dead)}."
            if dead
            else "The noise samples are not finite numbers.",
            "Check the coil's connection and record the noise scan again.",
        )
    if n_samples <= n_coils:
        raise NoiseError(
            f"{n_samples} noise samples cannot give the covariance of {n_coils} coils.",
            "Record a longer noise scan.",
        )
    if n_samples < MIN_SAMPLES_PER_COIL * n_coils:
        bias = np.sqrt(n_samples / (n_samples - n_coils)) - 1.0
        warnings.append(
            f"Only {n_samples} noise samples for {n_coils} coils: SNR is overestimated by about {100 * bias:.1f} %."
        )
    return psi, n_samples


def _dc_fraction(samples: Complex) -> float:
    """Return the part of the samples' power that is a constant offset of each coil."""
    offset = np.abs(samples.mean(axis=(0, 2), dtype=np.complex128)) ** 2
    return float(offset.sum() / np.mean(np.abs(samples) ** 2, axis=(0, 2), dtype=np.float64).sum())


def _bandwidth(scan: NoiseScan, warnings: list[str]) -> Bandwidth:
    measured = bandwidth_ratio(scan.samples)
    if scan.noise_bandwidth_ratio is None:
        return measured
    difference = abs(measured.ratio - scan.noise_bandwidth_ratio)
    if difference > max(WHITE_WITHIN * measured.standard_error, 0.02):
        warnings.append(
            f"The header gives a noise bandwidth ratio of {scan.noise_bandwidth_ratio:.3f}, the noise itself "
            f"{measured.ratio:.3f}; the header's was used."
        )
    return Bandwidth(ratio=scan.noise_bandwidth_ratio, standard_error=0.0, source="given by the file's header")


def _removed_before(scan: NoiseScan, acquisition: Acquisition, warnings: list[str]) -> ScaleStep | None:
    """Infer from the lengths that oversampling was removed from the signal, and not the noise, before we got them.

    Arrays with a noise scan twice as long as the signal's readout come from tools that cut the oversampling off the
    signal by an inverse FFT, a crop and an FFT with the default scaling of NumPy or MATLAB (1/n in the inverse alone).
    That multiplies the power of white noise by n_kept / n_recorded, and keeps the centre of the receive band.
    """
    n_x, n_recorded = int(acquisition.kspace.shape[-1]), int(scan.samples.shape[2])
    if acquisition.is_oversampling_known or n_recorded != 2 * n_x:
        return None
    value = n_x / n_recorded
    warnings.append(
        f"The noise has {n_recorded} samples a readout and the signal {n_x}. Taken to mean that readout oversampling "
        f"was removed from the signal with default (non-unitary) FFTs: noise power times {value:g}. If it was removed "
        "otherwise, SNR is off by a constant factor."
    )
    return ScaleStep(
        name="oversampling removal before export",
        value=value,
        source=f"inferred from {n_recorded} and {n_x} samples; gain of the default inverse FFT, crop, FFT",
    )


def _dwell_step(scan: NoiseScan, acquisition: Acquisition, warnings: list[str]) -> ScaleStep:
    name = "dwell time of the noise scan / of the image"
    if scan.dwell_time_s and acquisition.dwell_time_s:
        return ScaleStep(
            name=name,
            value=scan.dwell_time_s / acquisition.dwell_time_s,
            source=f"{1e6 * scan.dwell_time_s:g} us / {1e6 * acquisition.dwell_time_s:g} us, from the headers",
        )
    warnings.append("The files give no dwell times: noise and signal are taken as sampled at the same rate.")
    return ScaleStep(name=name, value=1.0, source="assumed: no dwell time in the files")


def _is_coloured(bandwidth: Bandwidth, warnings: list[str]) -> bool:
    """Return whether noise differs from column to column of the image, and say so."""
    if abs(bandwidth.ratio - 1.0) <= WHITE_WITHIN * bandwidth.standard_error:
        return False
    warnings.append(
        f"The receiver filter (noise bandwidth ratio {bandwidth.ratio:.3f}) reaches into the image, which was not "
        "oversampled along the readout: noise differs from column to column and is corrected column by column."
    )
    return True


def _column_power(samples: Complex, n_band: int, n_kept: int) -> NDArray[np.float64]:
    """Return the noise power of the central `n_kept` of `n_band` columns relative to the mean over the band.

    The measured spectrum, smoothed over 1/16 of the band; its shape belongs to the receiver's digital filter, which
    scales with the bandwidth.
    """
    spectrum = _spectrum(samples)
    spectrum = spectrum / spectrum.mean()
    width = max(3, len(spectrum) // 16)
    kernel = np.hanning(width + 2)[1:-1]
    padded = np.concatenate([spectrum[-width:], spectrum, spectrum[:width]])
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="same")[width:-width]
    band = (np.arange(len(smooth)) - len(smooth) // 2) / len(smooth)
    start = n_band // 2 - n_kept // 2
    columns = (np.arange(start, start + n_kept) - n_band // 2) / n_band
    power: NDArray[np.float64] = np.interp(columns, band, smooth)
    return power


def _image_steps(acquisition: Acquisition, *, readout: bool = True) -> tuple[ScaleStep, ...]:
    """Return the factors that the reconstruction of this acquisition adds, that of a shortened readout if wanted."""
    steps = []
    if acquisition.n_averages > 1:
        n = acquisition.n_averages
        steps.append(
            ScaleStep(
                name="averaging",
                value=power_gain(lambda matrix: matrix.mean(axis=-1, keepdims=True), n),
                source=f"computed from the operator applied, mean of {n} readouts",
            )
        )
    steps.extend(_zero_filled("lines", *_lines_present(acquisition)))
    if readout:
        steps.extend(_zero_filled("samples of each readout", *_samples_present(acquisition)))
    return tuple(steps)


def lines_power(acquisition: Acquisition) -> float:
    """Return the noise power of a voxel relative to that of a sampled line: below 1 where lines are zero-filled."""
    n_acquired, n_grid = _lines_present(acquisition)
    return n_acquired / n_grid


def partial_fourier_power(acquisition: Acquisition) -> float:
    """Return the noise power of a voxel relative to that of a recorded sample, shortened readouts counted, too."""
    n_acquired, n_grid = _samples_present(acquisition)
    return lines_power(acquisition) * n_acquired / n_grid


def _zero_filled(name: str, n_acquired: int, n_grid: int) -> Iterator[ScaleStep]:
    if n_acquired < n_grid:
        yield ScaleStep(
            name=f"partial Fourier, {name}",
            value=n_acquired / n_grid,
            source=f"{n_acquired} of {n_grid} acquired, the rest zero-filled",
        )


def _lines_present(acquisition: Acquisition) -> tuple[int, int]:
    """Return how many phase-encoding lines were acquired, and how many a full scan of this acceleration has."""
    n_grid = 1
    for axis, factor in zip((1, 0), acquisition.acceleration, strict=True):
        positions = np.flatnonzero(acquisition.sampled.any(axis=1 - axis))
        n_grid *= len(range(int(positions[0]) % factor, acquisition.sampled.shape[axis], factor))
    return int(acquisition.sampled.sum()), n_grid


def _samples_present(acquisition: Acquisition) -> tuple[int, int]:
    """Return how many samples of the readouts were acquired (an asymmetric echo leaves zeros), and how many fit."""
    columns = np.any(acquisition.kspace[0, 0, 0][:, acquisition.sampled] != 0, axis=(0, 1))
    return int(columns.sum()), len(columns)


def _image_kspace(acquisition: Acquisition, repetition: int) -> Complex64:
    """Return k-space (average, slice, coil, z, y, x) of one repetition, oversampling removed, sampled lines only."""
    lines = acquisition.kspace[:, repetition][..., acquisition.sampled, :]
    return fourier.remove_oversampling(lines, n_columns(acquisition)).astype(np.complex64, copy=False)


def _as_readouts(lines: Complex64) -> Complex64:
    """Turn (average, slice, coil, line, x) into (readout, coil, sample)."""
    moved = np.moveaxis(lines, 2, -2)
    return moved.reshape(-1, *moved.shape[-2:])


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
    error = float(np.sqrt(0.5 / (used.size / _independent_ratio(_as_readouts(used)))))
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
    n_acquired, n_grid = _samples_present(acquisition)
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
