"""What can be done with a stack as it is: made, changed, made anew, or nothing until somebody mends it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from cloudmr.deploy.account import LONGEST_BUCKET_NAME, Stack
from cloudmr.deploy.troubles import Problem, Trouble, problem

STACK_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_LONGEST_STACK_NAME = 41
_GOOD = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
_EMPTY = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS"})
_COMMANDS = {"UPDATE_ROLLBACK_FAILED": "continue-update-rollback"}


class Step(StrEnum):
    """What deploying comes to."""

    CREATE = "create"
    """There is no such stack: it is made."""
    UPDATE = "update"
    """It is there: it is changed where it differs."""
    REPLACE = "replace"
    """What a failed creation left, with nothing in it: it is deleted, and made."""


def step_of(stack: Stack | None) -> Step | None:
    """Return what deploying comes to, None where nothing can be done."""
    if stack is None or stack.status == "DELETE_COMPLETE":
        return Step.CREATE
    if stack.status in _GOOD:
        return Step.UPDATE
    return Step.REPLACE if stack.status in _EMPTY else None


def has_ended(status: str) -> bool:
    """Tell whether nothing is being changed any more."""
    return not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS"


def is_good(status: str) -> bool:
    """Tell whether what was wanted last has been done."""
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}


def trouble_with_stack(stack: Stack, region: str) -> Problem | None:
    """Return why nothing can be done with a stack, None where something can."""
    details = {"stack": stack.name, "status": stack.status, "region": region}
    if not has_ended(stack.status):
        return problem(Trouble.STACK_BUSY, **details)
    if step_of(stack) is None:
        command = _COMMANDS.get(stack.status, "delete-stack")
        return problem(Trouble.STACK_STUCK, command=command, **details)
    return None


def trouble_with_name(name: str, bucket_names: Iterable[str]) -> Problem | None:
    """Return why a stack cannot have this name, None where it can; its buckets would be called so."""
    excess = max((len(bucket_name) - LONGEST_BUCKET_NAME for bucket_name in bucket_names), default=0)
    if STACK_NAME.fullmatch(name) and excess <= 0:
        return None
    most = _LONGEST_STACK_NAME if excess <= 0 else len(name) - excess
    return problem(Trouble.STACK_NAME_INVALID, stack=name, most=most)
