from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from griswold import Griswold
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.grappa_kernel import GrappaKernel, calibrate

Array = NDArray[np.complex128]


def noise(shape: tuple[int, ...], seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def lines(n: int, *present: int | range) -> NDArray[np.bool_]:
    sampled = np.zeros(n, dtype=bool)
    for some in present:
        sampled[some] = True
    return sampled


def in_order_of_griswold(kernel: GrappaKernel) -> Array:
    """Return (target, coil, source coil line column)."""
    ordered = kernel.weights.transpose(1, 2, 3, 4, 0)
    return ordered.reshape(*ordered.shape[:2], -1)


@settings(max_examples=30)
@given(
    n_coils=st.integers(3, 4),
    acceleration=st.integers(2, 3),
    size=st.tuples(st.integers(1, 4), st.integers(2, 4)),
    holes=st.sets(st.sampled_from([2, 3, 10, 30, 31])),
    seed=st.integers(0, 100),
)
def test_weights_are_the_damped_least_squares_solution(
    n_coils: int, acceleration: int, size: tuple[int, int], holes: set[int], seed: int
) -> None:
    acs = noise((n_coils, 34, 20), seed)
    acs[:, 17] *= 10
    sampled = lines(34, range(1, 33))
    sampled[list(holes)] = False
    slow = Griswold(acceleration=acceleration, size=size)
    kernel = calibrate(acs, sampled, acceleration, size=size, regularisation=0.01)
    np.testing.assert_allclose(in_order_of_griswold(kernel), slow.fit(acs, sampled, 0.01), rtol=1e-10, atol=1e-12)


def test_single_precision_lines_are_fitted_in_double() -> None:
    acs = noise((4, 20, 30)).astype(np.complex64)
    everything = lines(20, range(20))
    np.testing.assert_array_equal(
        calibrate(acs, everything, 2).weights, calibrate(acs.astype(np.complex128), everything, 2).weights
    )


def test_what_made_the_kernel_is_kept() -> None:
    acs = noise((4, 20, 30))
    kernel = calibrate(acs, lines(20, range(4, 18)), 2, size=(3, 4), regularisation=0.01)
    assert (kernel.shape.size, kernel.shape.acceleration, kernel.n_coils, kernel.regularisation) == ((3, 4), 2, 4, 0.01)
    # 14 lines hold 8 windows of 7 lines, 30 samples hold 28 windows of 3.
    assert kernel.n_equations == 8 * 28
    sources = np.concatenate(
        [acs[:, y + line, x : x + 3] for line in (0, 2, 4, 6) for y in range(4, 12) for x in range(28)]
    )
    assert kernel.penalty == pytest.approx(0.01 * np.sum(np.abs(sources) ** 2) / 48, rel=1e-12)
    np.testing.assert_array_equal(kernel.shape.line_offsets, [[-3, -1, 1, 3]])
    np.testing.assert_array_equal(kernel.shape.column_offsets, [-1, 0, 1])


@pytest.mark.parametrize(
    ("size", "acceleration", "line_offsets", "column_offsets"),
    [
        ((5, 2), 3, [[-1, 2], [-2, 1]], [-2, -1, 0, 1, 2]),
        ((4, 3), 2, [[-1, 1, 3]], [-2, -1, 0, 1]),
        ((1, 4), 4, [[-5, -1, 3, 7], [-6, -2, 2, 6], [-7, -3, 1, 5]], [0]),
    ],
)
def test_sources_lie_around_the_gap(
    size: tuple[int, int], acceleration: int, line_offsets: list[list[int]], column_offsets: list[int]
) -> None:
    kernel = calibrate(noise((4, 32, 24)), lines(32, range(32)), acceleration, size=size)
    np.testing.assert_array_equal(kernel.shape.line_offsets, line_offsets)
    np.testing.assert_array_equal(kernel.shape.column_offsets, column_offsets)


def test_the_kernel_in_image_columns_is_its_transform() -> None:
    kernel = calibrate(noise((3, 16, 12)), lines(16, range(16)), 2, size=(4, 2))
    found = kernel.at_columns(slice(3, 7), 11, np.dtype(np.complex128))
    for index, x in enumerate(range(3, 7)):
        by_hand = sum(kernel.weights[column] * np.exp(-2j * np.pi * (column - 2) * (x - 5) / 11) for column in range(4))
        np.testing.assert_allclose(found[index], by_hand, rtol=1e-12)


def test_a_larger_penalty_gives_smaller_weights() -> None:
    acs = noise((4, 20, 30))
    norms = [
        np.linalg.norm(calibrate(acs, lines(20, range(20)), 2, regularisation=r).weights) for r in (0.0, 1e-3, 1, 1e3)
    ]
    assert norms == sorted(norms, reverse=True)
    assert norms[-1] < 1e-2 * norms[0]


def test_the_units_of_the_data_do_not_matter() -> None:
    acs, everything = noise((4, 20, 30)), lines(20, range(20))
    np.testing.assert_allclose(
        calibrate(1e-12 * acs, everything, 2).weights, calibrate(acs, everything, 2).weights, rtol=1e-9
    )


def test_without_acceleration_there_is_nothing_to_find() -> None:
    kernel = calibrate(noise((4, 20, 30)), lines(20), 1)
    assert kernel.shape.acceleration == 1
    assert kernel.weights.size == 0


def test_the_calibration_lines_are_left_alone() -> None:
    acs = noise((4, 20, 30))
    before = acs.copy()
    calibrate(acs, lines(20, range(20)), 2)
    np.testing.assert_array_equal(acs, before)


@pytest.mark.parametrize(
    ("n_coils", "n_x", "acceleration", "size", "needed"),
    # (y - 1) R lines to reach across the first window, then coils * x * y equations at n_x - x + 1 a line.
    [(8, 30, 2, (5, 4), 6 + 7), (16, 20, 2, (5, 2), 2 + 10), (24, 12, 3, (4, 3), 6 + 32)],
)
def test_too_few_lines_are_refused_with_the_number_that_does(
    n_coils: int, n_x: int, acceleration: int, size: tuple[int, int], needed: int
) -> None:
    acs = noise((n_coils, 44, n_x))
    enough = calibrate(acs, lines(44, range(2, 2 + needed)), acceleration, size=size)
    assert enough.n_equations >= n_coils * size[0] * size[1]
    with pytest.raises(ReconstructionError) as refusal:
        calibrate(acs, lines(44, range(2, 1 + needed)), acceleration, size=size)
    assert f"{needed - 1} calibration lines" in refusal.value.message
    assert f"the {n_coils * size[0] * size[1]} weights" in refusal.value.message
    assert f"at least {needed} calibration lines" in refusal.value.next_step


def peaked(n_coils: int, n_y: int) -> Array:
    """Return lines whose energy is in the one at the centre but for a tenth."""
    acs = noise((n_coils, n_y, 30))
    acs[:, n_y // 2] *= np.sqrt(9 * (n_y - 1))
    return acs


@pytest.mark.parametrize(("acceleration", "size"), [(2, (3, 4)), (3, (3, 4)), (4, (3, 4)), (3, (5, 2)), (2, (2, 3))])
def test_every_source_line_must_have_met_the_centre(acceleration: int, size: tuple[int, int]) -> None:
    acs, reach = peaked(4, 48), acceleration * (size[1] - 1)
    around = lines(48, range(24 - reach, 24 + reach + 1))
    assert calibrate(acs, around, acceleration, size=size).support > 0.7
    for without in (24 - reach, 24 + reach):
        too_few = around.copy()
        too_few[without] = False
        with pytest.raises(ReconstructionError, match=f"spans {reach + 1} lines") as refusal:
            calibrate(acs, too_few, acceleration, size=size)
        assert f"at least {2 * reach + 1} calibration lines" in refusal.value.next_step


def test_support_is_the_least_energy_that_a_source_line_met() -> None:
    acs = np.zeros((4, 20, 30), dtype=np.complex128)
    acs[:] = np.sqrt(np.arange(20))[:, None] * np.exp(1j * np.angle(noise((4, 20, 30))))
    kernel = calibrate(acs, lines(20, range(4, 18)), 2, size=(3, 2))
    # Windows of 3 lines begin at lines 4 to 15; their first source line meets these, out of 4 to 17.
    assert kernel.support == pytest.approx(sum(range(4, 16)) / sum(range(4, 18)), rel=1e-12)


@pytest.mark.parametrize(("n_lines", "size"), [(25, (5, 4)), (24, (5, 2)), (14, (5, 2))])
def test_without_a_size_the_largest_kernel_is_chosen_that_can_be_learnt(n_lines: int, size: tuple[int, int]) -> None:
    sampled = lines(48, range(24 - n_lines // 2, 24 - n_lines // 2 + n_lines))
    assert calibrate(peaked(4, 48), sampled, 4).shape.size == size


def test_without_a_size_the_smallest_kernel_has_the_last_word() -> None:
    with pytest.raises(ReconstructionError, match="5 x 2"):
        calibrate(peaked(4, 48), lines(48, range(22, 27)), 4)


@pytest.mark.parametrize("present", [(), (range(0, 24, 2),), (range(0, 24, 3), 4)])
def test_lines_without_a_window_are_refused(present: tuple[int | range, ...]) -> None:
    with pytest.raises(ReconstructionError, match="give 0 equations"):
        calibrate(noise((4, 24, 30)), lines(24, *present), 2, size=(5, 4))


@pytest.mark.parametrize(
    ("acceleration", "size", "message"),
    [(2, (5, 1), "both sides"), (2, (31, 4), "30"), (5, (5, 4), "4 coils cannot tell")],
)
def test_a_kernel_that_cannot_be_is_refused(acceleration: int, size: tuple[int, int], message: str) -> None:
    with pytest.raises(ReconstructionError, match=message):
        calibrate(noise((4, 24, 30)), lines(24, range(24)), acceleration, size=size)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_lines_without_signal_are_refused(value: float) -> None:
    acs = noise((4, 24, 30))
    acs[:] = value
    with pytest.raises(ReconstructionError, match="no signal"):
        calibrate(acs, lines(24, range(24)), 2)


def test_coils_that_see_alike_need_a_penalty() -> None:
    acs = np.repeat(noise((1, 24, 30)), 4, axis=0)
    with pytest.raises(ReconstructionError, match="see too much alike"):
        calibrate(acs, lines(24, range(24)), 2, regularisation=0.0)
    assert np.all(np.isfinite(calibrate(acs, lines(24, range(24)), 2).weights))
