from __future__ import annotations

import numpy as np
import pytest

from mroptimum.phantom import Phantom
from mroptimum.phantom.coils import _loops, _sensitivity, coil_maps, voxel_positions


def test_on_its_axis_a_loop_has_the_textbook_field() -> None:
    """B = mu0 I a^2 / (2 (a^2 + z^2)^(3/2)); ours leaves out mu0 I / 2 pi."""
    a, z = 40.0, np.array([5.0, 30.0, 120.0])
    normal = np.array([1.0, 0.0, 0.0])
    field = _sensitivity(z[:, np.newaxis] * normal, np.zeros(3), normal, a, 0.0)
    np.testing.assert_allclose(field, np.pi * a**2 / (a**2 + z**2) ** 1.5, rtol=1e-12)


def test_off_its_axis_a_loop_agrees_with_the_law_of_biot_and_savart(rng: np.random.Generator) -> None:
    """Against the sum over 4000 short pieces of wire, at points around a tilted loop."""
    normal = np.array([0.6, -0.48, 0.64])
    first = np.array([0.8, 0.36, -0.48])
    second = np.cross(normal, first)
    centre, radius = np.array([10.0, -20.0, 5.0]), 35.0
    points = centre + rng.uniform(-100, 100, (50, 3))
    angle = np.linspace(0, 2 * np.pi, 4001)[:-1]
    wire = centre + radius * (np.cos(angle)[:, np.newaxis] * first + np.sin(angle)[:, np.newaxis] * second)
    along = 2 * np.pi * radius / 4000 * (np.cos(angle)[:, np.newaxis] * second - np.sin(angle)[:, np.newaxis] * first)
    offset = points[:, np.newaxis] - wire
    field = (np.cross(along, offset) / np.linalg.norm(offset, axis=-1, keepdims=True) ** 3).sum(axis=1) / 2
    expected = (field[:, 0] - 1j * field[:, 1]) * np.exp(0.7j)
    np.testing.assert_allclose(_sensitivity(points, centre, normal, radius, 0.7), expected, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("n_coils", [1, 2, 3, 8, 9, 16, 32])
def test_maps_are_normalised_and_all_different(n_coils: int) -> None:
    maps = coil_maps(Phantom(n_x=12, n_y=10, n_coils=n_coils, n_slices=2))
    assert maps.shape == (2, n_coils, 10, 12)
    assert np.sqrt((np.abs(maps) ** 2).sum(axis=1)).max() == pytest.approx(1.0)
    assert np.isfinite(maps).all()
    flat = maps.transpose(1, 0, 2, 3).reshape(n_coils, -1)
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    overlap = np.abs(unit @ unit.conj().T) - np.eye(n_coils)
    assert overlap.max() < 0.995


def test_no_wire_runs_through_the_field_of_view() -> None:
    for n_coils in (1, 2, 4, 8, 16, 32):
        phantom = Phantom(n_coils=n_coils)
        positions = voxel_positions(phantom)
        for centre, normal, radius, _ in _loops(phantom):
            offset = positions - centre
            z = offset @ normal
            r = np.linalg.norm(offset - z[..., np.newaxis] * normal, axis=-1)
            assert np.hypot(z, r - radius).min() > 5.0  # mm


def test_sensitivities_belong_to_places_in_the_patient() -> None:
    """The same slice in another matrix, half the resolution: every other voxel is the same."""
    fine, coarse = Phantom(n_x=24, n_y=24, n_coils=4), Phantom(n_x=12, n_y=12, n_coils=4)
    ratio = coil_maps(fine)[:, :, ::2, ::2] / coil_maps(coarse)
    np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-12)


def test_the_middle_voxel_is_the_centre_of_the_slice() -> None:
    phantom = Phantom(n_x=13, n_y=10, n_slices=3, centre_mm=(4.0, 5.0, 6.0))
    np.testing.assert_allclose(voxel_positions(phantom)[:, 5, 6], phantom.slice_centres_mm)
    step = voxel_positions(phantom)[0, 5, 7] - voxel_positions(phantom)[0, 5, 6]
    np.testing.assert_allclose(step, np.asarray(phantom.readout_direction) * 220 / 13)
