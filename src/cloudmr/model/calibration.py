"""How long jobs take and how much they need, as measured once: the coefficients in `calibration.json`.

`benchmarks/estimates.py` measures and writes them. With V million voxels, S = coils x V, C coils, K replicas (or
repetitions of the scan):

    seconds = a + b V + c S + d S C + e S K      memory = f + g V + h S + i S K      output = j + k V
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a job has to do: `kind` is method and reconstruction, counts are those of the signal as recorded."""

    kind: str
    n_voxels: int
    n_coils: int
    n_replicas: int


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What it takes on the machine that was measured."""

    seconds: float
    memory_bytes: int
    output_bytes: int


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The measured coefficients, and how far off they were at sizes that they were not fitted to."""

    measured_on: str
    machine: str
    median_error_percent: float
    p90_error_percent: float
    pairs: Mapping[str, Mapping[str, Sequence[float]]]

    def effort(self, work: Work) -> Effort:
        """Return what a job takes; of a kind that was never measured, as much as the most demanding one."""
        known = self.pairs.get(work.kind)
        candidates = [known] if known is not None else list(self.pairs.values())
        voxels = work.n_voxels / 1e6
        samples = voxels * work.n_coils
        of_time = (1.0, voxels, samples, samples * work.n_coils, samples * work.n_replicas)
        of_memory = (1.0, voxels, samples, samples * work.n_replicas)
        of_output = (1.0, voxels)
        return Effort(
            seconds=max(_dot(one["seconds"], of_time) for one in candidates),
            memory_bytes=round(max(_dot(one["memory_bytes"], of_memory) for one in candidates)),
            output_bytes=round(max(_dot(one["output_bytes"], of_output) for one in candidates)),
        )


@cache
def calibration() -> Calibration:
    """Return what this release was measured with."""
    raw = json.loads(resources.files(__package__).joinpath("calibration.json").read_text(encoding="utf-8"))
    return Calibration(
        measured_on=raw["measured_on"],
        machine=raw["machine"],
        median_error_percent=raw["error"]["median_percent"],
        p90_error_percent=raw["error"]["p90_percent"],
        pairs=raw["pairs"],
    )


def _dot(coefficients: Sequence[float], features: Sequence[float]) -> float:
    return sum(c * f for c, f in zip(coefficients, features, strict=True))
