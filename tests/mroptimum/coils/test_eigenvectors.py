from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mroptimum.coils.eigenvectors import dominant_eigenvectors
from mroptimum.convention import Complex


def matrices_with(eigenvalues: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.complex128]:
    size = len(eigenvalues)
    unitary, _ = np.linalg.qr(rng.normal(size=(n, size, size)) + 1j * rng.normal(size=(n, size, size)))
    mixed: NDArray[np.complex128] = (unitary * eigenvalues) @ unitary.conj().swapaxes(-1, -2)
    return mixed


def guesses(n: int, size: int, rng: np.random.Generator) -> NDArray[np.complex128]:
    return np.asarray(rng.normal(size=(n, size)) + 1j * rng.normal(size=(n, size)))


def tangent(a: Complex, b: Complex) -> NDArray[np.float64]:
    """The tangent of the angle between vectors (n, size)."""
    cosine = np.abs(np.sum(a.conj() * b, axis=-1)) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return np.asarray(np.sqrt(np.maximum(1 - cosine**2, 0)) / cosine)


@settings(max_examples=40)
@given(size=st.integers(1, 33), largest=st.floats(0.05, 1.0), gap=st.floats(0.3, 1.0), seed=st.integers(0, 1000))
def test_a_guess_is_turned_to_the_vector_of_a_full_decomposition(
    size: int, largest: float, gap: float, seed: int
) -> None:
    """The tangent of the angle to it falls by (l_2/l_1)^7 by the product and a first filter that knows l_1 badly, and
    by T_6(11/9) = 25 by the second."""
    rng = np.random.default_rng(seed)
    eigenvalues = np.concatenate([[1.0], rng.uniform(0, 1 - gap, size - 1)]) * largest
    matrices = matrices_with(eigenvalues, 20, rng)
    start = guesses(20, size, rng)
    vectors, values = dominant_eigenvectors(matrices, start)
    true = np.linalg.eigh(matrices)[1][..., -1]
    assert np.all(tangent(true, vectors) <= 0.7**7 / 25 * tangent(true, start) + 1e-7)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1.0)
    np.testing.assert_allclose(values, largest, rtol=2 * tangent(true, vectors).max() ** 2 + 1e-12)


def test_two_equal_eigenvalues_give_a_vector_of_their_plane(rng: np.random.Generator) -> None:
    matrices = matrices_with(np.array([0.9, 0.9, 0.3, 0.1]), 50, rng)
    vectors, values = dominant_eigenvectors(matrices, guesses(50, 4, rng))
    np.testing.assert_allclose(values, 0.9, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1.0)


def test_a_guess_nearly_at_right_angles_does_not_overflow_single_precision(rng: np.random.Generator) -> None:
    size = 128
    true = guesses(8, size, rng)
    true /= np.linalg.norm(true, axis=-1, keepdims=True)
    matrices = true[..., None] * true.conj()[:, None, :]
    start = guesses(8, size, rng)
    start -= (1 - 1e-6) * np.sum(true.conj() * start, axis=-1, keepdims=True) * true
    vectors, values = dominant_eigenvectors(matrices.astype(np.complex64), start.astype(np.complex64))
    np.testing.assert_allclose(values, 1.0, rtol=1e-4)
    np.testing.assert_allclose(np.abs(np.sum(true.conj() * vectors, axis=-1)), 1.0, rtol=1e-4)


@pytest.mark.parametrize("zero", ["matrix", "guess"])
def test_nothing_gives_the_eigenvalue_0(zero: str) -> None:
    matrices = np.zeros((1, 3, 3), dtype=np.complex64) if zero == "matrix" else np.eye(3, dtype=np.complex64)[None]
    start = np.zeros((1, 3), dtype=np.complex64) if zero == "guess" else np.ones((1, 3), dtype=np.complex64)
    vectors, values = dominant_eigenvectors(matrices, start)
    assert values.tolist() == [0.0]
    assert not np.any(vectors)
