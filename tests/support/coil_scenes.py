"""Scenes to make coil maps of: an object that ends inside the field of view, white noise, and what wrong maps cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes import Array, Scene, build_scene


@dataclass(frozen=True, kw_only=True)
class CoilScene:
    """True maps of unit norm, (coil, y, x), where there is object, (y, x), and k-space (coil, y, x), noise of power 1.

    Noise-free if it was asked for.
    """

    maps: Array
    is_object: NDArray[np.bool_]
    kspace: Array

    def snr_loss(self, maps: NDArray[np.complexfloating]) -> NDArray[np.float64]:
        """The part of the SNR that these maps lose at each voxel of the object: 1 - |cosine| to the true ones."""
        norm = np.sqrt(np.sum(np.abs(maps) ** 2, axis=0))
        cosine = np.abs(np.sum(self.maps.conj() * maps, axis=0)) / np.where(norm > 0, norm, 1)
        return np.asarray((1 - cosine)[self.is_object])


def coil_scene(
    n_coils: int, n_y: int, n_x: int, *, snr: float | None = None, radius: float = 0.6, seed: int = 0
) -> CoilScene:
    """An ellipse of `radius` times half the field of view, with this mean SNR in the combined image; None: no noise."""
    scene = build_scene(n_coils, n_y, n_x, seed)
    y, x = np.meshgrid(np.linspace(-1, 1, n_y), np.linspace(-1, 1, n_x), indexing="ij")
    is_object = x**2 + y**2 < radius**2
    norm = np.sqrt(np.sum(np.abs(scene.s) ** 2, axis=0))
    scale = 1.0 if snr is None else snr / np.mean(np.sqrt(2) * (np.abs(scene.m) * norm)[is_object])
    kspace = Scene(m=scale * scene.m * is_object, s=scene.s, psi=np.eye(n_coils, dtype=np.complex128)).kspace()
    if snr is not None:
        rng = np.random.default_rng([seed, 1])
        kspace = kspace + np.sqrt(0.5) * (rng.normal(size=kspace.shape) + 1j * rng.normal(size=kspace.shape))
    return CoilScene(maps=scene.s / norm, is_object=is_object, kspace=kspace)
