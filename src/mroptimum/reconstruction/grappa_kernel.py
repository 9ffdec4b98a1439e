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
from mroptimum.reconstruction.grappa_windows import KernelShape, Windows

SIZE = (5, 4)
"""Extent (x, y) where the task names none: 5 samples of each of 4 acquired lines."""
REGULARISATION = 1e-3
"""Tikhonov penalty relative to the mean power of the source samples, tr(A^H A) / n."""


@dataclass(frozen=True, kw_only=True)
class GrappaKernel:
    """Weights (column, target, coil, source coil, line), complex128, for whitened k-space.

    Target o (1 … R - 1) lies o lines after an acquired line; `shape` says where its sources are. SNR and g depend on
    the kernel, so what made it is kept: ``regularisation`` is relative to the mean power of a source sample,
    ``penalty`` the lambda that came of it, ``n_equations`` how many windows of the calibration lines had a say.
    """

    weights: NDArray[np.complex128]
    shape: KernelShape
    regularisation: float
    penalty: float
    n_equations: int

    @property
    def n_coils(self) -> int:
        """The number of coils."""
        return int(self.weights.shape[2])

    def at_columns(self, columns: slice, n_x: int, dtype: np.dtype[np.complexfloating]) -> Complex:
        """Return the kernel in image columns, (x, target, coil, source coil, line): transformed along the readout.

        A shift of k-space by d samples is the factor ``exp(-2 pi i d (x - c) / n_x)`` in the image.
        """
        distance = np.arange(n_x)[columns] - n_x // 2
        factors = np.exp(-2j * np.pi * np.outer(distance, self.shape.column_offsets) / n_x)
        return np.tensordot(factors.astype(dtype), self.weights.astype(dtype), axes=1)


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
    n_coils, _, n_x = acs.shape
    shape = KernelShape(size=size, acceleration=acceleration)
    _check_shape(shape, n_coils, n_x)
    if acceleration == 1:
        nothing = np.zeros((size[0], 0, n_coils, n_coils, size[1]), dtype=np.complex128)
        return GrappaKernel(weights=nothing, shape=shape, regularisation=regularisation, penalty=0.0, n_equations=0)
    windows = Windows.of(acs, acs_sampled, shape)
    _check_enough(windows, int(acs_sampled.sum()))
    gram, projection = windows.normal_equations()
    power = float(np.trace(gram).real) / len(gram)
    if not (np.isfinite(power) and power > 0):
        raise ReconstructionError(
            "The calibration lines hold no signal, or values that are not finite.",
            "Check the scan's calibration (ACS) lines.",
        )
    penalty = regularisation * power
    gram[np.diag_indices(len(gram))] += penalty
    return GrappaKernel(
        weights=_solved(gram, projection)
        .reshape(size[0], n_coils, size[1], n_coils, -1)
        .transpose(0, 4, 3, 1, 2)
        .copy(),
        shape=shape,
        regularisation=regularisation,
        penalty=penalty,
        n_equations=windows.n_windows,
    )


def _solved(gram: NDArray[np.complex128], projection: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Solve the normal equations, of which the lower triangle is given; uses up both."""
    try:
        factor = scipy.linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        raise ReconstructionError(
            f"The calibration lines do not determine {len(gram)} weights a sample: the coils see too much alike.",
            "Use a larger regularisation, or a smaller kernel.",
        ) from None
    solution: NDArray[np.complex128] = scipy.linalg.cho_solve(factor, projection, overwrite_b=True, check_finite=False)
    return solution


def _check_shape(shape: KernelShape, n_coils: int, n_x: int) -> None:
    n_columns, n_lines = shape.size
    if n_columns < 1 or n_lines < 2:
        raise ReconstructionError(
            f"A GRAPPA kernel of {n_columns} samples x {n_lines} lines does not reach both sides of a missing line.",
            "Choose a kernelSize [x, y] of at least 1 sample and 2 acquired lines, such as [5, 4].",
        )
    if n_columns > n_x:
        raise ReconstructionError(
            f"The GRAPPA kernel is {n_columns} samples wide, the calibration lines have {n_x}.",
            f"Choose a kernelSize [x, y] with x of at most {n_x}.",
        )
    if shape.acceleration > n_coils:
        raise ReconstructionError(
            f"{shape.acceleration} voxels fold onto each other, and {n_coils} coils cannot tell them apart.",
            "Choose an acceleration of at most the number of coils.",
        )


def _check_enough(windows: Windows, n_calibration_lines: int) -> None:
    """Raise `ReconstructionError` where there are fewer equations than weights."""
    n_coils, (n_columns, n_lines) = len(windows.acs), windows.shape.size
    n_weights = n_coils * n_columns * n_lines
    if windows.n_windows >= n_weights:
        return
    needed = int(windows.shape.source_lines[-1]) - (-n_weights // windows.n_per_line)
    raise ReconstructionError(
        f"{n_calibration_lines} calibration lines give {windows.n_windows} equations for the {n_weights} weights of a "
        f"{n_columns} x {n_lines} GRAPPA kernel with {n_coils} coils at acceleration {windows.shape.acceleration}.",
        f"Choose a smaller kernelSize, or give at least {needed} calibration lines side by side.",
    )
