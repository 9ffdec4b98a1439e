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

SIZES = ((5, 4), (5, 2))
"""Extents (x, y) where the task names none: samples of each line, and acquired lines; the first that can be learnt."""
REGULARISATION = 1e-3
"""Tikhonov penalty relative to the mean power of the source samples, tr(A^H A) / n."""
MIN_SUPPORT = 0.5
"""What each source line must have met of the calibration lines' energy.

Measured on a 16-coil scan, R = 2 to 4: with 0.3 and less the filled image is off by 4 to 6 standard deviations of its
noise; with 0.6 by 1.2 to 1.9, from 0.9 on by what its noise explains.
"""


@dataclass(frozen=True, kw_only=True)
class GrappaKernel:
    """Weights (column, target, coil, source coil, line), complex128, for whitened k-space.

    Target o (1 … R - 1) lies o lines after an acquired line; `shape` says where its sources are. SNR and g depend on
    the kernel, so what made it is kept: ``regularisation`` is relative to the mean power of a source sample,
    ``penalty`` the lambda that came of it, ``n_equations`` how many windows of the calibration lines had a say, and
    ``support`` the part of those lines' energy that every source line met.
    """

    weights: NDArray[np.complex128]
    shape: KernelShape
    regularisation: float
    penalty: float
    n_equations: int
    support: float

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
    size: tuple[int, int] | None = None,
    regularisation: float = REGULARISATION,
) -> GrappaKernel:
    """Return the kernel that fits best, over all windows of the calibration lines, to what was measured there.

    `acs` is whitened k-space (coil, y, x), on a grid of its own if need be; `acs_sampled` (y,) says which lines count.
    ``w = (A^H A + lambda)^-1 A^H b`` in double precision; lambda, `regularisation` times tr(A^H A) / n, limits what the
    calibration lines' own noise does. `size` (x, y) None: the largest of `SIZES` that the lines can teach. Without
    acceleration nothing is missing and no line is needed.

    Raises `ReconstructionError` for a kernel that cannot be, or that is too large for the calibration lines, and for
    lines without signal.
    """
    shapes = [KernelShape(size=some, acceleration=acceleration) for some in ([size] if size else SIZES)]
    for shape in shapes:
        _check_shape(shape, len(acs), acs.shape[-1])
    if acceleration == 1:
        return _nothing_to_fill(shapes[0], len(acs), regularisation)
    return _fitted(_teachable(acs, acs_sampled, shapes), regularisation)


def _teachable(acs: Complex, acs_sampled: NDArray[np.bool_], shapes: list[KernelShape]) -> Windows:
    """Return the windows of the first shape that the calibration lines can teach."""
    windows = Windows.of(acs, acs_sampled, shapes[0])
    refusal = _refusal(windows)
    if refusal is None:
        return windows
    if len(shapes) == 1:
        raise refusal
    return _teachable(acs, acs_sampled, shapes[1:])


def _nothing_to_fill(shape: KernelShape, n_coils: int, regularisation: float) -> GrappaKernel:
    return GrappaKernel(
        weights=np.zeros((shape.size[0], 0, n_coils, n_coils, shape.size[1]), dtype=np.complex128),
        shape=shape,
        regularisation=regularisation,
        penalty=0.0,
        n_equations=0,
        support=1.0,
    )


def _fitted(windows: Windows, regularisation: float) -> GrappaKernel:
    n_coils, (n_columns, n_lines) = len(windows.acs), windows.shape.size
    gram, projection = windows.normal_equations()
    penalty = regularisation * float(np.trace(gram).real) / len(gram)
    gram[np.diag_indices(len(gram))] += penalty
    weights = _solved(gram, projection).reshape(n_columns, n_coils, n_lines, n_coils, -1)
    return GrappaKernel(
        weights=np.ascontiguousarray(weights.transpose(0, 4, 3, 1, 2)),
        shape=windows.shape,
        regularisation=regularisation,
        penalty=penalty,
        n_equations=windows.n_windows,
        support=windows.support,
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


def _refusal(windows: Windows) -> ReconstructionError | None:
    """Return why the calibration lines cannot teach this kernel, or None: they can."""
    shape, n_coils = windows.shape, len(windows.acs)
    n_columns, n_lines = shape.size
    kernel = f"{n_columns} x {n_lines} GRAPPA kernel with {n_coils} coils at acceleration {shape.acceleration}"
    n_weights = n_columns * n_lines * n_coils
    reach = int(shape.source_lines[-1])
    needed = max(reach - (-n_weights // windows.n_per_line), 2 * reach + 1)
    next_step = f"Choose a smaller kernelSize, or give at least {needed} calibration lines side by side at the centre."
    if windows.n_windows < n_weights:
        return ReconstructionError(
            f"{len(windows.lines)} calibration lines give {windows.n_windows} equations for the {n_weights} weights of "
            f"a {kernel}.",
            next_step,
        )
    if windows.support == 0.0 or not np.isfinite(windows.support):
        return ReconstructionError(
            "The calibration lines hold no signal, or values that are not finite.",
            "Check the scan's calibration (ACS) lines.",
        )
    if windows.support < MIN_SUPPORT:
        return ReconstructionError(
            f"{len(windows.lines)} calibration lines are too few for a {kernel}: it spans {reach + 1} lines, and its "
            f"outer ones never met {100 * (1 - windows.support):.0f} % of the signal, the centre of k-space.",
            next_step,
        )
    return None
