"""How a command ends, in one table: for the shell, for `--help`, for tests."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from cloudmr.client.errors import BrainUnreachable, SignInNeeded
from cloudmr.deploy.errors import NotGiven
from mroptimum.errors import ExplainedError, MissingExtra


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
    FAILED = 1, "refused, or a job without success; the reason is printed"
    USAGE = 2, "wrong usage, or a part is not installed"
    SIGN_IN_NEEDED = 3, "not signed in"
    UNREACHABLE = 4, "CloudMR Brain does not answer"
    INTERRUPTED = 130, "interrupted; a job goes on, an upload goes on when it is given again"


EPILOG = f"Exit codes: {'; '.join(f'{code.value} {code.meaning}' for code in ExitCode)}."


def exit_code_of(error: ExplainedError) -> ExitCode:
    """Return how a command ends that ends with this error."""
    match error:
        case MissingExtra() | NotGiven():
            return ExitCode.USAGE
        case SignInNeeded():
            return ExitCode.SIGN_IN_NEEDED
        case BrainUnreachable():
            return ExitCode.UNREACHABLE
        case _:
            return ExitCode.FAILED
