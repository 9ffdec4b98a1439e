"""A plane of k-space sampled by a comb along each of its two axes: the lines of a slice, or the points of a 3D scan.

Of a slice (y, x) the comb along x is full. Of a 3D scan, transformed along the readout, every column is a plane (z, y)
of its own, and both axes may be undersampled. Voxels fold onto each other in groups: R along an axis whose comb closes
on itself, all positions along one whose comb does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction.comb import Comb, Scalar
from mroptimum.threads import n_free

Places = slice | NDArray[np.intp]
_AXES = (-2, -1)


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """Points where a comb along each axis of a plane (a, b) says so: ``a`` along axis -2, ``b`` along axis -1."""

    a: Comb
    b: Comb

    @classmethod
    def of_lines(cls, sampled: NDArray[np.bool_], acceleration: int, n_x: int) -> Lattice:
        """Recognise the lines of a slice (y, x), `sampled` (y,), every `acceleration`-th; x is full."""
        return cls(a=Comb.of(sampled, acceleration), b=Comb.of(np.ones(n_x, dtype=np.bool_), 1))

    @classmethod
    def of_points(cls, sampled: NDArray[np.bool_], accelerations: tuple[int, int]) -> Lattice:
        """Recognise the points `sampled`, (a, b), one in `accelerations` along each axis.

        Raises `ReconstructionError` where they are not the product of two combs.
        """
        along_a, along_b = (np.asarray(sampled.any(axis=axis)) for axis in (1, 0))
        if not np.array_equal(sampled, np.outer(along_a, along_b)):
            raise ReconstructionError(
                "The sampled points do not lie on a rectangular lattice.",
                "Choose a scan whose lines are the same in every partition.",
            )
        return cls(a=Comb.of(along_a, accelerations[0]), b=Comb.of(along_b, accelerations[1]))

    @property
    def shape(self) -> tuple[int, int]:
        """The matrix (a, b)."""
        return self.a.n_y, self.b.n_y

    @property
    def n_folds(self) -> int:
        """How many voxels fold onto one where both combs are closed."""
        return self.a.acceleration * self.b.acceleration

    @property
    def is_closed(self) -> bool:
        """Whether voxels fold onto each other in groups of `n_folds`, and onto no others."""
        return self.a.is_closed and self.b.is_closed

    @property
    def effective_acceleration(self) -> float:
        """The number of points of the full grid over those of the lattice, recorded or not."""
        return self.a.n_y / self.a.n_lines * self.b.n_y / self.b.n_lines

    @property
    def phase(self) -> NDArray[np.complex128]:
        """What takes the phase of the folded images away again, (a, b)."""
        return np.multiply.outer(_phase(self.a), _phase(self.b))

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform the points of k-space (coil, a, b), unitarily, to folded images (coil, a', b') of a closed lattice.

        Along an undersampled axis the folded image begins at the centre of the field of view (see `Comb.coil_images`).
        """
        points = kspace[self._points]
        combs = dict(zip(_AXES, (self.a, self.b), strict=True))
        full = tuple(axis for axis, comb in combs.items() if comb.acceleration == 1)
        combed = tuple(axis for axis, comb in combs.items() if comb.acceleration > 1)
        if not combed:
            return fourier.to_image(points)
        along_full = fourier.to_image(points, axes=full) if full else points.copy()
        folded: Complex = scipy.fft.ifftn(along_full, axes=combed, norm="ortho", workers=n_free(), overwrite_x=True)
        return folded

    def alone(self, kspace: Complex) -> Complex:
        """Return k-space (coil, a, b) with zeros beside the lattice."""
        alone = np.zeros_like(kspace)
        alone[self._points] = kspace[self._points]
        return alone

    def gather(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return values (…, a, b) by what folds onto each other, (fold, …, a', b')."""
        return np.stack([values[..., rows, :][..., columns] for rows, columns in self._folds()])

    def spread(self, values: NDArray[Scalar]) -> NDArray[Scalar]:
        """Put values (fold, a', b') where their voxels are, (a, b)."""
        full = np.empty(self.shape, dtype=values.dtype)
        for (rows, columns), of_fold in zip(self._folds(), values, strict=True):
            full[_both(rows, columns)] = of_fold
        return full

    def groups(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the voxels that fold onto each other, whatever the combs: their positions along a and b, each (n,)."""
        of_b = _groups(self.b)
        for rows in _groups(self.a):
            for columns in of_b:
                yield np.repeat(rows, len(columns)), np.tile(columns, len(rows))

    @property
    def _points(self) -> tuple[slice, slice, slice]:
        of_a, of_b = (slice(comb.first, None, comb.acceleration) for comb in (self.a, self.b))
        return slice(None), of_a, of_b

    def _folds(self) -> Iterator[tuple[Places, Places]]:
        of_b = _places(self.b)
        return ((rows, columns) for rows in _places(self.a) for columns in of_b)


def point_spread(comb: Comb) -> NDArray[np.complex128]:
    """Return ``F^H F``, (n, n), of the unitary DFT's rows at the lines of the whole comb."""
    if comb.acceleration == 1:
        return np.eye(comb.n_y, dtype=np.complex128)
    distance = np.arange(comb.n_y) - comb.n_y // 2
    lines = np.arange(comb.first, comb.n_y, comb.acceleration) - comb.n_y // 2
    rows = np.exp(-2j * np.pi * np.outer(lines, distance) / comb.n_y) / np.sqrt(comb.n_y)
    spread: NDArray[np.complex128] = rows.conj().T @ rows
    return spread


def _phase(comb: Comb) -> NDArray[np.complex128]:
    return comb.phase if comb.acceleration > 1 else np.ones(comb.n_y, dtype=np.complex128)


def _places(comb: Comb) -> list[Places]:
    """Return where each fold of a closed comb lies; a full comb has one fold, in place."""
    return [slice(None)] if comb.acceleration == 1 else list(comb.voxels)


def _groups(comb: Comb) -> list[NDArray[np.intp]]:
    if comb.acceleration == 1:
        return list(np.arange(comb.n_y)[:, None])
    return list(comb.voxels.T) if comb.is_closed else [np.arange(comb.n_y)]


def _both(rows: Places, columns: Places) -> Any:
    if isinstance(rows, slice) or isinstance(columns, slice):
        return rows, columns
    return np.ix_(rows, columns)
