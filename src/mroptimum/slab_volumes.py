"""What is found of a slab column by column, put together to volumes, and handed on as slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum.by_method import PlaneNoise
from mroptimum.coils import CoilMaps
from mroptimum.convention import Complex, Real
from mroptimum.noise import n_columns
from mroptimum.one_slice import SliceMaps
from mroptimum.partitions import kept_partitions
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.reconstruction.sense import Sense
from mroptimum.snr import SnrMap
from mroptimum.snr.generalised import replica_residuals, reported, snr_from_residuals
from mroptimum.task import Method, NoiseDomain, Task


@dataclass(kw_only=True)
class Volumes:
    """What is found, (z, y, x) each, oversampled partitions left out; ``residuals`` are those of cr, by replica."""

    kept: slice
    snr: NDArray[np.float32]
    image: NDArray[np.float32]
    noise_sd: NDArray[np.float32]
    standard_error: NDArray[np.float32] | None
    g_factor: NDArray[np.float32]
    mask: NDArray[np.bool_]
    column_sd: NDArray[np.float32]
    coil_maps: Complex | None
    residuals: Complex | None
    coil_map_method: str = ""
    noise_domain: NoiseDomain | None = None
    n_unsolvable: int = 0

    @classmethod
    def empty(cls, scan: Acquisition, task: Task, *, keep_coil_maps: bool) -> Volumes:
        """Return volumes for one slab of `scan`, of what `task` gives."""
        kept, n_x = kept_partitions(scan), n_columns(scan)
        shape = (kept.stop - kept.start, scan.sampled.shape[1], n_x)
        n_replicas = task.options.replicas or 0
        return cls(
            kept=kept,
            snr=np.zeros(shape, np.float32),
            image=np.zeros(shape, np.float32),
            noise_sd=np.zeros(shape, np.float32),
            standard_error=None if task.name is Method.AC else np.zeros(shape, np.float32),
            g_factor=np.zeros(shape, np.float32),
            mask=np.zeros(shape, dtype=np.bool_),
            column_sd=np.ones(n_x, np.float32),
            coil_maps=np.zeros((shape[0], scan.n_coils, *shape[1:]), np.complex64) if keep_coil_maps else None,
            residuals=np.zeros((n_replicas, *shape), np.complex64) if task.name is Method.CR else None,
        )

    def take(self, x: int, found: SnrMap, domain: NoiseDomain | None) -> None:
        """Take what a method found in a column."""
        self.snr[:, :, x] = found.snr[self.kept]
        self.image[:, :, x] = np.abs(found.image)[self.kept]
        self.noise_sd[:, :, x] = found.noise_sd[self.kept]
        if self.standard_error is not None and found.standard_error is not None:
            self.standard_error[:, :, x] = found.standard_error[self.kept]
        self.noise_domain = domain

    def take_residuals(
        self,
        x: int,
        reconstruction: Sense,
        kspace: Complex,
        noise: PlaneNoise,
        task: Task,
        seed: np.random.SeedSequence,
        report: Callable[[int], None],
    ) -> None:
        """Take image and residuals of a column: boxes reach across columns, so their spread has to wait for all."""
        image = reconstruction.image(kspace)
        self.image[:, :, x] = np.abs(image)[self.kept]
        self.column_sd[x] = noise.column_sd
        self.noise_domain = NoiseDomain.KSPACE
        n_replicas = task.options.replicas or 0
        residuals = replica_residuals(reconstruction, kspace, image, n_replicas, seed, kspace_noise_sd=noise.kspace_sd)
        for replica, residual in enumerate(reported(residuals, report)):
            if self.residuals is not None:
                self.residuals[replica, :, :, x] = residual[self.kept]

    def take_maps(self, x: int, reconstruction: Sense, maps: CoilMaps) -> None:
        """Take g-factor, mask and, if they are kept, coil maps of a column."""
        self.g_factor[:, :, x] = reconstruction.g_factor[self.kept]
        self.mask[:, :, x] = maps.mask[self.kept]
        self.n_unsolvable += reconstruction.n_unsolvable
        self.coil_map_method = maps.method
        if self.coil_maps is not None:
            self.coil_maps[..., x] = maps.maps[:, self.kept].swapaxes(0, 1)

    def slices(self, task: Task, flip_angle_deg: Sequence[Real | None]) -> list[SliceMaps]:
        """Return the maps slice by slice; what could not be solved is counted with the first."""
        return [
            SliceMaps.of(
                self._found(z, task),
                self.g_factor[z],
                CoilMaps(
                    maps=np.empty(0, np.complex64) if self.coil_maps is None else self.coil_maps[z],
                    mask=self.mask[z],
                    method=self.coil_map_method,
                ),
                flip_angle_deg=flip_angle_deg[z],
                noise_domain=self.noise_domain,
                keep_coil_maps=self.coil_maps is not None,
                n_unsolvable=self.n_unsolvable if z == 0 else 0,
            )
            for z in range(len(self.snr))
        ]

    def _found(self, z: int, task: Task) -> SnrMap:
        if self.residuals is not None:
            return snr_from_residuals(
                self.image[z],
                self.residuals[:, z],
                task.options.box_size or 0,
                column_sd=self.column_sd,
                is_linear=True,
            )
        error = None if self.standard_error is None else self.standard_error[z]
        return SnrMap(snr=self.snr[z], image=self.image[z], noise_sd=self.noise_sd[z], standard_error=error)
