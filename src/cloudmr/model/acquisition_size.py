"""How large an acquisition is, from whoever looked into its header before the file was uploaded."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import prod

from cloudmr.errors import InvalidRequest

_LARGEST = 100_000
_MOST_SAMPLES = 2**43
"""64 TiB as complex64: beyond every file that is taken."""


@dataclass(frozen=True, kw_only=True)
class AcquisitionSize:
    """Numbers of coils, of voxels along x, y and z, of slices, and of repetitions."""

    n_coils: int
    n_x: int
    n_y: int
    n_z: int = 1
    n_slices: int = 1
    n_repetitions: int = 1

    def __post_init__(self) -> None:
        counts = [getattr(self, field.name) for field in fields(self)]
        if not all(1 <= count <= _LARGEST for count in counts) or prod(counts) > _MOST_SAMPLES:
            raise InvalidRequest(
                "These are not the numbers of an acquisition.",
                "Give counts of 1 and more for coils, matrix (x, y, z), slices and repetitions, or leave them out.",
                code="acquisition_size",
            )

    @property
    def n_voxels(self) -> int:
        """Voxels of one image of everything: all slices, one repetition."""
        return self.n_x * self.n_y * self.n_z * self.n_slices

    @property
    def n_samples(self) -> int:
        """Complex numbers of all coils and repetitions, without oversampling."""
        return self.n_voxels * self.n_coils * self.n_repetitions
