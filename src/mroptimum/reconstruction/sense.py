"""SENSE: unfolding of regularly undersampled phase encoding, along one or two directions, with coil maps.

Pruessmann 1999, 10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S; two directions: Weiger 2002,
10.1007/BF02668182. Where R divides the number of lines, R voxels fold onto one and an R x R system unfolds each group.
Where it does not, all voxels along that direction fold onto each other a little, and they are solved together with the
general encoding matrix. Both are the same least-squares solution, with the same noise propagation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.coils import CoilMaps, inner_product
from mroptimum.convention import Complex, Real
from mroptimum.errors import ReconstructionError
from mroptimum.reconstruction import Combination
from mroptimum.reconstruction.lattice import Lattice, point_spread

CONDITION_LIMIT = 1e-12
"""What may be left of a pivot before the voxels of a group count as impossible to tell apart."""
MAX_UNKNOWNS = 4096
"""Voxels that are solved together at most: their matrix takes 0.3 GB and some ten seconds."""


@dataclass(frozen=True, kw_only=True)
class Sense:
    """Least-squares unfolding of one slice (y, x), or of one plane (z, y) of a 3D scan.

    ``unfolding`` maps folded coil images to voxels; ``noise_sd`` and ``g_factor`` are (y, x), 0 outside the object and
    where voxels cannot be told apart.
    """

    unfolding: _Folded | _General
    noise_sd: Real
    g_factor: Real
    n_unsolvable: int = 0
    is_linear: bool = True

    @property
    def combination(self) -> Combination | None:
        """The unfolding of each group of voxels; None where all voxels of a column fold onto each other."""
        return self.unfolding if isinstance(self.unfolding, _Folded) else None

    def coil_images(self, kspace: Complex) -> Complex:
        """Transform whitened k-space (coil, y, x) to folded images (coil, y', x), or zero-filled ones (coil, y, x)."""
        return self.unfolding.coil_images(kspace)

    def image(self, kspace: Complex) -> Complex:
        """Reconstruct whitened k-space (coil, y, x) to a complex image (y, x); samples beside the comb do not count."""
        return self.unfolding.image(kspace)


def sense(coil_maps: CoilMaps, sampled: NDArray[np.bool_], acceleration: int) -> Sense:
    """Build the unfolding of a slice (y, x) for lines `sampled`, (y,): every `acceleration`-th, from any first one.

    A comb with lines missing at its ends (partial Fourier) unfolds like a full one; its noise scale is in the scale
    chain. Raises `ReconstructionError` for an irregular comb and for more folds than coils.
    """
    return _unfolded(coil_maps, Lattice.of_lines(sampled, acceleration, coil_maps.mask.shape[-1]))


def sense_of_plane(coil_maps: CoilMaps, sampled: NDArray[np.bool_], accelerations: tuple[int, int]) -> Sense:
    """Build the unfolding of a plane (z, y) for points `sampled`, (z, y): one in `accelerations` along each direction.

    Both directions as in `sense`. Raises `ReconstructionError`, too, where so many voxels fold onto each other that
    their system cannot be solved: more than `MAX_UNKNOWNS`, which two directions reach that both do not divide evenly.
    """
    return _unfolded(coil_maps, Lattice.of_points(sampled, accelerations))


def _unfolded(coil_maps: CoilMaps, lattice: Lattice) -> Sense:
    n_coils = coil_maps.maps.shape[0]
    if lattice.n_folds > n_coils:
        raise ReconstructionError(
            f"{lattice.n_folds} voxels fold onto each other, and {n_coils} coils cannot tell them apart.",
            "Choose an acceleration of at most the number of coils.",
        )
    return _fold(coil_maps, lattice) if lattice.is_closed else _solve_groups(coil_maps, lattice)


@dataclass(frozen=True, kw_only=True)
class _Folded:
    """The maps of voxels that fold onto each other, (fold, coil, y', x), and the inverse system, (fold, fold, y', x).

    Folds nearly alike cancel each other, so everything between the folded images and the voxels is double precision.
    """

    maps: Complex
    inverse: NDArray[np.complex128]
    lattice: Lattice

    @property
    def n_folds(self) -> int:
        return len(self.maps)

    n_outputs = n_folds

    def matrices(self, columns: slice) -> Complex:
        maps = self.maps[..., columns].transpose(3, 2, 0, 1)
        inverse = self.inverse[..., columns].transpose(3, 2, 0, 1)
        return (inverse @ maps.conj()).astype(maps.dtype)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        return self.lattice.spread(values)

    def coil_images(self, kspace: Complex) -> Complex:
        return self.lattice.coil_images(kspace)

    def image(self, kspace: Complex) -> Complex:
        acceleration = len(self.maps)
        folded = self.coil_images(kspace)
        projected = [inner_product(of_fold, folded, np.complex128) for of_fold in self.maps]
        values = np.zeros((acceleration, *folded.shape[1:]), dtype=kspace.dtype)
        for row in range(acceleration):
            values[row] = sum(self.inverse[row, column] * projected[column] for column in range(acceleration))
        return self.spread(values) * self.lattice.phase.astype(kspace.dtype)


def _fold(coil_maps: CoilMaps, lattice: Lattice) -> Sense:
    """Build the R x R unfolding of each group of voxels.

    With k = first - c + R j the folded image is ``a(y') = R^-1/2 sum_r phi(y) s(y) m(y)``, ``phi(y) =
    exp(-2 pi i (first - c) (y - c) / N)``: phi goes with m, so the maps alone make the system, and
    ``m = R^1/2 conj(phi) A^-1 S^H a``. Of two directions, R and phi are the products of both.
    """
    acceleration = lattice.n_folds
    maps = lattice.gather(coil_maps.maps)
    gram = _gram(maps)
    own = np.einsum("rryx->ryx", gram).real.copy()
    inside = own > 0
    inverse, solvable = _inverted(gram, inside)
    solved = inside & solvable
    inverse *= solved[:, None]
    variance = np.einsum("rryx->ryx", inverse).real
    dtype = maps.real.dtype
    return Sense(
        unfolding=_Folded(maps=maps, inverse=np.sqrt(acceleration) * inverse, lattice=lattice),
        noise_sd=lattice.spread(np.sqrt(acceleration * variance)).astype(dtype),
        g_factor=lattice.spread(np.sqrt(variance * own)).astype(dtype),
        n_unsolvable=int((inside & ~solvable).sum()),
    )


def _gram(maps: Complex) -> NDArray[np.complex128]:
    """Return ``S^H S`` of each group of voxels, (fold, fold, y', x)."""
    acceleration, _, *shape = maps.shape
    gram = np.empty((acceleration, acceleration, *shape), dtype=np.complex128)
    for row in range(acceleration):
        for column in range(row, acceleration):
            gram[row, column] = inner_product(maps[row], maps[column], np.complex128)
            gram[column, row] = gram[row, column].conj()
    return gram


def _inverted(
    gram: NDArray[np.complex128], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.complex128], NDArray[np.bool_]]:
    """Return the inverse of each group's system, (fold, fold, y', x), and which groups (y', x) have one.

    A voxel outside the object stands alone with a 1 on the diagonal. By Gauss-Jordan elimination without pivoting,
    which a Hermitian positive matrix does not need, all groups at once; a pivot that has lost all but 1e-12 of itself
    means that the coils cannot tell the group's voxels apart.
    """
    acceleration = len(gram)
    a = gram.copy()
    for fold in range(acceleration):
        a[fold, fold][~inside[fold]] = 1.0
    start = np.einsum("rryx->ryx", a).real.copy()
    inverse = np.zeros_like(a)
    for fold in range(acceleration):
        inverse[fold, fold] = 1.0
    solvable = np.ones(a.shape[2:], dtype=np.bool_)
    for k in range(acceleration):
        solvable &= a[k, k].real > CONDITION_LIMIT * start[k]
        pivot = 1.0 / np.where(solvable, a[k, k].real, 1.0)
        a[k] *= pivot
        inverse[k] *= pivot
        for row in range(acceleration):
            if row != k:
                factor = a[row, k].copy()
                a[row] -= factor * a[k]
                inverse[row] -= factor * inverse[k]
    return inverse, solvable


@dataclass(frozen=True, kw_only=True)
class _Solved:
    """Groups of n voxels that fold onto each other: where, (group, n), and inverse normal matrices, (group, n, n)."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    inverse: NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True)
class _General:
    """Groups of all sizes, solved one by one, and the maps."""

    groups: tuple[_Solved, ...]
    coil_maps: CoilMaps
    lattice: Lattice

    def coil_images(self, kspace: Complex) -> Complex:
        return fourier.to_image(self.lattice.alone(kspace))

    def image(self, kspace: Complex) -> Complex:
        projected = inner_product(self.coil_maps.maps, self.coil_images(kspace))
        image = np.zeros(projected.shape, dtype=kspace.dtype)
        for group in self.groups:
            folded = projected[group.rows, group.columns]
            image[group.rows, group.columns] = (group.inverse @ folded[..., None])[..., 0]
        return image


def _solve_groups(coil_maps: CoilMaps, lattice: Lattice) -> Sense:
    """Build the inverse of ``A = S^H F^H F S`` for each group of voxels, F the unitary DFT at the lattice's points."""
    maps = coil_maps.maps.astype(np.complex128)
    along_a, along_b = point_spread(lattice.a), point_spread(lattice.b)
    variance = np.zeros(lattice.shape)
    solved: dict[int, list[_Solved]] = {}
    n_unsolvable = 0
    for rows, columns in lattice.groups():
        inside = coil_maps.mask[rows, columns]
        rows, columns = rows[inside], columns[inside]
        if rows.size == 0:
            continue
        _refuse_too_many(rows.size, lattice)
        s = maps[:, rows, columns]
        normal = along_a[np.ix_(rows, rows)] * along_b[np.ix_(columns, columns)] * (s.conj().T @ s)
        inverse = _inverse(normal)
        if inverse is None:
            n_unsolvable += rows.size
            continue
        group = _Solved(rows=rows[None], columns=columns[None], inverse=inverse[None])
        solved.setdefault(rows.size, []).append(group)
        variance[rows, columns] = np.diagonal(inverse).real
    own = np.einsum("cyx,cyx->yx", maps.conj(), maps).real
    dtype = coil_maps.maps.real.dtype
    return Sense(
        unfolding=_General(
            groups=tuple(_joined(alike) for alike in solved.values()), coil_maps=coil_maps, lattice=lattice
        ),
        noise_sd=np.sqrt(variance).astype(dtype),
        g_factor=np.sqrt(variance * own / lattice.effective_acceleration).astype(dtype),
        n_unsolvable=n_unsolvable,
    )


def _joined(alike: list[_Solved]) -> _Solved:
    """Join groups of one size: one product of many small matrices is faster than many products."""
    return _Solved(
        rows=np.concatenate([group.rows for group in alike]),
        columns=np.concatenate([group.columns for group in alike]),
        inverse=alike[0].inverse if len(alike) == 1 else np.concatenate([group.inverse for group in alike]),
    )


def _refuse_too_many(n_unknowns: int, lattice: Lattice) -> None:
    if n_unknowns > MAX_UNKNOWNS:
        matrix = " x ".join(str(n) for n in lattice.shape)
        accelerations = " x ".join(str(comb.acceleration) for comb in (lattice.a, lattice.b))
        raise ReconstructionError(
            f"{n_unknowns} voxels fold onto each other, because an acceleration of {accelerations} does not divide the "
            f"matrix of {matrix}; {MAX_UNKNOWNS} can be solved together.",
            "Choose accelerations of which one divides its matrix, or a mask close around the object.",
            code="too_many_unknowns",
        )


def _inverse(normal: NDArray[np.complex128]) -> NDArray[np.complex128] | None:
    """Return the inverse of one column's system, None where a pivot has lost all but 1e-12 of itself."""
    try:
        lower = np.linalg.cholesky(normal)
    except np.linalg.LinAlgError:
        return None
    if np.any(np.diagonal(lower).real ** 2 <= CONDITION_LIMIT * np.diagonal(normal).real):
        return None
    inverse: NDArray[np.complex128] = scipy.linalg.cho_solve((lower, True), np.eye(len(normal), dtype=np.complex128))
    return inverse
