"""The GRAPPA kernel: the weights that predict a missing sample from acquired neighbours, found on calibration lines.

Griswold 2002, 10.1002/mrm.10171. One kernel of one slice serves the image, its noise and g-factor, and all replicas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from mroptimum.convention import Complex
from mroptimum.errors import ReconstructionError
from mroptimum.threads import over_blocks

SIZE = (5, 4)
"""Extent (x, y) where the task names none: 5 samples of each of 4 acquired lines."""
REGULARISATION = 1e-3
"""Tikhonov penalty relative to the mean power of the source samples, tr(A^H A) / n."""
_PARTS = 4
"""How the windows are divided among threads: a constant, so that sums do not depend on the number of threads."""
_LINES_AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class GrappaKernel:
    """Weights (column, target, coil, line, source coil), complex128, for whitened k-space.

    Target o (1 … R - 1) lies o lines after an acquired line. ``size`` is (x, y): columns of a readout, centred on the
    target's (of an even number the extra one comes before), and acquired lines, R apart, around the gap (of an odd
    number the extra one comes after). SNR and g depend on the kernel, so what made it is kept: ``regularisation`` is
    relative to the mean power of a source sample, ``penalty`` the lambda that came of it, ``n_equations`` how many
    windows of the calibration lines had a say.
    """

    weights: NDArray[np.complex128]
    size: tuple[int, int]
    regularisation: float
    penalty: float
    n_equations: int

    @property
    def acceleration(self) -> int:
        """R, the distance of acquired lines."""
        return int(self.weights.shape[1]) + 1

    @property
    def n_coils(self) -> int:
        """The number of coils."""
        return int(self.weights.shape[-1])

    @property
    def n_lines_before(self) -> int:
        """How many source lines lie before the one that the gap follows."""
        return _n_lines_before(self.size)

    @property
    def line_offsets(self) -> NDArray[np.intp]:
        """Distance in lines from target to source, (target, line)."""
        return _line_offsets(self.size, self.acceleration)

    @property
    def column_offsets(self) -> NDArray[np.intp]:
        """Distance in samples from target to source along the readout, (column,)."""
        return np.arange(self.size[0]) - self.size[0] // 2

    def at_columns(self, columns: slice, n_x: int, dtype: np.dtype[np.complexfloating]) -> Complex:
        """Return the kernel in image columns, (x, target, coil, line, source coil): transformed along the readout.

        A shift of k-space by d samples is the factor ``exp(-2 pi i d (x - c) / n_x)`` in the image.
        """
        distance = np.arange(n_x)[columns] - n_x // 2
        factors = np.exp(-2j * np.pi * np.outer(distance, self.column_offsets) / n_x).astype(dtype)
        return np.tensordot(factors, self.weights.astype(dtype), axes=1)


def calibrate(
    acs: Complex,
    acs_sampled: NDArray[np.bool_],
    acceleration: int,
    *,
    size: tuple[int, int] = SIZE,
    regularisation: float = REGULARISATION,
) -> GrappaKernel:
    """Return the kernel that fits best, over all windows of the calibration lines, to what was measured there.

    `acs` is whitened k-space (coil, y, x), on a grid of its own if need be; `acs_sampled` (y,) says which lines it
    holds. ``w = (A^H A + lambda)^-1 A^H b`` in double precision; lambda, `regularisation` times tr(A^H A) / n, limits
    what the calibration lines' own noise does. Without acceleration nothing is missing and no line is needed.

    Raises `ReconstructionError` for a kernel that cannot be, for fewer equations than weights, and for lines without
    signal.
    """
    _check_size(size, acceleration, acs)
    n_coils = len(acs)
    if acceleration == 1:
        empty = np.zeros((size[0], 0, n_coils, size[1], n_coils), dtype=np.complex128)
        return GrappaKernel(weights=empty, size=size, regularisation=regularisation, penalty=0.0, n_equations=0)
    fit = _Fit(acs=acs, bases=_bases(acs_sampled, size, acceleration), size=size, acceleration=acceleration)
    fit.check_enough(acs_sampled)
    gram, projection = fit.normal_equations()
    n = len(gram)
    power = float(np.trace(gram).real) / n
    if not (np.isfinite(power) and power > 0):
        raise ReconstructionError(
            "The calibration lines hold no signal, or values that are not finite.",
            "Check the scan's calibration (ACS) lines.",
        )
    penalty = regularisation * power
    gram[np.diag_indices(n)] += penalty
    try:
        factor = scipy.linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        raise ReconstructionError(
            f"The calibration lines do not determine the {n} weights of each sample: the coils see too much alike.",
            "Use a larger regularisation, or a smaller kernel.",
        ) from None
    solution = scipy.linalg.cho_solve(factor, projection, overwrite_b=True, check_finite=False)
    weights = solution.reshape(size[0], size[1], n_coils, acceleration - 1, n_coils).transpose(0, 3, 4, 1, 2)
    return GrappaKernel(
        weights=np.ascontiguousarray(weights),
        size=size,
        regularisation=regularisation,
        penalty=penalty,
        n_equations=fit.n_equations,
    )


def _n_lines_before(size: tuple[int, int]) -> int:
    return size[1] // 2 - 1


def _line_offsets(size: tuple[int, int], acceleration: int) -> NDArray[np.intp]:
    lines = acceleration * (np.arange(size[1]) - _n_lines_before(size))
    return lines - np.arange(1, acceleration)[:, None]


def _check_size(size: tuple[int, int], acceleration: int, acs: Complex) -> None:
    n_coils, _, n_x = acs.shape
    if size[0] < 1 or size[1] < 2:
        raise ReconstructionError(
            f"A GRAPPA kernel of {size[0]} samples x {size[1]} lines does not reach both sides of a missing line.",
            "Choose a kernelSize [x, y] of at least 1 sample and 2 acquired lines, such as [5, 4].",
        )
    if size[0] > n_x:
        raise ReconstructionError(
            f"The GRAPPA kernel is {size[0]} samples wide, the calibration lines have {n_x}.",
            f"Choose a kernelSize [x, y] with x of at most {n_x}.",
        )
    if acceleration > n_coils:
        raise ReconstructionError(
            f"{acceleration} voxels fold onto each other, and {n_coils} coils cannot tell them apart.",
            "Choose an acceleration of at most the number of coils.",
        )


def _bases(sampled: NDArray[np.bool_], size: tuple[int, int], acceleration: int) -> NDArray[np.intp]:
    """Return the first lines of all windows whose sources and targets were sampled."""
    sources = acceleration * np.arange(size[1])
    targets = acceleration * _n_lines_before(size) + np.arange(1, acceleration)
    bases = np.arange(max(0, len(sampled) - int(sources[-1])))
    complete: NDArray[np.bool_] = sampled[bases[:, None] + np.concatenate([sources, targets])].all(axis=1)
    return bases[complete]


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """The least-squares problem: windows of ``size`` (x, y) that start at the lines `bases` of `acs` (coil, y, x).

    The windows of a line overlap, so ``A^H A`` is nearly Toeplitz along the readout: moving both samples of a product
    by one drops the first window and takes in one more. One product for each shift gives all of it, without A.
    """

    acs: Complex
    bases: NDArray[np.intp]
    size: tuple[int, int]
    acceleration: int

    @property
    def n_windows_x(self) -> int:
        return int(self.acs.shape[-1]) - self.size[0] + 1

    @property
    def n_equations(self) -> int:
        return len(self.bases) * self.n_windows_x

    @property
    def n_sources(self) -> int:
        """Source samples in one column of a window."""
        return self.size[1] * len(self.acs)

    def check_enough(self, sampled: NDArray[np.bool_]) -> None:
        """Raise `ReconstructionError` where there are fewer equations than weights."""
        n_weights = self.size[0] * self.n_sources
        if self.n_equations >= n_weights:
            return
        needed = self.acceleration * (self.size[1] - 1) + -(-n_weights // self.n_windows_x)
        raise ReconstructionError(
            f"{int(sampled.sum())} calibration lines give {self.n_equations} equations for the {n_weights} weights of "
            f"a {self.size[0]} x {self.size[1]} GRAPPA kernel with {len(self.acs)} coils at acceleration "
            f"{self.acceleration}.",
            f"Choose a smaller kernelSize, or give at least {needed} calibration lines side by side.",
        )

    def normal_equations(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Return ``A^H A``, lower triangle of (column line coil)^2, and ``A^H b``, (column line coil, target coil)."""
        n_columns, n = self.size[0], self.n_sources
        parts = [np.zeros((n_columns, n + self.n_targets, n), dtype=np.complex128) for _ in range(_PARTS)]
        chunks = np.array_split(self.bases, _PARTS)

        def add(part: slice) -> None:
            for chunk, total in zip(chunks[part], parts[part], strict=True):
                for start in range(0, len(chunk), _LINES_AT_ONCE):
                    self._add_products(chunk[start : start + _LINES_AT_ONCE], total)

        over_blocks(add, _PARTS, 1)
        products = sum(parts[1:], start=parts[0])
        gram = np.zeros((n_columns, n, n_columns, n), dtype=np.complex128)
        for shift in range(n_columns):
            block = products[shift, :n]
            for column in range(n_columns - shift):
                if column > 0:
                    block = block + self._moved(column - 1, shift)
                gram[column + shift, :, column] = block.conj().T
        projection = products[:, n:].conj().transpose(0, 2, 1)
        return gram.reshape(n_columns * n, -1), projection.reshape(n_columns * n, -1)

    @property
    def n_targets(self) -> int:
        return (self.acceleration - 1) * len(self.acs)

    def _add_products(self, bases: NDArray[np.intp], total: NDArray[np.complex128]) -> None:
        """Add ``sum conj(first column's sources, targets) (sources at each column)`` over windows at some lines.

        Lines lie end to end, so a shift is a view; what would reach into the next line is multiplied by 0.
        """
        n_columns, n = self.size[0], self.n_sources
        sources = self._lines(bases, self.acceleration * np.arange(self.size[1])).reshape(n, -1)
        after_gap = self.acceleration * _n_lines_before(self.size)
        targets = self._lines(bases, after_gap + np.arange(1, self.acceleration)).reshape(self.n_targets, -1)
        n_shifted = sources.shape[1] - n_columns + 1
        left = np.concatenate([sources[:, :n_shifted], targets[:, n_columns // 2 :][:, :n_shifted]])
        np.conjugate(left, out=left)
        column = np.arange(n_shifted) % self.acs.shape[-1]
        left *= column < self.n_windows_x
        for shift in range(n_columns):
            total[shift] += left @ sources[:, shift : shift + n_shifted].T

    def _lines(self, bases: NDArray[np.intp], offsets: NDArray[np.intp]) -> NDArray[np.complex128]:
        """Return the samples at `offsets` from each base, (offset, coil, base, x)."""
        lines = np.empty((len(offsets), len(self.acs), len(bases), self.acs.shape[-1]), dtype=np.complex128)
        for of_offset, offset in zip(lines, offsets, strict=True):
            of_offset[...] = self.acs[:, bases + offset]
        return lines

    def _moved(self, column: int, shift: int) -> NDArray[np.complex128]:
        """Return what the sum for columns (column, column + shift) gains when both move on by one."""
        gained = self._product(column + self.n_windows_x, shift)
        return gained - self._product(column, shift)

    def _product(self, column: int, shift: int) -> NDArray[np.complex128]:
        lines = self.bases + self.acceleration * np.arange(self.size[1])[:, None]
        first, second = (
            self.acs[:, lines, x].transpose(1, 0, 2).reshape(self.n_sources, -1).astype(np.complex128)
            for x in (column, column + shift)
        )
        return first.conj() @ second.T
