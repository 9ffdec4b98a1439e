from __future__ import annotations

import json
from typing import Any

import pytest

from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.compute.ending import Ending
from cloudmr.compute.ending_in_aws import decide_ending_in_aws
from cloudmr.compute.exit_codes import ExitCode


def ending_of(status: str = "FAILED", *, error: str = "", cause: str = "") -> Ending:
    return decide_ending_in_aws(status, error=error, cause=cause, deadline_s=3600)


def raised(kind: str, message: str = "m") -> str:
    return json.dumps({"errorMessage": message, "errorType": kind, "requestId": "r", "stackTrace": []})


def task(*, code: int | None = None, reason: str | None = None, **described: Any) -> str:
    container = {"Name": "worker", "ExitCode": code, "Reason": reason}
    beside = {"Name": "something-that-aws-adds", "ExitCode": 0}
    return json.dumps({"Containers": [beside, container], "StopCode": "EssentialContainerExited", **described})


def test_ends_that_need_no_cause() -> None:
    assert ending_of("SUCCEEDED") == Ending(state=ExecutionState.SUCCEEDED)
    assert (ending_of("ABORTED").state, ending_of("ABORTED").cause) == (ExecutionState.STOPPED, Cause.STOPPED)


def test_what_says_that_no_task_was_started_says_why() -> None:
    said = json.dumps({"Failures": [{"Reason": "RESOURCE:CPU"}, {"Reason": "AGENT"}], "Tasks": []})
    ending = ending_of(error="AmazonECS.Unknown", cause=said)
    assert (ending.cause, ending.detail) == (Cause.NO_CAPACITY, "AmazonECS.Unknown: RESOURCE:CPU, AGENT")
    assert ending_of(error="AmazonECS.Unknown", cause="nothing more").cause is Cause.NO_CAPACITY


@pytest.mark.parametrize(("status", "error"), [("TIMED_OUT", ""), ("FAILED", "States.Timeout")])
def test_the_deadline(status: str, error: str) -> None:
    ending = ending_of(status, error=error)
    assert (ending.state, ending.cause) == (ExecutionState.TIMED_OUT, Cause.DEADLINE)
    assert ending.detail == "It was not done within 3600 s."


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("TaskFailed", Cause.TASK_FAILED),
        ("Unheard", Cause.UNHEARD),
        ("MemoryError", Cause.OUT_OF_MEMORY),
        ("DiskFull", Cause.DISK_FULL),
        ("Runtime.ExitError", Cause.KILLED),
        ("ZeroDivisionError", Cause.CRASHED),
        ("Lambda.TooManyRequestsException", Cause.NO_CAPACITY),
        ("Lambda.AWSLambdaException", Cause.NOT_STARTED),
        ("Lambda.ResourceNotFoundException", Cause.NOT_STARTED),
        ("States.Permissions", Cause.NOT_STARTED),
    ],
)
def test_what_lambda_says(error: str, cause: Cause) -> None:
    ending = ending_of(error=error, cause=raised(error))
    assert (ending.state, ending.cause) == (ExecutionState.FAILED, cause)


@pytest.mark.parametrize(
    ("described", "cause"),
    [
        (task(code=ExitCode.FAILED), Cause.TASK_FAILED),
        (task(code=ExitCode.OUT_OF_MEMORY), Cause.OUT_OF_MEMORY),
        (task(code=ExitCode.DISK_FULL), Cause.DISK_FULL),
        (task(code=ExitCode.UNHEARD), Cause.UNHEARD),
        (task(code=ExitCode.STOPPED), Cause.KILLED),
        (task(code=137), Cause.KILLED),
        (task(code=137, reason="OutOfMemoryError: Container killed due to memory usage"), Cause.OUT_OF_MEMORY),
        (task(code=143), Cause.KILLED),
        (task(code=1), Cause.CRASHED),
        (task(code=137, StopCode="TerminationNotice", StoppedReason="Host maintenance."), Cause.KILLED),
        (
            task(StopCode="TaskFailedToStart", StoppedReason="CannotPullContainerError: no such image"),
            Cause.NOT_STARTED,
        ),
        (
            task(StopCode="TaskFailedToStart", StoppedReason="Capacity is unavailable at this time."),
            Cause.NO_CAPACITY,
        ),
        (task(StoppedReason="ResourceInitializationError: unable to pull"), Cause.NOT_STARTED),
        (json.dumps({"Containers": [], "StoppedReason": "Timeout waiting for network interface"}), Cause.NOT_STARTED),
    ],
)
def test_what_fargate_says(described: str, cause: Cause) -> None:
    ending = ending_of(error="States.TaskFailed", cause=described)
    assert (ending.state, ending.cause) == (ExecutionState.FAILED, cause)


def test_a_task_that_somebody_stopped_was_stopped() -> None:
    described = task(code=137, StopCode="UserInitiated", StoppedReason="Not today.")
    ending = ending_of(error="States.TaskFailed", cause=described)
    assert (ending.state, ending.cause) == (ExecutionState.STOPPED, Cause.STOPPED)
    assert ending.detail == "Its task was stopped. Not today."


@pytest.mark.parametrize(
    ("error", "words", "cause"),
    [
        ("ECS.AmazonECSException", "Capacity is unavailable at this time. Please try again later", Cause.NO_CAPACITY),
        ("ECS.AccessDeniedException", "User is not authorized to perform: iam:PassRole", Cause.NOT_STARTED),
        ("ECS.InvalidParameterException", "The subnet ID does not exist", Cause.NOT_STARTED),
    ],
)
def test_a_task_that_was_never_begun(error: str, words: str, cause: Cause) -> None:
    ending = ending_of(error=error, cause=words)
    assert ending.cause is cause
    assert ending.detail == f"{error}: {words}"


def test_what_the_image_is_to_blame_for_is_told_in_awss_words() -> None:
    words = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"
    described = task(StopCode="TaskFailedToStart", StoppedReason=words)
    assert ending_of(error="States.TaskFailed", cause=described).detail == words


@pytest.mark.parametrize("cause", ["", "null", "[]", "{", '{"Containers": null}', '{"errorMessage": 1}'])
def test_causes_nobody_expects(cause: str) -> None:
    assert ending_of(error="States.TaskFailed", cause=cause).state is ExecutionState.FAILED
    assert ending_of(cause=cause).cause in {Cause.CRASHED, Cause.NOT_STARTED}


def test_words_are_shortened() -> None:
    detail = ending_of(error="States.Runtime", cause="x" * 5000).detail
    assert detail is not None
    assert len(detail) < 400
