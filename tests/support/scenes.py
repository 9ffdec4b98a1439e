"""A scene whose truth is worked out here, with NumPy alone: nothing of the code under test stands behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An object, coil maps and a noise covariance; `sigma` in the docstrings below is the sd of one real component."""

    m: Array
    s: Array
    psi: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        """(coil, y, x)."""
        n_coils, n_y, n_x = self.s.shape
        return n_coils, n_y, n_x

    def kspace(self) -> Array:
        """Noise-free k-space (coil, y, x) by the definition of the DFT, centre at n // 2."""
        _, n_y, n_x = self.shape
        return _dft(n_y) @ (self.s * self.m) @ _dft(n_x).T

    def full_snr(self) -> NDArray[np.float64]:
        """|m| sqrt(s^H C^-1 s) with C = Psi / 2, the covariance of the real components."""
        inverse = np.linalg.inv(self.psi / 2)
        full: NDArray[np.float64] = np.abs(self.m) * np.sqrt(
            np.einsum("cyx,cd,dyx->yx", self.s.conj(), inverse, self.s).real
        )
        return full

    def sense(self, lines: NDArray[np.intp], x: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """SNR and g of column x for the sampled lines, from the dense encoding matrix."""
        n_y = self.shape[1]
        variance = np.linalg.inv(self._normal(lines, x)).diagonal().real
        unaccelerated = 1 / self._normal(np.arange(n_y), x).diagonal().real
        g = np.sqrt(variance / unaccelerated * len(lines) / n_y)
        return np.abs(self.m[:, x]) / np.sqrt(variance), g

    def condition(self, lines: NDArray[np.intp], x: int) -> float:
        """Condition number of the system of column x: what an inverse loses of double precision."""
        return float(np.linalg.cond(self._normal(lines, x)))

    def _normal(self, lines: NDArray[np.intp], x: int) -> Array:
        n_coils, n_y, _ = self.shape
        encoding = np.concatenate([_dft(n_y)[lines] * self.s[c, :, x] for c in range(n_coils)])
        inverse = np.kron(np.linalg.inv(self.psi / 2), np.eye(len(lines)))
        normal: Array = encoding.conj().T @ inverse @ encoding
        return normal


def _dft(n: int) -> Array:
    position = np.arange(n) - n // 2
    matrix: Array = np.exp(-2j * np.pi * np.outer(position, position) / n) / np.sqrt(n)
    return matrix


def build_scene(n_coils: int, n_y: int, n_x: int, seed: int = 0) -> Scene:
    """Smooth maps around a ring, a smooth object that is nowhere 0, a random covariance."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(-1, 1, n_y), np.linspace(-1, 1, n_x), indexing="ij")
    angle = 2 * np.pi * np.arange(n_coils) / n_coils + 0.2
    distance = (x - 1.3 * np.cos(angle)[:, None, None]) ** 2 + (y - 1.3 * np.sin(angle)[:, None, None]) ** 2
    phase = np.exp(1j * (angle[:, None, None] + x * np.cos(angle)[:, None, None]))
    s = np.exp(-distance / 1.5) * phase
    m = (30 + 10 * np.cos(2 * x + y)) * np.exp(1j * (0.7 * x - 0.4 * y))
    mixing: Array = np.eye(n_coils, dtype=np.complex128)
    mixing += 0.3 * (rng.normal(size=(n_coils, n_coils)) + 1j * rng.normal(size=(n_coils, n_coils)))
    return Scene(m=m, s=s, psi=mixing @ mixing.conj().T)
