"""A task from the few words a person types, for `mroptimum snr` and `cloudmr job submit` alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mroptimum.task import FileReference, TaskDocument


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What can be said of a task on a command line; None leaves the schema's default."""

    method: str = "ac"
    reconstruction: str = "rss"
    acceleration: int | None = None
    partition_acceleration: int | None = None
    decimate: bool = False
    acs_lines: int | None = None
    acs_partitions: int | None = None
    keep_acs: bool = False
    coil_maps: str | None = None
    mask_percentage: float | None = None
    replicas: int | None = None
    box_size: int | None = None
    seed: int | None = None
    noise_estimate: str | None = None
    coil_sensitivities: bool = False
    matlab: bool = False

    def document(
        self, signal: FileReference, noise: FileReference | None, second: FileReference | None = None
    ) -> TaskDocument:
        """Return the validated task; `second` is another repetition to estimate the noise from.

        Raises `TaskError` for what contradicts itself.
        """
        options: dict[str, Any] = {"signal": signal.model_dump(by_alias=True, exclude_none=True)}
        if noise is not None:
            options["noise"] = noise.model_dump(by_alias=True, exclude_none=True)
        if self.noise_estimate is not None:
            estimate: dict[str, Any] = {"source": self.noise_estimate}
            if second is not None:
                estimate["file"] = second.model_dump(by_alias=True, exclude_none=True)
            options["noise"] = {"type": "estimate", "options": estimate}
        n_axes = 3 if self._is_of_slab else 2
        if self.acceleration is not None or self.partition_acceleration is not None:
            options["accelerations"] = [1, self.acceleration or 1, self.partition_acceleration or 1][:n_axes]
        if self.acs_lines is not None or self.acs_partitions is not None:
            options["acl"] = [None, self.acs_lines, self.acs_partitions][:n_axes]
        if self.keep_acs:
            options["keepAcs"] = True
        coil_maps: dict[str, Any] = {}
        if self.coil_maps is not None:
            coil_maps["sensitivityMapMethod"] = self.coil_maps
        if self.mask_percentage is not None:
            coil_maps["mask"] = {"method": "percentage", "value": self.mask_percentage}
        options |= {"decimate": self.decimate, "sensitivityMap": {"options": coil_maps}}
        acquisition = {"acquisition": 3} if self._is_of_slab else {}
        of_method = {"NR": self.replicas, "boxSize": self.box_size, "seed": self.seed}
        return TaskDocument.parse(
            {
                "task": {
                    "name": self.method,
                    **acquisition,
                    "options": {
                        **{name: value for name, value in of_method.items() if value is not None},
                        "reconstructor": {"name": self.reconstruction, "options": options},
                    },
                },
                "output": {"coilsensitivity": self.coil_sensitivities, "matlab": self.matlab},
            }
        )

    @property
    def _is_of_slab(self) -> bool:
        """Whether anything was said that only a 3D scan has: then accelerations and acl are of three axes."""
        return self.partition_acceleration is not None or self.acs_partitions is not None
