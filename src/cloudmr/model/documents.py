"""The job document: all that a worker needs to know, frozen when the job is submitted and fetched when it starts.

What depends on the attempt (its number, where it writes, until when) is added as it is handed out; the rest is kept in
the job's row as it was and never written anew.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from cloudmr.model.units import Mode, Provider


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class InputFile(_Part):
    """A data file of the job: where it lies in the unit, and what it must be when it is read."""

    data_id: str
    bucket: Literal["data"] = "data"
    key: str
    size_bytes: int
    checksum: str | None


class DocumentUnit(_Part):
    """The unit the job was given to."""

    id: str
    mode: Mode
    provider: Provider


class FrozenDocument(_Part):
    """What does not depend on the attempt. `task` and `output` are those of `mroptimum.task.TaskDocument`."""

    schema_version: Literal[1] = 1
    job_id: str
    app_name: str
    alias: str
    task: dict[str, Any]
    output: dict[str, Any]
    inputs: tuple[InputFile, ...]
    computing_unit: DocumentUnit

    def to_json(self) -> str:
        """Return the document as the one text it has (sorted keys), to be kept."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    def for_attempt(self, attempt: int, *, deadline_at: datetime) -> JobDocument:
        """Return the document that the worker of one attempt fetches."""
        return JobDocument(
            **dict(self),
            attempt=attempt,
            results_prefix=results_prefix(self.job_id, attempt),
            failed_prefix=failed_prefix(self.job_id, attempt),
            deadline_at=deadline_at,
        )


class JobDocument(FrozenDocument):
    """What the worker of one attempt fetches."""

    attempt: int
    results_prefix: str
    failed_prefix: str
    deadline_at: datetime

    @classmethod
    def parse(cls, body: str | bytes) -> Self:
        """Read a fetched document. Raise `pydantic.ValidationError` (a `ValueError`) for anything else."""
        return cls.model_validate_json(body)


def results_prefix(job_id: str, attempt: int) -> str:
    """Return where an attempt leaves its results in the results bucket; no slash at the end."""
    return f"results/{job_id}/{attempt}"


def failed_prefix(job_id: str, attempt: int) -> str:
    """Return where an attempt leaves its failure package in the failed bucket; no slash at the end."""
    return f"failed/{job_id}/{attempt}"


def job_prefixes(job_id: str) -> tuple[str, str]:
    """Return what the keys of everything begin with that any attempt left, in the results and the failed bucket."""
    return f"results/{job_id}/", f"failed/{job_id}/"
