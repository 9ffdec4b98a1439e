from __future__ import annotations

import numpy as np
import pytest

from mroptimum.comparison import difference, ratio


def test_a_case_worked_out_by_hand() -> None:
    """B - A = 0, 1, 2, -3; its SD sqrt((0 + 1 + 4 + 9) / 3); B / A = 1, 1.5, 2 where neither is 0."""
    found = difference(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 3.0, 4.0, 0.0]))
    assert found is not None
    assert (found.n_voxels, found.mean_a, found.mean_b, found.mean, found.median) == (4, 2.0, 2.0, 0.0, 0.5)
    assert found.largest == -3.0
    assert found.sd == pytest.approx(np.sqrt(14 / 3), rel=1e-14)
    assert (found.mean_ratio, found.median_ratio) == (1.5, 1.5)
    assert found.stated is None


def test_voxels_without_a_value_do_not_count() -> None:
    found = difference(np.array([1.0, np.nan, 5.0]), np.array([2.0, 3.0, np.inf]))
    assert found is not None
    assert (found.n_voxels, found.mean, found.sd) == (1, 1.0, None)
    assert difference(np.array([np.nan]), np.array([1.0])) is None
    nowhere = difference(np.array([0.0]), np.array([1.0]))
    assert nowhere is not None
    assert nowhere.mean_ratio is None


def test_a_ratio_is_0_where_either_is_0_or_nothing() -> None:
    a = np.array([2.0, 0.0, 4.0, np.nan, 1e-300], dtype=np.float64)
    b = np.array([4.0, 1.0, 0.0, 1.0, 1e300], dtype=np.float64)
    found = ratio(a, b)
    assert found.tolist() == [2.0, 0.0, 0.0, 0.0, 0.0]
    assert found.dtype == np.float32


def test_stated_errors_add_in_squares() -> None:
    """Two voxels, errors 3 and 4 each: 5 together, 5 / sqrt(2) of the mean; the mean difference is 6."""
    error_a, error_b = np.full(2, 3.0), np.full(2, 4.0)
    found = difference(np.zeros(2), np.array([1.0, 11.0]), error_a=error_a, error_b=error_b)
    assert found is not None
    assert found.stated is not None
    assert found.stated.of_mean == pytest.approx(5 / np.sqrt(2), rel=1e-14)
    assert found.stated.in_errors == pytest.approx(6 * np.sqrt(2) / 5, rel=1e-14)
    assert found.stated.part_beyond == 0.5
    assert not found.stated.is_exceeded


def test_chance_alone_is_recognised_as_chance() -> None:
    """20000 voxels with the errors they state: 5 % beyond 1.96 of them (binomial sd 0.15 %); a shift of 0.1 is seen."""
    rng = np.random.default_rng(8)
    truth = rng.uniform(20, 80, 20_000)
    error_a, error_b = 0.05 * truth, 0.02 * truth
    a, b = truth + error_a * rng.standard_normal(20_000), truth + error_b * rng.standard_normal(20_000)
    found = difference(a, b, error_a=error_a, error_b=error_b)
    assert found is not None
    assert found.stated is not None
    assert found.stated.part_beyond == pytest.approx(0.05, abs=4 * 0.0015)
    assert not found.stated.is_exceeded
    shifted = difference(a, b + 0.1, error_a=error_a, error_b=error_b)
    assert shifted is not None
    assert shifted.stated is not None
    assert shifted.stated.is_exceeded


def test_a_map_that_states_no_error_counts_as_exact() -> None:
    a, b, error = np.array([1.0, 2.0]), np.array([1.5, 2.5]), np.array([0.5, 0.5])
    found = difference(a, b, error_b=error)
    assert found is not None
    assert found.stated is not None
    assert found.stated.in_errors == pytest.approx(np.sqrt(2), rel=1e-14)
    assert difference(a, b, error_a=np.zeros(2), error_b=np.zeros(2)) == difference(a, b)


def test_numbers_beyond_all_bounds_count_as_none() -> None:
    found = difference(
        np.array([1.0, 1e300, 1e-200]), np.array([2.0, 1.0, 1e90]), error_a=np.array([1.0, 1e300, 1e200])
    )
    assert found is not None
    assert (found.n_voxels, found.mean_ratio) == (2, 2.0)
    assert found.stated is not None
    assert found.stated.of_mean == 1.0
