from __future__ import annotations

import numpy as np
import pytest

from mroptimum.coils import calibration_image, coil_maps, object_mask, root_sum_of_squares
from mroptimum.task import Mask, MaskMethod
from scenes import build_scene


def test_maps_have_unit_norm_inside_and_are_zero_outside() -> None:
    scene = build_scene(6, 16, 18)
    mask = np.zeros((16, 18), dtype=np.bool_)
    mask[4:12, 5:15] = True
    maps = coil_maps(calibration_image(scene.kspace(), (16, 18)), mask, "test")
    np.testing.assert_allclose(root_sum_of_squares(maps.maps)[mask], 1.0, rtol=1e-12)
    assert not np.any(maps.maps[:, ~mask])


def test_maps_from_calibration_lines_lose_less_than_a_tenth_of_a_percent_of_snr() -> None:
    """Wrong maps cost SNR by the cosine between them and the true ones; apodised calibration makes that tiny."""
    scene = build_scene(8, 64, 64)
    true = scene.s / np.sqrt(np.sum(np.abs(scene.s) ** 2, axis=0))
    maps = coil_maps(calibration_image(scene.kspace(), (24, 24)), np.ones((64, 64), dtype=np.bool_), "test")
    cosine = np.abs(np.einsum("cyx,cyx->yx", true.conj(), maps.maps))
    inner = cosine[12:-12, 12:-12]
    assert 1 - inner.mean() < 1e-3


def test_calibration_image_uses_nothing_outside_its_window() -> None:
    kspace = np.zeros((1, 32, 32), dtype=np.complex128)
    kspace[0, 2, 16] = kspace[0, 16, 30] = 1.0
    assert not np.any(calibration_image(kspace, (24, 24)))


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (Mask(), [True, True, True, True]),
        (Mask(method=MaskMethod.PERCENTAGE, value=50), [False, False, True, True]),
        (Mask(method=MaskMethod.THRESHOLD, value=2 * np.sqrt(2)), [False, True, True, True]),
    ],
)
def test_masks(mask: Mask, expected: list[bool]) -> None:
    image = np.array([[[1, 2, 4, 8j]]], dtype=np.complex128)
    assert object_mask(image, mask)[0].tolist() == expected
