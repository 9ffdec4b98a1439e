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

    def with_more_memory(self, most_bytes: int | None = None) -> Self:
        """Return the estimate for an attempt after one that ran out of memory; the same, where there is no more."""
        if most_bytes is not None and self.memory_bytes >= most_bytes:
            return self
        return replace(
            self,
            memory_bytes=_at_most(2 * self.memory_bytes, most_bytes),
            basis=f"{self.basis}; doubled after running out, as far as there is more",
        )


def most_memory_bytes(machine_bytes: int, n_slots: int) -> int:
    """Return the most that one job may have of a machine whose memory all slots share.

    Never less than the base, which is reserved and hardly touched: without, no job could start on a small machine.
    """
    return max(BASE_MEMORY_BYTES, machine_bytes // n_slots)


def estimate(input_sizes_bytes: Sequence[int], *, most_bytes: int | None = None) -> Estimate:
    """Return what a job with inputs of these sizes may use, where none may have more memory than `most_bytes`."""
    total = sum(input_sizes_bytes)
    return Estimate(
        memory_bytes=_at_most(BASE_MEMORY_BYTES + MEMORY_PER_INPUT_BYTE * total, most_bytes),
        cpu_time_s=N_CORES * DEADLINE_S,
        disk_bytes=_GIB + DISK_PER_INPUT_BYTE * total,
        deadline_s=DEADLINE_S,
        basis="the size of the input files",
    )


def _at_most(n_bytes: int, most_bytes: int | None) -> int:
    return n_bytes if most_bytes is None else min(n_bytes, most_bytes)
