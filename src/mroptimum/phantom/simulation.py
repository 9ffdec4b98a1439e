"""From a description to numbers: the object, its k-space with noise, and a noise scan.

Nothing here is shared with the code that is judged by it: transforms, noise and scaling are written out anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum.phantom.coils import coil_maps
from mroptimum.phantom.description import Phantom, Region

Complex64 = NDArray[np.complex64]
Complex128 = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A simulated acquisition.

    `image` ``(slice, y, x)`` is the object, `coil_maps` is ``(slice, coil, y, x)``, `covariance` ``(coil, coil)`` the
    complex noise covariance ``E[n n^H]`` in a coil image, in the flat part of the pass band. `noise_free`
    ``(slice, coil, y, x)`` and `kspace` ``(average, repetition, slice, coil, y, x)`` are on the recorded grid, all
    lines, centre at n // 2; of a slab, their axis of slices is that of the encoded partitions. Which lines a file holds
    is `phantom.imaging_lines`, `phantom.calibration_lines` and, of a slab, the partitions of the same names.
    `noise` is ``(readout, coil, sample)``, and `noise_bandwidth_ratio` that of its samples.
    """

    phantom: Phantom
    image: Complex128
    coil_maps: Complex128
    covariance: Complex128
    noise_free: Complex128
    kspace: Complex64
    noise: Complex64
    noise_bandwidth_ratio: float


def simulate(phantom: Phantom) -> Scan:
    """Draw one acquisition; the same description gives the same numbers."""
    mixing_seed, image_seed, noise_seed = np.random.SeedSequence(phantom.seed).spawn(3)
    image, maps = object_image(phantom), coil_maps(phantom)
    mixing = _mixing(phantom, np.random.default_rng(mixing_seed))
    response = receiver_response(phantom.n_recorded_x, phantom.noise_bandwidth_ratio)
    coil_images = np.zeros((phantom.n_recorded_z, *maps.shape[1:3], phantom.n_recorded_x), np.complex128)
    coil_images[_middle(phantom.n_slices, phantom.n_recorded_z), ..., _middle(phantom.n_x, phantom.n_recorded_x)] = (
        maps * image[:, np.newaxis]
    )
    encoded = (0, -2, -1) if phantom.is_3d else (-2, -1)
    noise_free = _fft((coil_images * response).astype(np.complex128), axes=encoded)

    kspace_noise = _receiver_noise(
        (phantom.n_averages, phantom.n_repetitions, *noise_free.shape),
        mixing,
        response,
        np.random.default_rng(image_seed),
    )
    bandwidth_gain = np.sqrt(phantom.dwell_time_s / phantom.noise_dwell_time_s)
    noise = _receiver_noise(
        (phantom.n_noise_readouts, 1, phantom.n_coils, 1, phantom.n_recorded_x),
        mixing * bandwidth_gain,
        response,
        np.random.default_rng(noise_seed),
    )[:, 0, :, 0]
    return Scan(
        phantom=phantom,
        image=image,
        coil_maps=maps,
        covariance=2 * mixing @ mixing.conj().T,
        noise_free=noise_free,
        kspace=(noise_free + kspace_noise).astype(np.complex64),
        noise=noise.astype(np.complex64),
        noise_bandwidth_ratio=float(np.mean(response**2)),
    )


def _middle(n: int, n_recorded: int) -> slice:
    start = n_recorded // 2 - n // 2
    return slice(start, start + n)


def object_image(phantom: Phantom) -> Complex128:
    """Return the object ``(slice, y, x)``: its regions, a little weaker from slice to slice, with a smooth phase."""
    x = (np.arange(phantom.n_x) - phantom.n_x // 2)[np.newaxis, :] / (phantom.n_x / 2)
    y = (np.arange(phantom.n_y) - phantom.n_y // 2)[:, np.newaxis] / (phantom.n_y / 2)
    magnitude = np.zeros((phantom.n_y, phantom.n_x))
    for region in phantom.regions:
        magnitude += region.amplitude * _inside(region, x, y)
    phase = 1.1 * x - 0.8 * y + 0.9 * x * y
    plane = phantom.amplitude * magnitude * np.exp(1j * phase)
    return np.stack([plane * 0.95**index for index in range(phantom.n_slices)])


def receiver_response(n_samples: int, noise_bandwidth_ratio: float) -> NDArray[np.float64]:
    """Return the amplitude response of the receiver over the columns of a readout's image, 1 in the inner part.

    Its power falls from 1 to 0 as a squared cosine over the outer part of the band, wide enough to give the ratio.
    """
    position = np.abs(np.arange(n_samples) - n_samples // 2) / (n_samples / 2)
    flat = 2 * noise_bandwidth_ratio - 1
    if flat >= 1:
        return np.ones(n_samples)
    return np.asarray(np.cos(np.pi / 2 * np.clip((position - flat) / (1 - flat), 0, 1)))


def _inside(region: Region, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = np.deg2rad(region.angle_deg)
    u, v = x - region.centre[0], y - region.centre[1]
    along, across = u * np.cos(angle) + v * np.sin(angle), -u * np.sin(angle) + v * np.cos(angle)
    radius = (
        np.abs(along / region.semi_axes[0]) ** region.exponent + np.abs(across / region.semi_axes[1]) ** region.exponent
    ) ** (1 / region.exponent)
    return np.asarray(radius < 1, dtype=np.float64)


def _mixing(phantom: Phantom, generator: np.random.Generator) -> Complex128:
    """Return the matrix that makes correlated noise of n independent samples with unit real components."""
    shape = (phantom.n_coils, phantom.n_coils)
    random = (generator.standard_normal(shape) + 1j * generator.standard_normal(shape)) / np.sqrt(2 * phantom.n_coils)
    gains = np.sqrt(generator.uniform(0.6, 1.6, phantom.n_coils))
    mixing = gains[:, np.newaxis] * (np.eye(phantom.n_coils) + phantom.coil_correlation * random)
    mean_variance = np.mean((np.abs(mixing) ** 2).sum(axis=1))
    return np.asarray(phantom.sigma * mixing / np.sqrt(mean_variance))


def _receiver_noise(
    shape: tuple[int, ...], mixing: Complex128, response: NDArray[np.float64], generator: np.random.Generator
) -> Complex64:
    """Return noise ``(…, coil, y, x)`` in k-space, correlated between coils and coloured along x."""
    white = np.empty(shape, np.complex64)
    generator.standard_normal(out=white.view(np.float32), dtype=np.float32)
    correlated: Complex64 = np.einsum("cd,...dyx->...cyx", mixing.astype(np.complex64), white, optimize=True)
    if np.all(response == 1):
        return correlated
    return _fft(correlated * response.astype(np.float32), axes=(-1,)).astype(np.complex64)


def _fft(array: Complex64 | Complex128, axes: tuple[int, ...]) -> Complex128:
    """Return the unitary FFT with the centre at n // 2 on both sides."""
    shifted = np.fft.ifftshift(array, axes=axes)
    return np.asarray(np.fft.fftshift(np.fft.fftn(shifted, axes=axes, norm="ortho"), axes=axes))
