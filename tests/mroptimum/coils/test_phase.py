from __future__ import annotations

import numpy as np

from mroptimum.coils.phase import aligned, principal_coil


def test_the_principal_coil_receives_what_one_direction_carries() -> None:
    direction = np.array([3.0, 4.0j, 0.0]) / 5
    samples = np.outer(direction, [1 + 1j, 2.0, -0.5j])
    weights = principal_coil(samples)
    np.testing.assert_allclose(np.abs(weights.conj() @ direction), 1.0)
    total = weights.conj() @ samples.sum(axis=1)
    np.testing.assert_allclose([total.real, total.imag], [abs(np.sum([1 + 1j, 2.0, -0.5j])), 0], atol=1e-12)


def test_it_follows_unitary_mixing_of_the_coils(rng: np.random.Generator) -> None:
    samples = rng.normal(size=(5, 40)) + 1j * rng.normal(size=(5, 40))
    mixing, _ = np.linalg.qr(rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5)))
    np.testing.assert_allclose(principal_coil(mixing @ samples), mixing @ principal_coil(samples), atol=1e-10)


def test_aligned_maps_are_the_same_vectors_seen_as_real_and_positive(rng: np.random.Generator) -> None:
    maps = rng.normal(size=(30, 4)) + 1j * rng.normal(size=(30, 4))
    weights = np.array([0.5, 0.5j, -0.5, 0.5], dtype=np.complex128)
    turned = aligned(maps, weights)
    seen = turned @ weights.conj()
    np.testing.assert_allclose(seen.imag, 0, atol=1e-12)
    assert np.all(seen.real > 0)
    np.testing.assert_allclose(np.abs(np.sum(maps.conj() * turned, axis=-1)), np.sum(np.abs(maps) ** 2, axis=-1))


def test_a_voxel_that_the_principal_coil_does_not_see_keeps_its_phase() -> None:
    maps = np.array([[0, 1j]])
    assert aligned(maps, np.array([1, 0], dtype=np.complex128)).tolist() == maps.tolist()
