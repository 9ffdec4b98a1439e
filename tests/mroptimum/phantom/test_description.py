from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mroptimum.phantom import Phantom


def test_lines_of_an_accelerated_partial_fourier_scan() -> None:
    phantom = Phantom(n_y=16, acceleration=3, first_line=1, n_calibration_lines=4, n_omitted_lines=3)
    assert phantom.imaging_lines == (4, 7, 10, 13)
    assert phantom.calibration_lines == (6, 7, 8, 9)


def test_calibration_lines_surround_the_centre() -> None:
    for n_y in (16, 17):
        for n in (1, 4, 5):
            lines = Phantom(n_y=n_y, n_calibration_lines=n).calibration_lines
            assert len(lines) == n
            assert n_y // 2 in lines
            assert abs(np.mean(lines) - n_y // 2) <= 0.5


def test_slices_are_stacked_along_their_normal_around_the_centre() -> None:
    phantom = Phantom(
        n_slices=3,
        centre_mm=(1.0, 2.0, 3.0),
        slice_spacing_mm=10.0,
        readout_direction=(0.0, 0.0, 1.0),
        phase_direction=(0.0, 1.0, 0.0),
    )
    assert phantom.slice_direction == (1.0, 0.0, 0.0)
    assert phantom.slice_centres_mm == ((-9.0, 2.0, 3.0), (1.0, 2.0, 3.0), (11.0, 2.0, 3.0))


@pytest.mark.parametrize(
    "facts",
    [
        {"n_x": 0},
        {"n_repetitions": 0},
        {"n_noise_readouts": -1},
        {"acceleration": 0},
        {"acceleration": 2, "first_line": 2},
        {"n_calibration_lines": 1000},
        {"n_omitted_lines": 60},
        {"noise_bandwidth_ratio": 0.5},
    ],
)
def test_what_cannot_be_scanned_cannot_be_described(facts: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"."):
        dataclasses.replace(Phantom(), **facts)  # type: ignore[arg-type]
