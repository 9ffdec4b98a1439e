"""What an ended execution of a state machine means: a decision from its status, and from AWS's error and cause.

On Lambda the error is the class that the worker raised, or one of Lambda's own. On Fargate the cause is the description
of the task, as JSON: why it was stopped, and the exit code of its container.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.compute.ending import BY_EXIT_CODE, Ending
from cloudmr.compute.exit_codes import ExitCode

_WORDS_LENGTH = 300
_BY_RAISED: Mapping[str, ExitCode] = {
    "TaskFailed": ExitCode.FAILED,
    "Unheard": ExitCode.UNHEARD,
    "MemoryError": ExitCode.OUT_OF_MEMORY,
    "DiskFull": ExitCode.DISK_FULL,
}
_OUT_OF_TIME = frozenset({"States.Timeout", "Sandbox.Timedout", "States.HeartbeatTimeout"})
_SIGKILL, _SIGTERM = 128 + 9, 128 + 15
_NO_ROOM_IN_AWS = (
    "Capacity is unavailable",
    "RESOURCE:",
    "TooManyRequestsException",
    "ThrottlingException",
    "LimitExceeded",
    "reached the limit",
)


def decide_ending_in_aws(status: str, *, error: str | None, cause: str | None, deadline_s: int | None) -> Ending:
    """Return what the end of an execution means; `status` is Step Functions' own."""
    match status:
        case "SUCCEEDED":
            return Ending(state=ExecutionState.SUCCEEDED)
        case "ABORTED":
            return Ending(state=ExecutionState.STOPPED, cause=Cause.STOPPED, detail="It was asked to end.")
        case "TIMED_OUT":
            return _out_of_time(deadline_s)
        case _:
            return _of_failure(error or "", cause or "", deadline_s)


def _of_failure(error: str, cause: str, deadline_s: int | None) -> Ending:
    if error in _OUT_OF_TIME:
        return _out_of_time(deadline_s)
    if error in _BY_RAISED:
        return _failed(*BY_EXIT_CODE[_BY_RAISED[error]])
    if error in {"Runtime.ExitError", "Runtime.OutOfMemory", "Lambda.Unknown"}:
        return _failed(Cause.KILLED, f"Its sandbox ended ({error}).")
    task = _task(cause)
    if task is not None:
        return _of_task(task)
    words = _shortened(_message(cause))
    if any(sign in f"{error} {words}" for sign in _NO_ROOM_IN_AWS):
        return _failed(Cause.NO_CAPACITY, f"{error}: {words}")
    if error == "AmazonECS.Unknown":  # what RunTask says that could start none
        return _failed(Cause.NO_CAPACITY, f"{error}: {_shortened(_reasons(cause)) or words}")
    if error.startswith(("ECS.", "Lambda.", "States.")):
        return _failed(Cause.NOT_STARTED, f"{error}: {words}")
    return _failed(Cause.CRASHED, f"It ended with {error or 'no error'}.")


def _of_task(task: Mapping[str, Any]) -> Ending:
    stopped = _shortened(str(task.get("StoppedReason") or ""))
    container = _worker_of(task)
    reason, code = _shortened(str(container.get("Reason") or "")), container.get("ExitCode")
    if "OutOfMemory" in reason:
        return _failed(*BY_EXIT_CODE[ExitCode.OUT_OF_MEMORY])
    if isinstance(code, int) and code in BY_EXIT_CODE and code != ExitCode.STOPPED:
        return _failed(*BY_EXIT_CODE[code])
    match task.get("StopCode"):
        case "UserInitiated":
            return Ending(state=ExecutionState.STOPPED, cause=Cause.STOPPED, detail=f"Its task was stopped. {stopped}")
        case "TaskFailedToStart":
            cause = Cause.NO_CAPACITY if any(sign in stopped for sign in _NO_ROOM_IN_AWS) else Cause.NOT_STARTED
            return _failed(cause, reason or stopped)
        case "SpotInterruption" | "TerminationNotice" | "ServiceSchedulerInitiated":
            return _failed(Cause.KILLED, f"AWS ended its task. {stopped}")
    if code is None:
        return _failed(Cause.NOT_STARTED, reason or stopped)
    if code in {_SIGKILL, _SIGTERM, ExitCode.STOPPED}:
        return _failed(Cause.KILLED, "It was killed." if code == _SIGKILL else "It was told to end from outside.")
    return _failed(Cause.CRASHED, f"It ended with exit code {code}.")


def _failed(cause: Cause, detail: str) -> Ending:
    return Ending(state=ExecutionState.FAILED, cause=cause, detail=detail)


def _out_of_time(deadline_s: int | None) -> Ending:
    detail = "It was not done in time." if deadline_s is None else f"It was not done within {deadline_s} s."
    return Ending(state=ExecutionState.TIMED_OUT, cause=Cause.DEADLINE, detail=detail)


def _task(cause: str) -> Mapping[str, Any] | None:
    """Return the description of a task, None where the cause is none."""
    described = _object(cause)
    return described if described is not None and "Containers" in described else None


def _worker_of(task: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = [each for each in task["Containers"] if isinstance(each, Mapping)] if task["Containers"] else []
    return next((each for each in containers if each.get("Name") == "worker"), containers[0] if containers else {})


def _message(cause: str) -> str:
    """Return the words in a cause: Lambda puts them beside a stack trace, others give nothing else."""
    raised = _object(cause)
    return cause if raised is None else str(raised.get("errorMessage", ""))


def _reasons(cause: str) -> str:
    """Return why RunTask started no task, as it says it."""
    failures = (_object(cause) or {}).get("Failures")
    found = [each.get("Reason") for each in failures if isinstance(each, Mapping)] if isinstance(failures, list) else []
    return ", ".join(str(reason) for reason in found if reason)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _shortened(words: str) -> str:
    return words if len(words) <= _WORDS_LENGTH else f"{words[: _WORDS_LENGTH - 1]}…"
