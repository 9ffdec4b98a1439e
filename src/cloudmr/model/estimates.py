"""How much an attempt may use: memory, processor time, disk, and time on the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from cloudmr.errors import InvalidRequest
from cloudmr.model.platforms import FARGATE_SIZES, Platform, fargate_size

_GIB = 2**30

BASE_MEMORY_BYTES = 4 * _GIB
"""Address space of Python with its numerical libraries, whose threads reserve far more than they touch."""
MEMORY_PER_INPUT_BYTE = 10
"""Raw data as complex64, sorted, whitened and as images, side by side, and as much again for safety."""
DISK_PER_INPUT_BYTE = 3
DEADLINE_S = 6 * 3600
LONGEST_DEADLINE_S = 48 * 3600
SHORTEST_DEADLINE_S = 60
_DEADLINE_PER_EXPECTED = 3
"""An expectation may be off by so much before the job is ended for it."""
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


def disk_bytes(input_sizes_bytes: Sequence[int]) -> int:
    """Return how much disk a job with inputs of these sizes may use."""
    return _GIB + DISK_PER_INPUT_BYTE * sum(input_sizes_bytes)


def estimate(
    input_sizes_bytes: Sequence[int],
    *,
    most_bytes: int | None = None,
    machine_bytes: int | None = None,
    deadline_s: int = DEADLINE_S,
    basis: str = "the size of the input files alone",
) -> Estimate:
    """Return what a job with inputs of these sizes may use, where none may have more memory than `most_bytes`.

    On a machine of its own it has all of that machine's memory, `machine_bytes`.
    """
    allowed = BASE_MEMORY_BYTES + MEMORY_PER_INPUT_BYTE * sum(input_sizes_bytes)
    return Estimate(
        memory_bytes=_at_most(allowed, most_bytes) if machine_bytes is None else machine_bytes,
        cpu_time_s=N_CORES * deadline_s,
        disk_bytes=disk_bytes(input_sizes_bytes),
        deadline_s=deadline_s,
        basis=basis,
    )


def choose_deadline(expected_s: float, *, wanted_s: int | None = None, longest_s: int = LONGEST_DEADLINE_S) -> int:
    """Return how many seconds an attempt may take: what its owner wants, else six hours or thrice what is expected.

    Raises `InvalidRequest` (`deadline`) for less than a minute and more than `longest_s`.
    """
    if wanted_s is None:
        return int(min(max(DEADLINE_S, _DEADLINE_PER_EXPECTED * expected_s), longest_s))
    if not SHORTEST_DEADLINE_S <= wanted_s <= longest_s:
        raise InvalidRequest(
            f"A job may take {SHORTEST_DEADLINE_S} to {longest_s} seconds there, not {wanted_s}.",
            "Give a deadline between the two, or leave it out.",
            code="deadline",
        )
    return wanted_s


def after_running_out(
    platform: Platform, estimate: Estimate, *, most_local_bytes: int | None
) -> tuple[Platform, Estimate]:
    """Return where and with how much memory a job is tried again that ran out of it; the same, where there is no more.

    From Lambda, whose machines have one size, it goes to Fargate.
    """
    if platform is Platform.LOCAL:
        return platform, estimate.with_more_memory(most_local_bytes)
    size = fargate_size(2 * estimate.memory_bytes) or FARGATE_SIZES[-1]
    if platform is Platform.FARGATE and size.memory_bytes <= estimate.memory_bytes:
        return platform, estimate
    return Platform.FARGATE, replace(
        estimate, memory_bytes=size.memory_bytes, basis=f"{estimate.basis}; more after running out"
    )


def _at_most(n_bytes: int, most_bytes: int | None) -> int:
    return n_bytes if most_bytes is None else min(n_bytes, most_bytes)
