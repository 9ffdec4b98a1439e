"""Every error a person can meet, each with a code, a cause and a next step.

ExplainedError
├── TaskError               the task cannot mean anything, or contradicts itself
├── RawDataError            a raw file cannot be used
│   ├── UnreadableFile      the bytes are not what the format demands: truncated, empty, another format
│   ├── UnsupportedData     a valid file whose content is not handled (yet): spectroscopy, ramp sampling
│   └── WrongKindOfFile     a valid file in the wrong place: a noise scan given as the signal
├── NoiseError              no honest noise estimate can be had from what was given
├── ReconstructionError     the data and the chosen reconstruction do not fit together
├── Cancelled               the run was asked to stop, and did
└── MissingExtra            a command needs an optional part of the installation
"""

from __future__ import annotations

from typing import ClassVar, TypedDict


class Explanation(TypedDict):
    """An error as JSON: the same three fields in the API, the failure package and the command line."""

    code: str
    message: str
    next_step: str


class ExplainedError(Exception):
    """An error for its reader: what happened, and what to do next."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, next_step: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.instance_code = code or type(self).code

    def explain(self) -> Explanation:
        """Return the three fields that every surface prints."""
        return {"code": self.instance_code, "message": self.message, "next_step": self.next_step}

    def __str__(self) -> str:
        return f"{self.message} {self.next_step} [{self.instance_code}]"


class TaskError(ExplainedError):
    """The task cannot mean anything, or contradicts itself."""

    code = "invalid_task"


class RawDataError(ExplainedError):
    """A raw file cannot be used."""

    code = "raw_data"


class UnreadableFile(RawDataError):
    """The bytes are not what the format demands: truncated, empty, another format."""

    code = "unreadable_file"


class UnsupportedData(RawDataError):
    """A valid file whose content is not handled: spectroscopy, ramp sampling."""

    code = "unsupported_data"


class WrongKindOfFile(RawDataError):
    """A valid file in the wrong place: a noise scan given as the signal."""

    code = "wrong_kind_of_file"


class NoiseError(ExplainedError):
    """No honest noise estimate can be had from what was given."""

    code = "no_noise"


class ReconstructionError(ExplainedError):
    """The data and the chosen reconstruction do not fit together."""

    code = "reconstruction"


class Cancelled(ExplainedError):
    """The run was asked to stop, and did."""

    code = "cancelled"


class MissingExtra(ExplainedError):
    """A command needs an optional part of the installation."""

    code = "missing_extra"
