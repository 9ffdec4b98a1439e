from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroptimum.rawdata.acquisition import Mask
from mroptimum.rawdata.sampling import Axis, calibration_block, centred_axis, split_sampling


@pytest.mark.parametrize(
    ("last", "centre", "spacing", "declared", "expected"),
    [
        pytest.param(255, 128, 1, [256], Axis(length=256, shift=0), id="full"),
        pytest.param(96, 48, 1, [], Axis(length=97, shift=0), id="odd"),
        pytest.param(127, None, 1, [64], Axis(length=128, shift=0), id="no centre, stale matrix (Pulseq)"),
        pytest.param(126, None, 2, [], Axis(length=128, shift=0), id="R = 2 without its last line"),
        pytest.param(126, None, 3, [128], Axis(length=128, shift=0), id="R = 3 of 128, declared"),
        pytest.param(254, 128, 2, [], Axis(length=256, shift=0), id="R = 2 with centre"),
        pytest.param(191, 64, 1, [256], Axis(length=256, shift=64), id="partial Fourier, first quarter omitted"),
        pytest.param(191, 64, 1, [], Axis(length=256, shift=64), id="the same, nothing declared"),
        pytest.param(190, 64, 2, [256], Axis(length=256, shift=64), id="partial Fourier and R = 2"),
        pytest.param(188, 64, 4, [256], Axis(length=256, shift=64), id="partial Fourier and R = 4"),
        pytest.param(191, 128, 1, [256], Axis(length=256, shift=0), id="partial Fourier, last quarter omitted"),
        pytest.param(255, 127, 1, [256], Axis(length=256, shift=0), id="a centre one off is no partial Fourier"),
        pytest.param(399, 144, 1, [512], Axis(length=512, shift=112), id="asymmetric echo"),
        pytest.param(191, 64, 1, [512], Axis(length=256, shift=64), id="a declared length far off is not believed"),
    ],
)
def test_the_centre_of_k_space_comes_to_the_middle(
    last: int, centre: int | None, spacing: int, declared: list[int], expected: Axis
) -> None:
    assert centred_axis(last=last, centre=centre, spacing=spacing, declared=declared) == expected


@given(data=st.data(), length=st.integers(16, 300), spacing=st.integers(1, 6))
def test_a_declared_matrix_is_recovered_from_any_undersampling(data: st.DataObject, length: int, spacing: int) -> None:
    centre = length // 2
    omitted = data.draw(st.one_of(st.just(0), st.integers(2, centre - 1)))
    first = data.draw(st.integers(0, spacing - 1))
    lines = [line - omitted for line in range(first, length, spacing) if line >= omitted]
    axis = centred_axis(last=lines[-1], centre=centre - omitted, spacing=spacing, declared=[length])
    assert axis == Axis(length=length, shift=omitted)


def mask(n_y: int, lines: list[int], n_z: int = 1) -> Mask:
    rows = np.zeros((n_z, n_y), np.bool_)
    rows[:, lines] = True
    return rows


@pytest.mark.parametrize("spacing", [1, 2, 3, 4])
@pytest.mark.parametrize("marked", [True, False])
def test_calibration_lines_are_told_from_the_comb(spacing: int, marked: bool) -> None:
    first = spacing - 1
    comb = list(range(first, 96, spacing))
    block = list(range(36, 60))
    recorded = mask(96, sorted({*comb, *block}))
    also_calibration = mask(96, block) if marked else np.zeros_like(recorded)
    sampling = split_sampling(recorded, also_calibration)
    assert sampling.is_regular
    assert sampling.acceleration == (spacing, 1)
    assert np.flatnonzero(sampling.lines[0]).tolist() == comb
    assert np.flatnonzero(sampling.extra[0]).tolist() == sorted(set(block) - set(comb))


def test_calibration_at_the_edge_of_the_comb_keeps_the_comb_whole() -> None:
    comb, block = list(range(0, 32, 2)), list(range(24, 32))
    sampling = split_sampling(mask(32, sorted({*comb, *block})), mask(32, block))
    assert np.flatnonzero(sampling.lines[0]).tolist() == comb


def test_full_sampling_with_a_hole_is_irregular_not_accelerated() -> None:
    for hole in (1, 5, 48, 94):
        lines = [line for line in range(96) if line != hole]
        sampling = split_sampling(mask(96, lines), mask(96, []))
        assert np.flatnonzero(sampling.lines[0]).tolist() == lines, hole
        assert sampling.acceleration == (1, 1)
        assert not sampling.is_regular


def test_partial_fourier_is_regular() -> None:
    for lines in (range(24, 96), range(72), range(25, 96, 2)):
        sampling = split_sampling(mask(96, list(lines)), mask(96, []))
        assert sampling.is_regular
        assert sampling.acceleration == (lines.step, 1)
        assert np.flatnonzero(sampling.lines[0]).tolist() == list(lines)


def test_one_line_is_its_own_comb() -> None:
    sampling = split_sampling(mask(1, [0]), mask(1, []))
    assert sampling.is_regular
    assert sampling.acceleration == (1, 1)


def test_acceleration_in_both_directions() -> None:
    recorded = np.zeros((12, 24), np.bool_)
    recorded[1::3, ::2] = True
    sampling = split_sampling(recorded, np.zeros_like(recorded))
    assert sampling.is_regular
    assert sampling.acceleration == (2, 3)
    np.testing.assert_array_equal(sampling.lines, recorded)


def test_a_shifted_pattern_is_irregular() -> None:
    recorded = np.zeros((4, 8), np.bool_)
    recorded[0::2, 0::2] = True
    recorded[1::2, 1::2] = True
    sampling = split_sampling(recorded, np.zeros_like(recorded))
    assert not sampling.is_regular
    np.testing.assert_array_equal(sampling.lines, recorded)


def test_a_block_ends_where_lines_are_missing() -> None:
    recorded = mask(16, [0, 4, 6, 7, 8, 9, 10, 12])
    seed = mask(16, [7, 9])
    assert np.flatnonzero(calibration_block(recorded, seed)[0]).tolist() == [6, 7, 8, 9, 10]
    assert not calibration_block(recorded, mask(16, [])).any()


@pytest.mark.parametrize(("length", "spacing"), [(32, 2), (64, 4), (60, 3)])
def test_calibration_lines_nearly_as_wide_as_k_space_leave_the_comb_what_it_is(length: int, spacing: int) -> None:
    comb = list(range(0, length, spacing))
    marked = mask(length, [line for line in comb if 1 <= line <= comb[-1] - 1])
    sampling = split_sampling(mask(length, comb), marked)
    assert np.flatnonzero(sampling.lines[0]).tolist() == comb
    assert sampling.acceleration == (spacing, 1)
