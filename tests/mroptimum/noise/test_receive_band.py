from __future__ import annotations

import numpy as np
import pytest

from acquisitions import white_noise
from mroptimum.noise import bandwidth_ratio
from noise_alone import PSI, receiver


def test_noise_bandwidth_ratio_is_measured_to_half_a_percent(rng: np.random.Generator) -> None:
    band, ratio = receiver(256)
    found = bandwidth_ratio(white_noise(rng, (256, 5, 256), PSI, band=band))
    assert found.ratio == pytest.approx(ratio, rel=0.005)
    assert found.standard_error < 0.005


def test_white_noise_has_a_ratio_of_one_within_its_error(rng: np.random.Generator) -> None:
    ratios = [bandwidth_ratio(white_noise(rng, (8, 3, 64), np.eye(3, dtype=np.complex128))) for _ in range(100)]
    deviation = np.array([(r.ratio - 1) / r.standard_error for r in ratios])
    # 100 standard normals: mean within 0.5, sd within 0.71-1.29 (chi-square with 99 degrees of freedom, 1e-4).
    assert abs(deviation.mean()) < 0.5
    assert 0.71 < deviation.std() < 1.29
