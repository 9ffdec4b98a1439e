from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroptimum.verify import Agreement, agreement

MAP = np.array([0.0, 1.0, 10.0, 100.0], dtype=np.float32)
RMS = float(np.sqrt((1 + 100 + 10_000) / 4))


def test_the_same_bits_are_identical() -> None:
    with_nan = np.append(MAP, np.float32(np.nan))
    found = agreement("SNR", with_nan, with_nan.copy())
    assert (found.agreement, found.largest_deviation, found.n_deviating) == (Agreement.IDENTICAL, 0.0, 0)


@pytest.mark.parametrize(
    ("index", "change", "expected"),
    [(3, 9e-4, 9e-4 / 100), (1, 1e-4, 1e-4 / RMS), (0, 1e-4, 1e-4 / RMS), (3, 1.0, 1e-2), (0, 1.0, 1.0 / RMS)],
)
def test_a_deviation_is_relative_to_the_voxel_or_to_the_map_where_the_voxel_is_small(
    index: int, change: float, expected: float
) -> None:
    stored = MAP.astype(np.float64)
    repeated = stored.copy()
    repeated[index] += change
    found = agreement("SNR", stored, repeated)
    assert found.largest_deviation == pytest.approx(expected, rel=1e-9)
    beyond = expected > 1e-5
    assert found.agreement is (Agreement.DEVIATES if beyond else Agreement.WITHIN_TOLERANCE)
    assert (found.n_deviating, found.n_voxels) == (int(beyond), 4)


@given(st.floats(-1e-5, 1e-5), st.floats(1e-20, 1e20))
def test_the_unit_of_a_map_does_not_matter(deviation: float, unit: float) -> None:
    stored = np.array([2.0, 3.0]) * unit
    found = agreement("Image", stored, stored * np.array([1.0, 1.0 + 2 * deviation]))
    assert found.agreement.is_good == (found.largest_deviation is not None and found.largest_deviation <= 1e-5)
    assert found.largest_deviation == pytest.approx(abs(2 * deviation), abs=1e-15)


def test_phases_are_compared_the_short_way_round() -> None:
    stored = np.array([np.pi - 1e-7, -np.pi + 1e-7])
    assert agreement("Phase", stored, -stored, is_phase=True).agreement is Agreement.WITHIN_TOLERANCE
    assert agreement("Phase", stored, -stored).agreement is Agreement.DEVIATES


@pytest.mark.parametrize("repeated", [np.nan, np.inf])
def test_a_value_where_there_was_none_has_no_deviation_and_counts(repeated: float) -> None:
    found = agreement("SNR", np.array([1.0, 2.0]), np.array([1.0, repeated]))
    assert (found.agreement, found.largest_deviation, found.n_deviating) == (Agreement.DEVIATES, None, 1)


def test_a_map_of_zeros_is_repeated_by_zeros_only() -> None:
    zeros = np.zeros(3)
    assert agreement("SNR", zeros, np.array([0, 0, 1e-30])).agreement is Agreement.DEVIATES
    assert agreement("Mask", zeros.astype(np.uint8), zeros).agreement is Agreement.IDENTICAL


def test_complex_matrices_are_compared_by_their_distance() -> None:
    stored = np.array([[1.0, 0.5j], [-0.5j, 1.0]])
    assert agreement("Noise", stored, stored * np.exp(1e-7j)).agreement is Agreement.WITHIN_TOLERANCE
    assert agreement("Noise", stored, stored.conj()).n_deviating == 2


def test_other_shapes_are_not_repeated() -> None:
    assert agreement("SNR", MAP, MAP[:3]).agreement is Agreement.NOT_REPEATED
