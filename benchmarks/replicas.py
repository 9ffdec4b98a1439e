"""Pseudo multiple replicas against the floor under them: drawing the normals they need, on the same threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.timing import Timing, compare
from mroptimum.coils import CoilMaps, root_sum_of_squares
from mroptimum.reconstruction import Reconstruction
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import sense
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.task import NoiseDomain
from mroptimum.threads import in_parallel

N_REPLICAS = 100


def measure(n_coils: int, n: int) -> list[Timing]:
    """Time 100 replicas of one slice of n x n from n_coils coils, in both domains."""
    rng = np.random.default_rng(1)
    kspace = (rng.normal(size=(n_coils, n, n)) + 1j * rng.normal(size=(n_coils, n, n))).astype(np.complex64)
    coils = CoilMaps(maps=kspace / root_sum_of_squares(kspace), mask=np.ones((n, n), dtype=np.bool_), method="random")
    lines = np.arange(n) % 2 == 0
    reconstructions: dict[str, tuple[Reconstruction, np.ndarray[tuple[int, ...], np.dtype[np.complex64]]]] = {
        "RSS": (RootSumOfSquares(n_coils=n_coils), kspace),
        "B1": (B1Weighted(coils), kspace),
        "SENSE R = 2 (half the normals)": (sense(coils, lines, 2), np.where(lines[:, None], kspace, np.complex64(0))),
    }

    def draw() -> None:
        """NumPy's own normals, in single precision, from its fastest generator."""
        n_normals = 2 * kspace.size
        for _ in in_parallel(
            lambda stream: np.random.Generator(np.random.SFC64(stream)).standard_normal(n_normals, dtype=np.float32),
            np.random.SeedSequence(1).spawn(N_REPLICAS),
        ):
            pass

    contestants: dict[str, Callable[[], object]] = {f"{N_REPLICAS} x normals of {n_coils} coils, {n} x {n}": draw}
    for domain in NoiseDomain:
        for name, (reconstruction, data) in reconstructions.items():
            contestants[f"PMR {name}, {domain}"] = lambda r=reconstruction, d=data, domain=domain: pseudo_replica_snr(  # type: ignore[misc]
                r, d, N_REPLICAS, np.random.SeedSequence(1), domain=domain
            )
    return compare(contestants, rounds=3)
