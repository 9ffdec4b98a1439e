"""GRAPPA in k-space as Griswold 2002 describes it, slow and plain: nothing of the code under test stands behind it.

K-space is (coil, y, x). An acquired line is followed by R - 1 missing ones; a missing sample is predicted from
`size[1]` acquired lines around the gap and `size[0]` samples of each, of all coils.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True)
class Griswold:
    """Acceleration R and the size (x, y) of the kernel."""

    acceleration: int
    size: tuple[int, int]

    def taps(self) -> list[tuple[int, int]]:
        """Return where the sources lie, (line, sample), from the acquired line before the gap and the target's x."""
        n_x, n_y = self.size
        lines = [self.acceleration * (b - (n_y // 2 - 1)) for b in range(n_y)]
        return [(line, a - n_x // 2) for line, a in product(lines, range(n_x))]

    def fit(self, acs: Array, sampled: NDArray[np.bool_], regularisation: float) -> list[Array]:
        """Return the weights of each missing line of a gap, (coil, coil tap)."""
        n_coils, n_y, n_x = acs.shape
        taps, targets = self.taps(), range(1, self.acceleration)
        first, last = min(x for _, x in taps), max(x for _, x in taps)
        rows, wanted = [], []
        for y in range(n_y):
            needed = [y + line for line, _ in taps] + [y + target for target in targets]
            if not all(0 <= line < n_y and sampled[line] for line in needed):
                continue
            for x in range(-first, n_x - last):
                rows.append([acs[c, y + line, x + column] for c in range(n_coils) for line, column in taps])
                wanted.append([acs[c, y + target, x] for target in targets for c in range(n_coils)])
        a, b = np.array(rows), np.array(wanted)
        n = a.shape[1]
        penalty = regularisation * np.linalg.norm(a) ** 2 / n
        damped = np.concatenate([a, np.sqrt(penalty) * np.eye(n)])
        solution = np.linalg.lstsq(damped, np.concatenate([b, np.zeros((n, b.shape[1]))]))[0].T
        return list(solution.reshape(len(targets), n_coils, n))

    def fill(self, kspace: Array, first: int, weights: list[Array]) -> Array:
        """Return k-space (…, coil, y, x) with its missing lines, of the comb that begins at line `first`.

        Periodic in x, and in y where R divides the number of lines; beyond the ends there is nothing otherwise.
        """
        n_y = kspace.shape[-2]
        periodic = n_y % self.acceleration == 0
        lines = range(first, n_y, self.acceleration)
        filled = np.zeros_like(kspace)
        for y in range(n_y):
            gap = (y - first) % self.acceleration
            if gap == 0:
                filled[..., y, :] = kspace[..., y, :]
                continue
            sources = []
            for line, column in self.taps():
                source = y - gap + line
                source = source % n_y if periodic else source
                values = kspace[..., source, :] if source in lines else np.zeros_like(kspace[..., 0, :])
                sources.append(np.roll(values, -column, axis=-1))
            stacked = np.stack(sources, axis=-2)
            flat = stacked.reshape(*stacked.shape[:-3], -1, stacked.shape[-1])
            filled[..., y, :] = weights[gap - 1] @ flat
        return filled


def to_image(kspace: Array) -> Array:
    """Return the image of k-space (…, y, x) by the definition of the DFT, unitary, centre at n // 2."""
    n_y, n_x = kspace.shape[-2:]
    image: Array = _dft(n_y) @ kspace @ _dft(n_x).T
    return image


def _dft(n: int) -> Array:
    position = np.arange(n) - n // 2
    matrix: Array = np.exp(2j * np.pi * np.outer(position, position) / n) / np.sqrt(n)
    return matrix
