from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from mroptimum.snr.white_noise import fill, white_noise

N = 2**20
"""Moments of this many numbers are known to about 0.1 %; it also takes several rounds of drawing."""


@pytest.fixture(scope="module")
def drawn() -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    return white_noise(np.random.SeedSequence(1), (N,)).astype(np.complex128)


@pytest.mark.parametrize("part", ["real", "imag"])
def test_a_component_is_normal_with_half_the_power(part: str, drawn: np.ndarray) -> None:
    component = getattr(drawn, part)
    assert scipy.stats.kstest(component, "norm", args=(0, np.sqrt(0.5))).pvalue > 1e-3
    # Even moments of a normal number, each within 4 of its standard errors: sd of x^2k is sqrt(m_4k - m_2k^2).
    for order, moment, fourfold in ((2, 1, 3), (4, 3, 105), (6, 15, 10395)):
        error = np.sqrt((fourfold - moment**2) / N)
        assert np.mean((component * np.sqrt(2)) ** order) == pytest.approx(moment, abs=4 * error)


def test_power_is_exponential_and_the_phase_any(drawn: np.ndarray) -> None:
    assert scipy.stats.kstest(np.abs(drawn) ** 2, "expon").pvalue > 1e-3
    assert scipy.stats.kstest(np.angle(drawn), "uniform", args=(-np.pi, 2 * np.pi)).pvalue > 1e-3


def test_the_tail_is_as_heavy_as_it_should_be(drawn: np.ndarray) -> None:
    """Counts of magnitudes beyond r are Poisson with mean N exp(-r^2)."""
    for r in (2.0, 3.0, 3.5):
        expected = N * np.exp(-(r**2))
        assert abs(np.sum(np.abs(drawn) > r) - expected) < 4 * np.sqrt(expected) + 1


def test_nothing_depends_on_its_neighbour(drawn: np.ndarray) -> None:
    """Magnitude and phase, the components, and numbers a step or a round of drawing apart: no correlation."""
    power, turn = np.abs(drawn) ** 2 - 1, drawn / np.abs(drawn)
    pairs = [(power, turn.real), (power, turn.imag), (drawn.real, drawn.imag), (power, turn.real**2)]
    pairs += [(drawn[:-step], drawn[step:]) for step in (1, 2, 256, 2**15, 2**16)]
    pairs += [(power[:-step], power[step:]) for step in (1, 2, 256, 2**15, 2**16)]
    for a, b in pairs:
        assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / np.sqrt(len(a))


@pytest.mark.parametrize("word", [0, 2**64 - 1, 2**32 - 1, 2**64 - 2**32, 2**31, 2**63])
def test_no_bits_make_what_is_not_a_number(word: int) -> None:
    noise = np.full(4, np.nan, dtype=np.complex64)
    fill(noise, np.full(4, word, dtype=np.uint64))
    assert np.all(np.isfinite(noise))
    assert np.abs(noise).max() * np.sqrt(2) < 6.8


def test_the_seed_decides() -> None:
    def some(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.complex64]]:
        return white_noise(np.random.SeedSequence(seed), (3, 5, 7))

    assert some(1).shape == (3, 5, 7)
    assert np.array_equal(some(1), some(1))
    assert not np.any(some(1) == some(2))
