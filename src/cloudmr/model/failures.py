"""Why a job has no result, short enough for a row of the database and complete enough for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from mroptimum.errors import Explanation

_CODE_LENGTH = 64
_SENTENCE_LENGTH = 2000

RETRIED_CAUSES = frozenset({"killed", "out_of_memory", "unheard", "lost", "result_missing"})
"""Ends of a worker that need not happen again. What the task itself brought about is never tried twice."""
NO_CAPACITY = "no_capacity"
"""No worker began, since there was no machine for it: a job waits for one."""


@dataclass(frozen=True, kw_only=True)
class JobFailure:
    """A code, what happened, and what to do."""

    code: str
    message: str
    next_step: str

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """Return an explanation, shortened to what a row holds."""
        return cls(
            code=_shorten(explanation["code"], _CODE_LENGTH),
            message=_shorten(explanation["message"], _SENTENCE_LENGTH),
            next_step=_shorten(explanation["next_step"], _SENTENCE_LENGTH),
        )


def failure_by_cause(cause: str, detail: str | None = None) -> JobFailure:
    """Return what to tell a person about a worker that ended for `cause` and could not speak for itself.

    Causes are those of `cloudmr.compute.base.Cause`, and a few that only the Brain can see.
    """
    code = cause if cause in _BY_CAUSE else "crashed"
    message, next_step = _BY_CAUSE[code]
    return JobFailure.of({"code": code, "message": " ".join(filter(None, (message, detail))), "next_step": next_step})


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


_BY_CAUSE: Mapping[str, tuple[str, str]] = {
    "out_of_memory": (
        "The job needed more memory than the computing unit gave it.",
        "Choose fewer slices or repetitions, or a computing unit with more memory.",
    ),
    "killed": (
        "The worker was ended from outside.",
        "Run the job again; if it happens again, ask the unit's operator.",
    ),
    "cpu_time": ("The job used up the processor time it was given.", "Choose fewer replicas, slices or repetitions."),
    "disk_full": (
        "The job needed more disk than the computing unit gave it.",
        "Choose fewer outputs, or a computing unit with more disk.",
    ),
    "deadline": ("The job was not done within its time.", "Choose fewer replicas, slices or repetitions."),
    "stopped": (
        "The job was stopped at the computing unit, not from here.",
        "Ask the person who operates the unit, then run the job again.",
    ),
    "result_missing": (
        "The worker said that it was done, but its results are not all there.",
        "Run the job again; if it happens again, check the unit's results bucket.",
    ),
    "unit_silent": (
        "The computing unit did not say within the job's time what became of it.",
        "Check the computing unit, then run the job again.",
    ),
    "not_started": (
        "The job did not get its turn within its time.",
        "Check the computing unit, or choose another one, then run the job again.",
    ),
    "task_failed": (
        "The worker said that the job failed, but not why: its failure package is not there.",
        "Run the job again; if it happens again, check the unit's failed bucket.",
    ),
    NO_CAPACITY: (
        "The computing unit had no machine for the job.",
        "Ask AWS for a higher quota, or run the job again when fewer others run.",
    ),
    "worker_not_started": (
        "The computing unit could not start a worker.",
        "Have the unit's owner run `cloudmr unit check`: it looks at the image, the network and the rights.",
    ),
    "unheard": (
        "The worker could not get the job from CloudMR Brain.",
        "Check that the computing unit can reach CloudMR Brain, then run the job again.",
    ),
    "lost": (
        "The computing unit no longer knows of the job it was working at.",
        "Run the job again; if it happens again, ask the unit's operator.",
    ),
    "crashed": ("The worker ended without a word.", "Run the job again; if it happens again, report the job's id."),
}
