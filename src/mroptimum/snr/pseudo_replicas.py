"""Pseudo multiple replicas: noise of the measured covariance, drawn many times (Robson 2008, 10.1002/mrm.21728).

The signal is the image of the original data; the spread that of replicas of it. Where the reconstruction is linear only
noise has to be passed. Noise is drawn in k-space, or, since unitary transforms of white noise are white, in the coil
images, where every voxel group can be drawn and combined by itself: the same law at half the work. Which was done is
recorded.

Seeds: every slice has a stream of its own, split by batch of replicas and by block of columns, both of constant size;
so the numbers do not depend on how many threads or slices work at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum import fourier
from mroptimum.convention import Complex, Real
from mroptimum.reconstruction import Combination, Reconstruction
from mroptimum.snr import SnrMap
from mroptimum.snr.replicas import Spread, degrees_of_freedom, from_spread
from mroptimum.snr.white_noise import white_noise
from mroptimum.task import NoiseDomain
from mroptimum.threads import in_parallel, over_blocks

REPLICAS_PER_BATCH = 50
COLUMNS_PER_BLOCK = 2


def pseudo_replica_snr(
    reconstruction: Reconstruction,
    kspace: Complex,
    n_replicas: int,
    seed: np.random.SeedSequence,
    *,
    domain: NoiseDomain = NoiseDomain.IMAGE,
    column_sd: Real | float = 1.0,
    kspace_noise_sd: float = 1.0,
    report: Callable[[int], None] = lambda _: None,
) -> tuple[SnrMap, NoiseDomain]:
    """Return the SNR of whitened k-space (coil, y, x) from `n_replicas` replicas, and where their noise was drawn.

    `column_sd` is the noise sd of each image column relative to the whitened, (x,); `kspace_noise_sd` that of a sampled
    line (more than 1 where some are zero-filled). `report` is called after each batch with the number of replicas done,
    and may raise to stop. Raises `TaskError` for too few replicas.
    """
    degrees_of_freedom(n_replicas, reconstruction.is_linear)
    combination = reconstruction.combination
    sd = np.broadcast_to(np.asarray(column_sd, dtype=np.float32), kspace.shape[-1:])
    if domain is NoiseDomain.IMAGE and combination is not None:
        image, spread = _in_images(reconstruction, combination, kspace, n_replicas, seed, sd, report)
    else:
        domain = NoiseDomain.KSPACE
        image, spread = _in_kspace(reconstruction, kspace, n_replicas, seed, sd * np.float32(kspace_noise_sd), report)
    return from_spread(image, spread, is_linear=reconstruction.is_linear), domain


def batches(n_replicas: int) -> list[int]:
    """Return how many replicas each batch has; the size of a batch is a constant of the algorithm."""
    full, rest = divmod(n_replicas, REPLICAS_PER_BATCH)
    return [REPLICAS_PER_BATCH] * full + ([rest] if rest else [])


def _in_images(
    reconstruction: Reconstruction,
    combination: Combination,
    kspace: Complex,
    n_replicas: int,
    seed: np.random.SeedSequence,
    column_sd: NDArray[np.float32],
    report: Callable[[int], None],
) -> tuple[Complex | Real, Spread]:
    image = reconstruction.image(kspace)
    signal = np.ascontiguousarray(reconstruction.coil_images(kspace).transpose(2, 1, 0)).astype(np.complex64)
    n_x, n_y, _ = signal.shape
    spread = Spread(reference=np.zeros_like(image))
    sizes = batches(n_replicas)
    n_blocks = -(-n_x // COLUMNS_PER_BLOCK)
    streams = seed.spawn(len(sizes) * n_blocks)
    for batch, size in enumerate(sizes):
        drawing = _Drawing(
            combination=combination,
            is_linear=reconstruction.is_linear,
            signal=signal,
            column_sd=column_sd,
            n_replicas=size,
            streams=streams[batch * n_blocks : (batch + 1) * n_blocks],
            total=np.empty((combination.n_folds, n_y, n_x), dtype=np.complex64),
            square=np.empty((combination.n_folds, n_y, n_x), dtype=np.float32),
        )
        over_blocks(drawing.draw, n_x, COLUMNS_PER_BLOCK)
        spread.add_sums(combination.spread(drawing.total), combination.spread(drawing.square), size)
        report(spread.n)
    return image, spread


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """One batch of replicas: what every block of columns needs, and the sums (fold, y', x) it fills."""

    combination: Combination
    is_linear: bool
    signal: NDArray[np.complex64]
    column_sd: NDArray[np.float32]
    n_replicas: int
    streams: Sequence[np.random.SeedSequence]
    total: NDArray[np.complex64]
    square: NDArray[np.float32]

    def draw(self, columns: slice) -> None:
        signal = self.signal[columns]
        noise = white_noise(self.streams[columns.start // COLUMNS_PER_BLOCK], (*signal.shape, self.n_replicas))
        noise *= self.column_sd[columns, None, None, None]
        matrices = self.combination.matrices(columns)
        if matrices is not None:
            matrices = matrices.astype(np.complex64, copy=False)
        self.total[..., columns], self.square[..., columns] = (
            _linear_sums(noise if matrices is None else matrices @ noise)
            if self.is_linear
            else _magnitude_sums(signal, noise, matrices, self.combination.n_folds)
        )


def _linear_sums(values: Complex) -> tuple[Complex, Real]:
    """Return the sum over replicas of the combined noise (x, y', fold, replica), and of its power: (fold, y', x)."""
    power = np.einsum("xyfn,xyfn->fyx", values.real, values.real)
    power += np.einsum("xyfn,xyfn->fyx", values.imag, values.imag)
    return values.sum(axis=-1).transpose(2, 1, 0), power


def _magnitude_sums(signal: Complex, noise: Complex, matrices: Complex | None, n_folds: int) -> tuple[Real, Real]:
    """Return the sums over replicas of the magnitude's residual and of its square, (fold, y', x); uses up `noise`."""
    noise += signal[..., None]
    reference = signal[..., None]
    if matrices is not None:
        noise, reference = matrices @ noise, matrices @ reference
    residual = _root_sum_of_squares(noise, n_folds)
    residual -= _root_sum_of_squares(reference, n_folds)
    return residual.sum(axis=-1).transpose(2, 1, 0), np.einsum("xyfn,xyfn->fyx", residual, residual)


def _root_sum_of_squares(values: Complex, n_folds: int) -> Real:
    """Return (x, y', fold, replica) of outputs (x, y', output, replica)."""
    x, y, outputs, n = values.shape
    parts = values.view(np.float32).reshape(x, y, n_folds, outputs // n_folds, 2 * n)
    power = np.einsum("xyfcn,xyfcn->xyfn", parts, parts)
    both: Real = power[..., 0::2] + power[..., 1::2]
    np.sqrt(both, out=both)
    return both


def _in_kspace(
    reconstruction: Reconstruction,
    kspace: Complex,
    n_replicas: int,
    seed: np.random.SeedSequence,
    column_sd: NDArray[np.float32],
    report: Callable[[int], None],
) -> tuple[Complex | Real, Spread]:
    image = reconstruction.image(kspace)
    is_linear = reconstruction.is_linear
    sampled = np.any(kspace != 0, axis=(0, 2))
    replicas = _KspaceReplicas(
        reconstruction=reconstruction,
        sampled=sampled,
        shape=(kspace.shape[0], int(sampled.sum()), kspace.shape[2]),
        signal=None if is_linear else kspace[:, sampled].astype(np.complex64),
        column_sd=column_sd,
        reference=np.zeros_like(image) if is_linear else image,
    )
    spread = Spread(reference=replicas.reference)
    for size in batches(n_replicas):
        streams = seed.spawn(size)
        groups = [streams[start : start + _AT_ONCE] for start in range(0, size, _AT_ONCE)]
        for some in in_parallel(replicas.spread, groups):
            spread.add_sums(some.total, some.square, some.n)
        report(spread.n)
    return image, spread


_AT_ONCE = 5
"""Replicas that are summed up before their sums are: a constant, so that sums do not depend on the threads."""


@dataclass(frozen=True, kw_only=True)
class _KspaceReplicas:
    """What makes a replica: noise of `shape` (coil, line, x) at the sampled lines, over the signal unless linear."""

    reconstruction: Reconstruction
    sampled: NDArray[np.bool_]
    shape: tuple[int, int, int]
    signal: NDArray[np.complex64] | None
    column_sd: NDArray[np.float32]
    reference: Complex | Real

    def spread(self, streams: Sequence[np.random.SeedSequence]) -> Spread:
        """Return the spread of one replica for each stream."""
        spread = Spread(reference=self.reference)
        for stream in streams:
            spread.add(self.reconstruction.image(self._kspace(stream)))
        return spread

    def _kspace(self, stream: np.random.SeedSequence) -> Complex:
        lines = _coloured(white_noise(stream, self.shape), self.column_sd)
        if self.signal is not None:
            lines += self.signal
        if self.sampled.all():
            return lines
        n_coils, _, n_x = self.shape
        kspace = np.zeros((n_coils, len(self.sampled), n_x), dtype=lines.dtype)
        kspace[:, self.sampled] = lines
        return kspace


def _coloured(noise: NDArray[np.complex64], column_sd: NDArray[np.float32]) -> Complex:
    """Return lines (coil, line, x) of k-space noise whose image has `column_sd` in each column; may use up `noise`."""
    if np.ptp(column_sd) == 0:
        if column_sd[0] != 1:
            noise *= column_sd[0]
        return noise
    return fourier.to_kspace(fourier.to_image(noise, axes=(-1,)) * column_sd, axes=(-1,))
