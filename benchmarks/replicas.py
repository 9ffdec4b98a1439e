"""Pseudo multiple replicas against the floor under them: drawing the normals they need with NumPy, on as many threads.

Of a scan accelerated twice only the acquired half of k-space needs noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.scene import scene
from benchmarks.timing import Timing, compare
from mroptimum.coils import CoilMaps
from mroptimum.reconstruction import Reconstruction
from mroptimum.reconstruction.b1 import B1Weighted
from mroptimum.reconstruction.grappa import grappa
from mroptimum.reconstruction.grappa_kernel import calibrate
from mroptimum.reconstruction.rss import RootSumOfSquares
from mroptimum.reconstruction.sense import sense
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.task import NoiseDomain
from mroptimum.threads import in_parallel

N_REPLICAS = 100
ROUNDS = 5


def measure(n_coils: int, n: int) -> Iterator[list[Timing]]:
    """Time 100 replicas of one slice of n x n from n_coils coils, in both domains."""
    data = scene(n_coils, n)
    coils = CoilMaps(maps=data.maps, mask=np.ones((n, n), dtype=np.bool_), method="true")
    whole, half = data.kspace, data.only(data.every(2))
    kernel = calibrate(data.kspace, data.central, 2, size=(5, 4))
    yield _compared({"RSS": RootSumOfSquares(n_coils=n_coils), "B1": B1Weighted(coils)}, whole, whole.size)
    yield _compared(
        {"SENSE R = 2": sense(coils, data.every(2), 2), "GRAPPA R = 2": grappa(kernel, half, data.every(2))},
        half,
        half.size // 2,
    )


def _compared(
    reconstructions: dict[str, Reconstruction], kspace: NDArray[np.complex64], n_samples: int
) -> list[Timing]:
    contestants: dict[str, Callable[[], object]] = {
        f"NumPy's normals for {N_REPLICAS} x {n_samples} samples": lambda: _draw(2 * n_samples)
    }
    for domain in NoiseDomain:
        for name, reconstruction in reconstructions.items():
            contestants[f"PMR {name}, noise drawn in the {domain}"] = (
                lambda reconstruction=reconstruction, domain=domain: pseudo_replica_snr(  # type: ignore[misc]
                    reconstruction, kspace, N_REPLICAS, np.random.SeedSequence(1), domain=domain
                )
            )
    return compare(contestants, rounds=ROUNDS)


def _draw(n_normals: int) -> None:
    """Draw single-precision normals for all replicas, with the fastest of NumPy's generators."""

    def draw(stream: np.random.SeedSequence) -> None:
        np.random.Generator(np.random.SFC64(stream)).standard_normal(n_normals, dtype=np.float32)

    for _ in in_parallel(draw, np.random.SeedSequence(1).spawn(N_REPLICAS)):
        pass
