"""How a command ends, in one table: for the shell, for `--help`, for tests."""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """What the shell is told, and what it means."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """Make a member of a number and its sentence."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    DONE = 0, "done"
    REFUSED = 1, "refused, with the reason"
    USAGE = 2, "wrong usage, or a part is not installed"
    NO_SNR = 3, "image written but no SNR possible"
    DIFFERENT = 4, "verified, and not as it was written or not repeated"


EPILOG = f"Exit codes: {'; '.join(f'{code.value} {code.meaning}' for code in ExitCode)}."
