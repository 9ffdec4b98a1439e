"""What a job runs on within its unit: the unit's own machine, AWS Lambda for small jobs, AWS Fargate for large ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from cloudmr.errors import InvalidRequest

_MIB = 2**20
_GIB = 2**30


class Platform(StrEnum):
    """A kind of machine."""

    LOCAL = "local"
    """Processes of the unit's own machine."""
    LAMBDA = "lambda"
    """AWS Lambda: starts in seconds, small, at most 15 minutes."""
    FARGATE = "fargate"
    """AWS Fargate: starts in a minute, up to 16 vCPU and 120 GB, for hours."""

    @property
    def relative_speed(self) -> float:
        """How fast it is beside the machine that estimates were measured on; assumed, from its processors."""
        return 0.85 if self is Platform.LAMBDA else 1.0


@dataclass(frozen=True, kw_only=True)
class MachineSize:
    """What a job gets: virtual processors and memory."""

    vcpu: float
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a job is expected to need: memory, disk, and seconds at work."""

    memory_bytes: int
    disk_bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class PlatformChoice:
    """The platform, the size of the machine there (None: the unit's own, shared), and why."""

    platform: Platform
    size: MachineSize | None
    reason: str


LAMBDA_SIZE = MachineSize(vcpu=1.7, memory_bytes=3008 * _MIB)
"""What every AWS account may have without asking."""
LAMBDA_DISK_BYTES = 4 * _GIB
LAMBDA_DEADLINE_S = 15 * 60
_LAMBDA_LONGEST_S = 10 * 60
"""An expectation may be off by half before the 15 minutes are over."""
_LAMBDA_SHARE = 0.8
"""The part of the memory that a job may be expected to need."""

FARGATE_SIZES = (
    *(MachineSize(vcpu=4, memory_bytes=gib * _GIB) for gib in range(8, 31)),
    *(MachineSize(vcpu=8, memory_bytes=gib * _GIB) for gib in range(32, 61, 4)),
    *(MachineSize(vcpu=16, memory_bytes=gib * _GIB) for gib in range(64, 121, 8)),
)
"""What Fargate offers, from the smallest that the template asks for, in order of memory."""
FARGATE_DISKS_GIB = (21, 200)
"""The least and the most disk that can be asked for."""


def choose_platform(need: Need, available: Collection[Platform], *, wanted: Platform | None = None) -> PlatformChoice:
    """Choose where in its unit a job runs: the smallest that is large enough, or what its owner wants.

    Raises `InvalidRequest` (`platform_impossible`) where the unit has not what is wanted, or it is too small.
    """
    if wanted is not None:
        if wanted not in available:
            raise _impossible(
                f"The computing unit has no {wanted}; it has {', '.join(sorted(available))}.",
                "Leave the platform out, or choose another computing unit.",
            )
        return _on(wanted, need, reason="It was asked for.")
    if Platform.LOCAL in available:
        return _on(Platform.LOCAL, need, reason="The computing unit runs its jobs on its own machine.")
    too_large = _beyond_lambda(need)
    if too_large is None and Platform.LAMBDA in available:
        return _on(Platform.LAMBDA, need, reason="The job is small enough for Lambda, which starts sooner.")
    reason = f"Lambda is too small: {too_large}." if too_large else "The computing unit has no Lambda."
    return _on(Platform.FARGATE, need, reason=reason)


def fargate_size(memory_bytes: int) -> MachineSize | None:
    """Return the smallest machine of Fargate with so much memory, None if there is none."""
    return next((size for size in FARGATE_SIZES if size.memory_bytes >= memory_bytes), None)


def _on(platform: Platform, need: Need, *, reason: str) -> PlatformChoice:
    match platform:
        case Platform.LOCAL:
            return PlatformChoice(platform=platform, size=None, reason=reason)
        case Platform.LAMBDA:
            too_large = _beyond_lambda(need)
            if too_large is not None:
                raise _impossible(f"Lambda is too small for this job: {too_large}.", "Let it run on Fargate.")
            return PlatformChoice(platform=platform, size=LAMBDA_SIZE, reason=reason)
        case Platform.FARGATE:
            size = fargate_size(need.memory_bytes)
            if need.disk_bytes > FARGATE_DISKS_GIB[-1] * _GIB:
                raise _impossible(
                    f"The job needs {_in_gib(need.disk_bytes)} of disk; Fargate has {FARGATE_DISKS_GIB[-1]} GiB.",
                    "Split the data.",
                )
            if size is None:
                raise _impossible(
                    f"The job is expected to need {_in_gib(need.memory_bytes)} of memory; Fargate has "
                    f"{_in_gib(FARGATE_SIZES[-1].memory_bytes)} at most.",
                    "Choose fewer slices, repetitions or replicas, or split the data.",
                )
            return PlatformChoice(platform=platform, size=size, reason=reason)


def _beyond_lambda(need: Need) -> str | None:
    """Return in words why a job is too large for Lambda, None if it is not."""
    if need.memory_bytes > _LAMBDA_SHARE * LAMBDA_SIZE.memory_bytes:
        return f"it needs {_in_gib(need.memory_bytes)} of memory, and there are {_in_gib(LAMBDA_SIZE.memory_bytes)}"
    if need.disk_bytes > LAMBDA_DISK_BYTES:
        return f"it needs {_in_gib(need.disk_bytes)} of disk, and there are {_in_gib(LAMBDA_DISK_BYTES)}"
    if need.seconds > _LAMBDA_LONGEST_S:
        return f"it takes about {need.seconds / 60:.0f} minutes, and may take {LAMBDA_DEADLINE_S // 60} there"
    return None


def _impossible(message: str, next_step: str) -> InvalidRequest:
    return InvalidRequest(message, next_step, code="platform_impossible")


def _in_gib(n_bytes: int) -> str:
    return f"{n_bytes / _GIB:.1f} GiB"
