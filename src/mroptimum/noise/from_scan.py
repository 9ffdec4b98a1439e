"""The noise of an image from a noise scan: every factor of the scale chain, and where it comes from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex, ScaleChain, ScaleStep, power_gain
from mroptimum.errors import NoiseError
from mroptimum.noise.image_factors import image_steps, n_columns
from mroptimum.noise.model import NoiseModel
from mroptimum.noise.receive_band import (
    FLAT_HALF,
    WHITE_WITHIN,
    Bandwidth,
    bandwidth_ratio,
    column_power_of,
    is_coloured,
)
from mroptimum.noise.samples import checked_covariance, dc_fraction
from mroptimum.rawdata.acquisition import Acquisition, NoiseScan


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
    psi, n_samples = checked_covariance(scan.samples, acquisition.coil_names, warnings)
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
    elif is_coloured(bandwidth, warnings):
        column_power = column_power_of(scan.samples, n_band, n_kept)
    steps.append(
        ScaleStep(
            name="oversampling removal",
            value=power_gain(lambda matrix: _complex128(fourier.remove_oversampling(matrix, n_kept)), n_x),
            source=f"computed from the operator applied, {n_x} to {n_kept} samples",
        )
    )
    if removed is not None:
        steps.append(removed)
    chain = ScaleChain((*steps, *image_steps(acquisition)))
    return NoiseModel(
        covariance=psi * chain.power,
        sample_covariance=psi,
        n_samples=n_samples,
        dc_fraction=dc_fraction(scan.samples),
        chain=chain,
        origin=scan.origin,
        bandwidth=bandwidth,
        column_power=column_power,
        warnings=tuple(warnings),
    )


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


def _complex128(array: Complex) -> NDArray[np.complex128]:
    return array.astype(np.complex128, copy=False)
