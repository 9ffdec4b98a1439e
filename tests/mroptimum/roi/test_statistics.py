from __future__ import annotations

import statistics as by_hand

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mroptimum.roi import EmptyRegion, RegionError, statistics


def test_a_case_worked_out_by_hand() -> None:
    """t(0.975, 3) = 3.182446; SD = sqrt(5/3); half width = 3.182446 sqrt(5/3) / 2."""
    found = statistics(np.array([[4.0, 1.0], [3.0, 2.0]]), voxel_volume_mm3=2.5)
    assert (found.n_voxels, found.n_zero, found.n_without_value, found.volume_mm3) == (4, 0, 0, 10.0)
    assert (found.mean, found.median, found.minimum, found.maximum) == (2.5, 2.5, 1.0, 4.0)
    assert found.sd == pytest.approx(np.sqrt(5 / 3), rel=1e-14)
    half_width = 3.182446305284263 * np.sqrt(5 / 3) / 2
    assert found.mean_interval is not None
    assert found.mean_interval.low == pytest.approx(2.5 - half_width, rel=1e-12)
    assert found.mean_interval.high == pytest.approx(2.5 + half_width, rel=1e-12)


FINITE = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(arrays.arrays(np.float64, st.integers(2, 60), elements=FINITE))
def test_every_number_agrees_with_another_implementation(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    found = statistics(values, voxel_volume_mm3=None)
    plain = values.tolist()
    assert found.mean == pytest.approx(by_hand.fmean(plain), rel=1e-9, abs=1e-9)
    assert found.sd == pytest.approx(by_hand.stdev(plain), rel=1e-9, abs=1e-7)
    assert found.median == pytest.approx(by_hand.median(plain), rel=1e-12)
    assert (found.minimum, found.maximum) == (min(plain), max(plain))
    assert found.volume_mm3 is None


@pytest.mark.parametrize("n", [2, 3, 10, 400])
def test_the_interval_is_that_of_scipy(n: int) -> None:
    values = np.random.default_rng(n).normal(40, 7, n)
    found = statistics(values, voxel_volume_mm3=1.0).mean_interval
    low, high = scipy.stats.t.interval(0.95, n - 1, loc=values.mean(), scale=scipy.stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)


def test_95_of_100_intervals_hold_the_true_mean() -> None:
    """2000 regions of 12 independent voxels: the binomial sd of the coverage is 0.5 %, the bound four of them."""
    draws = np.random.default_rng(5).normal(3.0, 2.0, (2000, 12))
    intervals = [statistics(values, voxel_volume_mm3=1.0).mean_interval for values in draws]
    covered = np.mean([i is not None and i.low <= 3.0 <= i.high for i in intervals])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 2000))


def test_voxels_without_a_value_do_not_count_and_zeros_do() -> None:
    found = statistics(np.array([np.nan, 0.0, 2.0, np.inf, -np.inf, 4.0]), voxel_volume_mm3=1.0)
    assert (found.n_voxels, found.n_without_value, found.n_zero) == (3, 3, 1)
    assert (found.mean, found.volume_mm3) == (2.0, 3.0)


def test_one_voxel_has_no_spread() -> None:
    found = statistics(np.array([7], dtype=np.uint8), voxel_volume_mm3=1.0)
    assert (found.mean, found.sd, found.mean_interval) == (7.0, None, None)


def test_single_precision_is_summed_in_double() -> None:
    """16.8 million ones after a 2^24: single precision would lose every one of them."""
    values = np.ones(1000, dtype=np.float32)
    values[0] = 2**24
    assert statistics(values, voxel_volume_mm3=1.0).mean == (2**24 + 999) / 1000


@pytest.mark.parametrize("values", [[], [np.nan, np.inf]])
def test_nothing_has_no_statistics(values: list[float]) -> None:
    with pytest.raises(EmptyRegion):
        statistics(np.array(values), voxel_volume_mm3=1.0)


def test_values_beyond_all_bounds_are_refused() -> None:
    with pytest.raises(RegionError, match="too large"):
        statistics(np.array([1e308, 1e308, -1e308]), voxel_volume_mm3=1.0)
