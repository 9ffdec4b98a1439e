"""How a worker says by its exit code what became of the job; the same in a process, a container and a function."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a worker's exit code means. Any other code is a crash."""

    SUCCEEDED = 0
    """The results are in place."""
    FAILED = 70
    """There are no results; a failure package says why."""
    STOPPED = 71
    """It was asked to end, and did."""
    OUT_OF_MEMORY = 72
    """An allocation was refused."""
    DISK_FULL = 73
    """There was no room to write, or a file would have become too large."""
    UNHEARD = 74
    """The job document could not be had from the Brain."""
