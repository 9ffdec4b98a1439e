"""A task from the few words a person types, for `mroptimum snr` and `cloudmr job submit` alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # with pydantic, too slow for `--help`
    from mroptimum.task import FileReference, TaskDocument


def _said(default: Any, what: str) -> Any:
    """Return a field and how a command line explains it."""
    return field(default=default, metadata={"help": what})


@dataclass(frozen=True, kw_only=True)
class Flags:
    """What can be said of a task on a command line; None leaves the schema's default."""

    method: str = _said("ac", "ac, mr, pmr, cr or difference.")
    reconstruction: str = _said("rss", "rss, b1, sense or grappa; scanner for images, with difference.")
    acceleration: int | None = _said(None, "Of phase encoding. Default: as the file was sampled.")
    partition_acceleration: int | None = _said(None, "Of the partitions of a 3D scan; the same default.")
    decimate: bool = _said(False, "Undersample a full scan by the accelerations.")
    acs_lines: int | None = _said(None, "Calibration lines to use or to keep.")
    acs_partitions: int | None = _said(None, "Partitions with calibration lines to use or to keep (3D).")
    keep_acs: bool = _said(False, "Put calibration lines back (grappa; pmr, mr or cr).")
    coil_maps: str | None = _said(None, "inner, innerACL, espirit, walsh or inati.")
    mask_percentage: float | None = _said(None, "Count as object from this % of the maximum.")
    replicas: int | None = _said(None, "Number of pseudo replicas (pmr, cr).")
    box_size: int | None = _said(None, "Half-width of the box of cr and difference, in voxels.")
    seed: int | None = _said(None, "Of the drawn noise; the same seed gives the same numbers.")
    noise_estimate: str | None = _said(None, "Without a noise scan: repetitions, kspace_edge or image_corners.")
    coil_sensitivities: bool = _said(False, "Write the coil maps too.")
    matlab: bool = _said(False, "Write matlab.mat too.")

    def document(
        self, signal: FileReference, noise: FileReference | None, second: FileReference | None = None
    ) -> TaskDocument:
        """Return the validated task; `second` is another repetition, to estimate the noise from or to differ from.

        Raises `TaskError` for what contradicts itself.
        """
        from mroptimum.task import TaskDocument

        options: dict[str, Any] = {"signal": signal.model_dump(by_alias=True, exclude_none=True)}
        if noise is not None:
            options["noise"] = noise.model_dump(by_alias=True, exclude_none=True)
        noise_estimate = self.noise_estimate
        if self._is_difference and noise is None and second is not None:
            noise_estimate = noise_estimate or "repetitions"
        if noise_estimate is not None:
            estimate: dict[str, Any] = {"source": noise_estimate}
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
        elif self._is_difference:
            coil_maps["mask"] = {"method": "reference"}
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

    @property
    def _is_difference(self) -> bool:
        """Whether two images are compared; of air, which has no signal, their difference says nothing."""
        return self.method.lower() == "difference"
