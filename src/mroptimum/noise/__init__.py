"""Noise: its covariance from samples, how it reaches the image, and whitening.

A noise scan is used as recorded: unsorted, unaveraged, not mean-subtracted. Between it and the image stands the scale
chain (`mroptimum.convention`); every factor is computed from what was really done, and reported.
"""

from __future__ import annotations

from mroptimum.noise.from_scan import model_from_scan
from mroptimum.noise.from_signal import model_from_estimate
from mroptimum.noise.image_factors import lines_power, n_columns, partial_fourier_power
from mroptimum.noise.model import NoiseModel
from mroptimum.noise.receive_band import Bandwidth, bandwidth_ratio
from mroptimum.noise.samples import MIN_SAMPLES_PER_COIL, Covariance, covariance
from mroptimum.noise.whitening import whiten, whitener

__all__ = [
    "MIN_SAMPLES_PER_COIL",
    "Bandwidth",
    "Covariance",
    "NoiseModel",
    "bandwidth_ratio",
    "covariance",
    "lines_power",
    "model_from_estimate",
    "model_from_scan",
    "n_columns",
    "partial_fourier_power",
    "whiten",
    "whitener",
]
