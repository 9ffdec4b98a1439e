from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, WrongKindOfFile
from mroptimum.rawdata.echo import ECHO_AT, echo_contrast
from mroptimum.rawdata.plausibility import refuse_implausible_noise, refuse_implausible_signal


def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


@pytest.mark.parametrize("shape", [(16, 1, 16), (128, 8, 256), (64, 32, 64), (3, 4, 512), (400, 1, 32)])
def test_noise_is_never_taken_for_an_echo(rng: np.random.Generator, shape: tuple[int, int, int]) -> None:
    for _ in range(20):
        contrast = echo_contrast(noise(rng, shape))
        assert contrast.is_noise
        assert not contrast.is_echo


def test_noise_of_unequal_correlated_coils_is_noise(rng: np.random.Generator) -> None:
    mixing = np.diag([1.0, 30.0, 0.01, 5.0]) @ (np.eye(4) + 0.8)
    assert echo_contrast((mixing @ noise(rng, (64, 4, 128))).astype(np.complex64)).is_noise


@pytest.mark.parametrize("n", [16, 24, 32, 64])
@pytest.mark.parametrize("half_width", [0, 1, 3])
def test_the_spread_out_echo_of_a_small_object_is_no_noise(n: int, half_width: int) -> None:
    image = np.zeros((n, n))
    image[n // 2 - half_width : n // 2 + half_width + 1, n // 2 - half_width : n // 2 + half_width + 1] = 1.0
    kspace = np.fft.fftshift(np.fft.fft2(image, norm="ortho")).astype(np.complex64)
    kspace += 1e-6 * noise(np.random.default_rng(n), (n, n))
    assert not echo_contrast(kspace[:, np.newaxis]).is_noise


def test_a_weak_echo_in_one_coil_is_seen(rng: np.random.Generator) -> None:
    # An object of 40 % of the pixels with SNR 2 per coil image: its k-space centre is sum / n = 0.4 * 2 * 64 = 51 sd.
    samples = noise(rng, (64, 4, 64))
    image = np.zeros((64, 64))
    image[13:51, 11:53] = 2.0
    samples[:, 2] += np.fft.fftshift(np.fft.fft2(image, norm="ortho")).astype(np.complex64)
    contrast = echo_contrast(samples)
    assert contrast.is_echo
    assert contrast.lines is not None
    assert contrast.samples is not None
    assert min(contrast.lines.excess, contrast.samples.excess) > ECHO_AT


def test_gain_does_not_matter(rng: np.random.Generator) -> None:
    samples = noise(rng, (32, 3, 32))
    gains = np.array([1e-12, 1.0, 1e9])[:, np.newaxis]
    scaled = echo_contrast((samples * gains).astype(np.complex64))
    original = echo_contrast(samples)
    assert scaled.strongest == pytest.approx(original.strongest, rel=1e-4)


def test_a_dead_coil_changes_nothing(rng: np.random.Generator) -> None:
    samples = noise(rng, (32, 3, 32))
    with_dead = np.concatenate([samples, np.zeros((32, 1, 32), np.complex64)], axis=1)
    assert echo_contrast(with_dead) == echo_contrast(samples)


def test_too_few_lines_and_samples_say_nothing() -> None:
    few = np.ones((4, 2, 8), np.complex64)
    for contrast in (echo_contrast(few), echo_contrast([])):
        assert not contrast.is_echo
        assert not contrast.is_noise
    refuse_implausible_signal(few[np.newaxis, np.newaxis, :1, :, np.newaxis, np.newaxis], np.ones((1, 1), np.bool_))
    refuse_implausible_noise(few)


def test_noise_given_as_the_signal_is_named(rng: np.random.Generator) -> None:
    kspace = noise(rng, (1, 1, 1, 4, 1, 64, 64))
    with pytest.raises(WrongKindOfFile, match="noise only"):
        refuse_implausible_signal(kspace, np.ones((1, 64), np.bool_))


def test_a_signal_given_as_the_noise_is_named(rng: np.random.Generator) -> None:
    samples = noise(rng, (64, 4, 64))
    samples[32, :, 30:34] += 100
    with pytest.raises(WrongKindOfFile, match="holds a signal"):
        refuse_implausible_noise(samples)


@pytest.mark.parametrize("damage", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(rng: np.random.Generator, damage: float) -> None:
    samples = noise(rng, (4, 2, 16))
    samples[1, 1, 3:5] = damage
    with pytest.raises(UnreadableFile, match="2 of 128 samples"):
        refuse_implausible_noise(samples)


def test_zeros_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="zero"):
        refuse_implausible_noise(np.zeros((4, 2, 16), np.complex64))
