from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, UnsupportedData
from mroptimum.rawdata.acquisition import Calibration, Complex64
from mroptimum.rawdata.cartesian import DeclaredMatrix, GridPlan, fill_grid, plan_grid
from mroptimum.rawdata.readout import Readout, Role

N_COILS, N_X, N_Y = 2, 8, 12
Samples = Callable[[Readout], Complex64]


def value_of(readout: Readout) -> Complex64:
    """Samples that tell where they come from: the counters in the real part, coil and sample in the imaginary."""
    place = readout.y + 100 * readout.slice + 1000 * readout.average + 10_000 * readout.repetition + 1e5 * readout.z
    coil, sample = np.mgrid[: readout.n_coils, : readout.n_samples]
    samples: Complex64 = (place + 1 + 1j * (sample + 100 * coil)).astype(np.complex64)
    return samples


def line(y: int, role: Role = Role.IMAGING, **facts: int) -> Readout:
    one = Readout(role=role, source=0, n_coils=N_COILS, n_samples=N_X, y=y, centre_y=N_Y // 2, centre_x=N_X // 2)
    return replace(one, **facts)  # type: ignore[arg-type]  # facts are counters


def sort(readouts: list[Readout], **options: object) -> tuple[GridPlan, Complex64, Calibration | None]:
    numbered = [replace(readout, source=i) for i, readout in enumerate(readouts)]
    plan = plan_grid(numbered, DeclaredMatrix(x=[N_X], y=[N_Y]), file_bytes=10**6, **options)  # type: ignore[arg-type]
    return plan, *fill_grid(plan, value_of)


def real(array: Complex64) -> NDArray[np.float32]:
    return array.real


def test_every_counter_has_its_axis_whatever_the_order(rng: np.random.Generator) -> None:
    readouts = [
        line(y, slice=s, average=a, repetition=r, z=z, centre_z=1)
        for y in range(N_Y)
        for s in range(2)
        for a in range(3)
        for r in range(2)
        for z in range(2)
    ]
    rng.shuffle(readouts)
    plan, kspace, calibration = sort(readouts)
    assert kspace.shape == plan.shape == (3, 2, 2, N_COILS, 2, N_Y, N_X)
    assert calibration is None
    a, r, s, c, z, y, x = np.ogrid[:3, :2, :2, :N_COILS, :2, :N_Y, :N_X]
    expected = (y + 100 * s + 1000 * a + 10_000 * r + 1e5 * z + 1) + 1j * (x + 100 * c)
    np.testing.assert_array_equal(kspace, expected.astype(np.complex64))


def test_partial_fourier_is_completed_so_that_the_centre_is_in_the_middle() -> None:
    plan, kspace, _ = sort([line(y, centre_y=3) for y in range(9)])
    assert plan.shape[5] == N_Y
    np.testing.assert_array_equal(plan.sampling.lines[0], [False] * 3 + [True] * 9)
    np.testing.assert_array_equal(real(kspace)[0, 0, 0, 0, 0, :, 0], [0, 0, 0, *range(1, 10)])


def test_an_asymmetric_echo_is_completed_with_zeros() -> None:
    plan, kspace, _ = sort([line(y, n_samples=6, centre_x=2) for y in range(N_Y)])
    assert plan.shape[6] == 8
    assert (kspace[..., :2] == 0).all()
    assert (kspace[..., 2:] != 0).all()


def test_discarded_samples_are_left_out() -> None:
    _, kspace, _ = sort([line(y, discard_before=1, discard_after=2) for y in range(N_Y)])
    np.testing.assert_array_equal(kspace[0, 0, 0, 0, 0, 0] != 0, [False, *[True] * 5, False, False])


def test_calibration_lines_are_kept_apart() -> None:
    calibration_only = {5, 7}
    readouts = [line(y) for y in (0, 2, 10)]
    readouts += [line(y, Role.IMAGING_AND_CALIBRATION) for y in (4, 6, 8)]
    readouts += [line(y, Role.CALIBRATION) for y in sorted(calibration_only)]
    plan, kspace, calibration = sort(readouts)
    assert plan.sampling.acceleration == (2, 1)
    np.testing.assert_array_equal(np.flatnonzero(plan.sampling.lines[0]), [0, 2, 4, 6, 8, 10])
    assert (kspace[..., sorted(calibration_only), :] == 0).all()
    assert calibration is not None
    np.testing.assert_array_equal(np.flatnonzero(calibration.sampled[0]), [4, 5, 6, 7, 8])
    np.testing.assert_array_equal(calibration.kspace.real[0, 0, 0, :, 0], [0, 0, 0, 0, 5, 6, 7, 8, 9, 0, 0, 0])


def test_unmarked_calibration_lines_are_found_in_the_sampling() -> None:
    plan, kspace, calibration = sort([line(y) for y in (0, 2, 4, 5, 6, 7, 8, 10)])
    assert plan.sampling.acceleration == (2, 1)
    assert (kspace[..., [5, 7], :] == 0).all()
    assert calibration is not None
    np.testing.assert_array_equal(np.flatnonzero(calibration.sampled[0]), [4, 5, 6, 7, 8])


def test_calibration_is_taken_from_the_first_average_and_repetition() -> None:
    readouts = [line(y, average=a, repetition=r) for y in (0, 2, 4, 6, 8, 10) for a in range(2) for r in range(2)]
    readouts += [line(y, Role.CALIBRATION, average=a) for y in (5, 7) for a in range(2)]
    _, _, calibration = sort(readouts)
    assert calibration is not None
    np.testing.assert_array_equal(calibration.kspace.real[0, 0, 0, [5, 7], 0], [6, 8])


def test_slices_come_in_the_order_given() -> None:
    readouts = [line(y, slice=s) for y in range(N_Y) for s in range(3)]
    _, kspace, _ = sort(readouts, slice_order=(0, 2, 1))
    np.testing.assert_array_equal(real(kspace)[0, 0, :, 0, 0, 0, 0], [1, 201, 101])


def test_other_lines_are_never_image_lines() -> None:
    image = [line(y) for y in range(N_Y)]
    others = [line(3, Role.OTHER), line(90, Role.OTHER), line(0, Role.NOISE, n_samples=64)]
    plan, kspace, _ = sort([others[0], *image, *others[1:]])
    assert plan.shape[5:] == (N_Y, N_X)
    np.testing.assert_array_equal(kspace, sort(image)[1])


@pytest.mark.parametrize(("counter", "word"), [("contrast", "contrasts"), ("phase", "phases"), ("set", "sets")])
def test_several_contrasts_phases_or_sets_are_refused_by_name(counter: str, word: str) -> None:
    readouts = [replace(line(y), **{counter: i}) for y in range(N_Y) for i in range(3)]  # type: ignore[arg-type]
    with pytest.raises(UnsupportedData) as caught:
        sort(readouts)
    assert "3" in caught.value.message
    assert word in caught.value.message


def test_one_contrast_with_any_number_is_one() -> None:
    assert sort([line(y, contrast=4) for y in range(N_Y)])[1].any()


def test_lines_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(UnsupportedData, match="more than once"):
        sort([line(y) for y in [*range(N_Y), 3]])


def test_a_missing_line_is_refused_not_filled_with_zeros() -> None:
    readouts = [line(y, repetition=r) for r in range(2) for y in range(N_Y)]
    with pytest.raises(UnreadableFile, match="23 of 24 lines"):
        sort(readouts[:-1])


def test_reversed_lines_are_refused() -> None:
    with pytest.raises(UnsupportedData, match="backwards"):
        sort([line(y, is_reversed=bool(y % 2)) for y in range(N_Y)])


def test_lines_of_several_lengths_are_refused() -> None:
    with pytest.raises(UnsupportedData, match="same number of samples"):
        sort([line(y, n_samples=N_X + y % 2) for y in range(N_Y)])


def test_a_centre_beyond_the_lines_is_refused() -> None:
    with pytest.raises(UnsupportedData, match="was not recorded"):
        sort([line(y, centre_y=40) for y in range(N_Y)])


def test_no_imaging_lines_are_refused() -> None:
    with pytest.raises(UnsupportedData, match="no imaging lines"):
        sort([line(0, Role.NOISE)])


@pytest.mark.parametrize("counter", ["y", "z", "slice", "average", "repetition"])
def test_a_damaged_counter_allocates_nothing(counter: str) -> None:
    readouts = [line(y, centre_y=0) for y in range(N_Y)]
    readouts[5] = replace(readouts[5], **{counter: 65_535})  # type: ignore[arg-type]
    with pytest.raises((UnreadableFile, UnsupportedData)):
        plan_grid(readouts, DeclaredMatrix(), file_bytes=N_Y * N_COILS * N_X * 8)


def test_a_calibration_line_that_a_slice_lacks_is_left_out_for_all() -> None:
    readouts = [line(y, slice=s) for y in range(0, N_Y, 2) for s in range(2)]
    readouts += [line(y, Role.CALIBRATION, slice=s) for y in (5, 7) for s in range(2)]
    plan, _, calibration = sort(readouts[:-1])
    assert calibration is not None
    np.testing.assert_array_equal(np.flatnonzero(calibration.sampled[0]), [5])
    assert any("missing in some slices" in warning for warning in plan.warnings)


def test_calibration_of_other_readouts_is_left_out_with_a_warning() -> None:
    readouts = [line(y) for y in range(0, N_Y, 2)]
    plan, _, calibration = sort(
        [*readouts, line(5, Role.CALIBRATION, n_samples=4), line(7, Role.CALIBRATION, n_coils=1)]
    )
    assert calibration is None
    assert any("2 calibration lines" in warning for warning in plan.warnings)


def test_irregular_sampling_is_kept_whole_with_a_warning() -> None:
    lines = [0, 1, 4, 5, 6, 9, 11]
    plan, kspace, calibration = sort([line(y) for y in lines])
    np.testing.assert_array_equal(np.flatnonzero(plan.sampling.lines[0]), lines)
    assert (kspace[..., lines, :] != 0).all()
    assert calibration is None
    assert any("irregularly" in warning for warning in plan.warnings)
