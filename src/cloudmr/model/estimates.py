"""How much a job will need, from the little that is known before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

_GIB = 2**30

BASE_MEMORY_BYTES = 4 * _GIB
"""Address space of Python with its numerical libraries, whose threads reserve far more than they touch."""
MEMORY_PER_INPUT_BYTE = 10
"""Raw data as complex64, sorted, whitened and as images, side by side, and as much again for safety."""
DISK_PER_INPUT_BYTE = 3
DEADLINE_S = 6 * 3600
N_CORES = 4
"""Processor time is limited to as many cores' work for the whole deadline: it catches only what never ends."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What an attempt may use, and what that was reckoned from."""

    memory_bytes: int
    cpu_time_s: int
    disk_bytes: int
    deadline_s: int
    basis: str

    def with_more_memory(self) -> Self:
        """Return the estimate for an attempt after one that ran out of memory."""
        return replace(self, memory_bytes=2 * self.memory_bytes, basis=f"{self.basis}; doubled after running out")


def estimate(input_sizes_bytes: Sequence[int]) -> Estimate:
    """Return what a job with inputs of these sizes may use."""
    total = sum(input_sizes_bytes)
    return Estimate(
        memory_bytes=BASE_MEMORY_BYTES + MEMORY_PER_INPUT_BYTE * total,
        cpu_time_s=N_CORES * DEADLINE_S,
        disk_bytes=_GIB + DISK_PER_INPUT_BYTE * total,
        deadline_s=DEADLINE_S,
        basis="the size of the input files",
    )
