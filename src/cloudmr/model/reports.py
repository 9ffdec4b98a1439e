"""What a unit tells the Brain about an attempt at a job: the body of a callback or of a progress message."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloudmr.errors import InvalidRequest
from mroptimum.errors import Explanation

MAX_BODY_BYTES = 64 * 1024
"""No report is larger."""
_CODE_LENGTH = 64
_SENTENCE_LENGTH = 4000


class ReportedEvent(StrEnum):
    """What a unit says has happened."""

    PROGRESS = "progress"
    """The worker is at this step."""
    SUCCEEDED = "succeeded"
    """The results are in place."""
    FAILED = "failed"
    """There will be no results."""
    INPUT_CLEANED = "input_cleaned"
    """A data file named a person in its header, and no longer does, or must go."""


class _Message(BaseModel):
    # Fields of a later schema are ignored: an older Brain must still hear that a job ended.
    model_config = ConfigDict(frozen=True, extra="ignore")


class ReportedProgress(_Message):
    """How far the worker is: `done` of `total` at a step (total 0: not known)."""

    step: Annotated[str, Field(max_length=64)]
    done: Annotated[int, Field(ge=0)] = 0
    total: Annotated[int, Field(ge=0)] = 0
    message: Annotated[str, Field(max_length=500)] = ""


class ReportedError(_Message):
    """The error of a failed attempt, as the person will read it."""

    code: Annotated[str, Field(max_length=_CODE_LENGTH)]
    message: Annotated[str, Field(max_length=_SENTENCE_LENGTH)]
    next_step: Annotated[str, Field(max_length=_SENTENCE_LENGTH)] = ""

    @classmethod
    def of(cls, explanation: Explanation) -> ReportedError:
        """Return an explanation cut to the lengths a report may have."""
        return cls(
            code=explanation["code"][:_CODE_LENGTH],
            message=explanation["message"][:_SENTENCE_LENGTH],
            next_step=explanation["next_step"][:_SENTENCE_LENGTH],
        )


class ReportedInput(_Message):
    """A data file that named a person: the fields by name, and what it is since they are blank (None: it must go)."""

    data_id: Annotated[str, Field(max_length=32)]
    fields: tuple[Annotated[str, Field(max_length=128)], ...] = ()
    size_bytes: Annotated[int | None, Field(ge=0)] = None
    checksum: Annotated[str | None, Field(max_length=128)] = None


class Report(_Message):
    """The body of a callback or of a progress message. `sequence` grows with every new message of an attempt."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    job_id: Annotated[str, Field(max_length=32)]
    attempt: Annotated[int, Field(ge=1)]
    event: ReportedEvent
    sequence: Annotated[int, Field(ge=0)]
    progress: ReportedProgress | None = None
    manifest_sha256: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    error: ReportedError | None = None
    input: ReportedInput | None = None

    def to_bytes(self) -> bytes:
        """Return the body to sign and send."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    @classmethod
    def parse(cls, body: bytes) -> Report:
        """Return the report in a body. Raise `InvalidRequest` for anything else."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(place) for place in problem["loc"]) or "body"
            raise InvalidRequest(
                f"The report cannot be read: {where}: {problem['msg']}.", "Send the body that docs/api.md describes."
            ) from error
