"""What a GRAPPA kernel learns from: all windows of the calibration lines, as the normal equations of their prediction.

The matrix A of all windows is never built: 250 calibration lines of 32 coils would fill 0.6 GB. The windows of a line
overlap, so ``A^H A`` is nearly Toeplitz along the readout: moving both samples of a product by one drops the first
window and takes in one more. What is left to sum, for each distance between two samples, is a correlation along x, a
product of spectra.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mroptimum.convention import Complex
from mroptimum.threads import n_free, over_blocks

Double = NDArray[np.complex128]

_PARTS = 4
"""How the spectrum is divided among threads: a constant, so that sums do not depend on the number of threads."""
_FREQUENCIES_AT_ONCE = 8
_BASES_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class KernelShape:
    """Which samples predict a missing one: `size` (x, y), x samples of each of y acquired lines, `acceleration` apart.

    Lines lie around the gap (of an odd number, the extra one after it), samples around that of the target (of an even
    number, the extra one before it).
    """

    size: tuple[int, int]
    acceleration: int

    @property
    def n_lines_before(self) -> int:
        """How many source lines lie before the one that the gap follows."""
        return self.size[1] // 2 - 1

    @property
    def source_lines(self) -> NDArray[np.intp]:
        """Lines of the sources, counted from the first, (line,)."""
        return self.acceleration * np.arange(self.size[1])

    @property
    def target_lines(self) -> NDArray[np.intp]:
        """Lines of the targets, counted from the first source, (target,)."""
        return self.acceleration * self.n_lines_before + np.arange(1, self.acceleration)

    @property
    def line_offsets(self) -> NDArray[np.intp]:
        """Distance in lines from target to source, (target, line)."""
        return self.source_lines - self.target_lines[:, None]

    @property
    def column_offsets(self) -> NDArray[np.intp]:
        """Distance in samples from target to source along the readout, (column,)."""
        return np.arange(self.size[0]) - self.size[0] // 2


@dataclass(frozen=True, kw_only=True)
class Windows:
    """All windows of a `shape` in calibration lines `acs` (coil, y, x), of which `lines` were sampled.

    They begin at the lines `bases`. ``support`` is the part of the calibration lines' energy that the source line with
    the least of it meets: nearly all energy is in few lines around the centre of k-space, and a source line that never
    met them is given its weights by what is faint, and gets the centre wrong. 0 without any energy, nan for values that
    are not finite.
    """

    acs: Complex
    lines: NDArray[np.intp]
    shape: KernelShape
    bases: NDArray[np.intp]
    support: float

    @classmethod
    def of(cls, acs: Complex, sampled: NDArray[np.bool_], shape: KernelShape) -> Windows:
        """Find the windows whose sources and targets are all on lines `sampled`, (y,)."""
        bases = np.arange(max(0, len(sampled) - int(shape.source_lines[-1])))
        needed = np.concatenate([shape.source_lines, shape.target_lines])
        complete: NDArray[np.bool_] = sampled[bases[:, None] + needed].all(axis=1)
        bases = bases[complete]
        energy = np.zeros(len(sampled))
        energy[sampled] = _energy(acs[:, sampled])
        met, total = energy[bases + shape.source_lines[:, None]].sum(axis=1), float(energy.sum())
        return cls(
            acs=acs,
            lines=np.flatnonzero(sampled),
            shape=shape,
            bases=bases,
            support=float(met.min()) / total if total else 0.0,
        )

    @property
    def n_per_line(self) -> int:
        """How many windows fit beside each other."""
        return int(self.acs.shape[-1]) - self.shape.size[0] + 1

    @property
    def n_windows(self) -> int:
        """How many equations there are for each target."""
        return len(self.bases) * self.n_per_line

    def normal_equations(self) -> tuple[Double, Double]:
        """Return ``A^H A``, its lower triangle, (column coil line)^2, and ``A^H b``, (column coil line, coil target).

        A row of A holds a window's sources, of b its targets.
        """
        n_columns, n_coils = self.shape.size[0], len(self.acs)
        n = n_coils * self.shape.size[1]
        correlations = self._correlations()
        gram = np.zeros((n_columns, n, n_columns, n), dtype=np.complex128)

        def fill(distances: slice) -> None:
            for distance in range(n_columns)[distances]:
                block = correlations[distance, :n]
                for column in range(n_columns - distance):
                    if column > 0:
                        block = block + self._product(column - 1 + self.n_per_line, distance)
                        block -= self._product(column - 1, distance)
                    gram[column + distance, :, column] = block.conj().T

        over_blocks(fill, n_columns, 1)
        projection = correlations[:, n:].conj().transpose(0, 2, 1)
        return gram.reshape(n_columns * n, -1), projection.reshape(n_columns * n, -1)

    def _product(self, column: int, distance: int) -> Double:
        """Return ``sum conj(s(x)) s(x + distance)`` over lines, s(x) the sources (coil line) at one sample."""
        lines = self.bases + self.shape.source_lines[:, None]
        first, second = (
            self.acs[:, lines, x].reshape(-1, len(self.bases)).astype(np.complex128)
            for x in (column, column + distance)
        )
        return first.conj() @ second.T

    def _correlations(self) -> Double:
        """Return ``sum conj(l) s_a``, (a, l, s): l the sources of column 0, then the targets; s_a those of column a."""
        n_coils, (n_columns, n_lines) = len(self.acs), self.shape.size
        n_left = n_coils * (n_lines + self.shape.acceleration - 1)
        parts = np.zeros((_PARTS, n_columns, n_left, n_coils * n_lines), dtype=np.complex128)
        for start in range(0, len(self.bases), _BASES_AT_ONCE):
            spectra = self._spectra(self.bases[start : start + _BASES_AT_ONCE])
            over_blocks(partial(_add_correlations, spectra, parts), _PARTS, 1)
        total: Double = parts.sum(axis=0)
        return total

    def _spectra(self, bases: NDArray[np.intp]) -> _Spectra:
        shape, n_x = self.shape, int(self.acs.shape[-1])
        lines = self.acs[:, bases[0] : bases[-1] + shape.source_lines[-1] + 1].astype(np.complex128)
        centre = shape.size[0] // 2
        from_first = bases - bases[0]
        return _Spectra(
            whole=_spectrum(lines, n_x),
            first_column=_spectrum(lines[..., : self.n_per_line], n_x).conj(),
            target_column=_spectrum(lines[..., centre : centre + self.n_per_line], n_x).conj(),
            sources=shape.source_lines[:, None] + from_first,
            targets=shape.target_lines[:, None] + from_first,
        )


def _energy(acs: Complex) -> NDArray[np.float64]:
    """Return the energy of each line of k-space (coil, y, x)."""
    squares = np.zeros(acs.shape[1])
    for of_coil in acs:
        squares += np.sum(of_coil.real**2 + of_coil.imag**2, axis=1, dtype=np.float64)
    return squares


@dataclass(frozen=True, kw_only=True)
class _Spectra:
    """Some calibration lines transformed along x, (x, coil, line): whole, and as windows see them.

    ``first_column`` and ``target_column`` (conjugate) hold only what is in the windows' first column, or in that of the
    target: since they are cut, correlations do not run round the ends. ``sources``, ``targets``: which lines, (line of
    the window, window).
    """

    whole: Double
    first_column: Double
    target_column: Double
    sources: NDArray[np.intp]
    targets: NDArray[np.intp]


def _spectrum(lines: Double, n: int) -> Double:
    """Return the unitary DFT along x of (coil, line, x), filled up with zeros to length `n`, as (x, coil, line)."""
    spectrum = scipy.fft.fft(lines, n, axis=-1, norm="ortho", workers=n_free())
    return np.ascontiguousarray(spectrum.transpose(2, 0, 1))


def _add_correlations(spectra: _Spectra, parts: Double, which: slice) -> None:
    """Add to some parts of `Windows._correlations`, (part, a, l, s), what the same parts of the spectrum give."""
    n_x, n_columns = len(spectra.whole), parts.shape[1]
    frequencies = np.array_split(np.arange(n_x), _PARTS)
    for total, within in zip(parts[which], frequencies[which], strict=True):
        for some in np.split(within, range(_FREQUENCIES_AT_ONCE, len(within), _FREQUENCIES_AT_ONCE)):
            left = np.concatenate(
                [
                    _gathered(spectra.first_column, some, spectra.sources),
                    _gathered(spectra.target_column, some, spectra.targets),
                ],
                axis=1,
            )
            products = left @ _gathered(spectra.whole, some, spectra.sources).transpose(0, 2, 1)
            factors = np.exp(2j * np.pi * np.outer(np.arange(n_columns), some) / n_x)
            total += np.tensordot(factors, products, axes=1)


def _gathered(spectrum: Double, frequencies: NDArray[np.intp], lines: NDArray[np.intp]) -> Double:
    """Return (x, coil line, window) of a spectrum (x, coil, line) at some frequencies, lines (line, window)."""
    gathered = spectrum[frequencies[0] : frequencies[-1] + 1][:, :, lines]
    return gathered.reshape(len(frequencies), -1, lines.shape[1])
