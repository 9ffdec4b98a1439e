"""The method that a task names, applied to one plane of k-space and its reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mroptimum.convention import Complex, Real
from mroptimum.errors import TaskError
from mroptimum.reconstruction import Reconstruction
from mroptimum.snr import SnrMap
from mroptimum.snr.analytic import analytic_snr
from mroptimum.snr.generalised import generalised_pseudo_replica_snr
from mroptimum.snr.pseudo_replicas import pseudo_replica_snr
from mroptimum.snr.replicas import multiple_replica_snr
from mroptimum.task import Method, NoiseDomain, Task


@dataclass(frozen=True, kw_only=True)
class PlaneNoise:
    """How the noise of a plane differs from that of whitened, full k-space.

    ``column_sd`` is its standard deviation in each image column, (x,) or one for all; ``kspace_sd`` that of a sampled
    line: more than 1 where lines are zero-filled, so that the image has 1.
    """

    column_sd: Real | float = 1.0
    kspace_sd: float = 1.0


def measure(
    task: Task,
    reconstruction: Reconstruction,
    repetitions: list[Complex],
    noise: PlaneNoise,
    seed: np.random.SeedSequence,
    report: Callable[[int], None],
) -> tuple[SnrMap, NoiseDomain | None]:
    """Return the SNR of whitened k-space, (coil, y, x) for each repetition, and where replicas were drawn, if any were.

    All methods but `mr` look at the first repetition. `report` is called with the number of replicas done. Raises
    `TaskError` where there is too little to measure a spread.
    """
    kspace = repetitions[0]
    n_replicas = task.options.replicas or 0
    match task.name:
        case Method.AC:
            return analytic_snr(reconstruction, kspace, noise.column_sd), None
        case Method.MR:
            if len(repetitions) < 2:
                raise TaskError(
                    "The scan has one repetition; multiple replicas need several.",
                    "Give a scan with repetitions, or choose the method ac or pmr.",
                )
            return multiple_replica_snr(reconstruction, repetitions, report), None
        case Method.PMR:
            return pseudo_replica_snr(
                reconstruction,
                kspace,
                n_replicas,
                seed,
                domain=task.options.noise_domain,
                column_sd=noise.column_sd,
                kspace_noise_sd=noise.kspace_sd,
                report=report,
            )
        case Method.CR:
            found = generalised_pseudo_replica_snr(
                reconstruction,
                kspace,
                n_replicas,
                task.options.box_size or 0,
                seed,
                column_sd=noise.column_sd,
                kspace_noise_sd=noise.kspace_sd,
                report=report,
            )
            return found, NoiseDomain.KSPACE
        case Method.DIFFERENCE:
            raise ValueError("a difference is taken of images, not of k-space")
