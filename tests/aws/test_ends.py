"""Every end that a worker can come to, through the shipped state machine: what AWS makes of it, what is reported."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from aws_accounts import Accounts
from stub_unit import STUB_URI, StubUnit, hurry, stub_image, stub_unit
from waiting import wait_until

DIGEST = "5" * 64


@pytest.fixture(scope="module")
def unit(accounts: Accounts) -> Iterator[StubUnit]:
    with stub_unit(accounts, "ends") as made:
        yield made


def test_a_small_job_succeeds_on_lambda_and_its_digest_is_told(unit: StubUnit) -> None:
    execution = unit.start()
    end = unit.end_of(execution)
    assert (end["status"], json.loads(end["output"])) == ("SUCCEEDED", {"manifest_sha256": DIGEST})
    report = unit.report_of(execution)
    assert (report["event"], report["manifest_sha256"]) == ("succeeded", DIGEST)


def test_a_large_job_succeeds_on_fargate_with_what_the_template_asks_for(unit: StubUnit) -> None:
    execution = unit.start(platform="fargate")
    assert unit.end_of(execution)["status"] == "SUCCEEDED"
    assert unit.report_of(execution)["event"] == "succeeded"
    task = unit.task_of(execution)
    assert _size(task) == ("4096", "8192", 30)
    assert {"key": "cloudmr:unit", "value": "ends"} in task["tags"]


@pytest.mark.parametrize(
    ("needed", "size"),
    [
        ({"vcpu": 4, "memory_mib": 17 * 1024, "disk_gib": 60}, ("4096", str(17 * 1024), 60)),
        ({"vcpu": 16, "memory_mib": 120 * 1024, "disk_gib": 900}, ("16384", str(120 * 1024), 200)),
        ({"vcpu": 1, "memory_mib": 2048, "disk_gib": 1}, ("4096", "8192", 30)),
    ],
)
def test_a_job_that_needs_more_gets_more_and_none_gets_less(
    unit: StubUnit, needed: dict[str, int], size: tuple[str, str, int]
) -> None:
    execution = unit.start("succeeds", platform="fargate", **needed)
    assert unit.end_of(execution)["status"] == "SUCCEEDED"
    assert _size(unit.task_of(execution)) == size


@pytest.mark.parametrize("platform", ["lambda", "fargate"])
def test_a_task_that_is_wrong_in_itself_fails_and_is_not_tried_elsewhere(unit: StubUnit, platform: str) -> None:
    n_tasks = len(unit.tasks())
    execution = unit.start("raises", platform=platform)
    end = unit.end_of(execution)
    assert end["status"] == "FAILED"
    assert end["error"] == {"lambda": "TaskFailed", "fargate": "States.TaskFailed"}[platform]
    if platform == "fargate":
        assert json.loads(end["cause"])["Containers"][0]["ExitCode"] == 70
    assert len(unit.tasks()) == n_tasks + (platform == "fargate")
    assert unit.report_of(execution)["event"] == "failed"


@pytest.mark.parametrize("fate", ["is out of memory", "is killed", "takes all memory"])
def test_a_small_job_that_needs_more_than_lambda_has_goes_on_to_fargate(unit: StubUnit, fate: str) -> None:
    execution = unit.start("succeeds", does_on_lambda=fate)
    assert unit.end_of(execution)["status"] == "SUCCEEDED"
    assert unit.task_of(execution)["containers"][0]["exitCode"] == 0


def test_a_small_job_that_takes_too_long_goes_on_to_fargate(accounts: Accounts, unit: StubUnit) -> None:
    functions = accounts.session().client("lambda")
    functions.update_function_configuration(FunctionName="ends-small-job", Timeout=2)
    try:
        execution = unit.start("succeeds", does_on_lambda="does not end")
        assert unit.end_of(execution)["status"] == "SUCCEEDED"
    finally:
        functions.update_function_configuration(FunctionName="ends-small-job", Timeout=900)
    assert unit.task_of(execution)["containers"][0]["exitCode"] == 0


def test_a_large_job_that_takes_too_long_is_ended_with_its_task(unit: StubUnit) -> None:
    execution = unit.start("does not end", platform="fargate", deadline_s=1)
    end = unit.end_of(execution)
    assert (end["status"], end["error"]) == ("FAILED", "States.Timeout")
    _await_no_child(unit)
    assert unit.task_of(execution)["stoppedReason"] == "Stopped by AWS Step Functions"


def test_a_large_job_that_is_killed_fails_with_the_code_of_a_kill(unit: StubUnit) -> None:
    end = unit.run("is killed", platform="fargate")
    assert json.loads(end["cause"])["Containers"][0]["ExitCode"] == 128 + signal.SIGKILL


def test_a_large_job_that_runs_out_of_memory_says_so(accounts: Accounts) -> None:
    with stub_unit(accounts, "narrow", Cpu="1024", Memory="2048") as narrow:
        end = narrow.run("takes all memory", platform="fargate", vcpu=1, memory_mib=2048)
    container = json.loads(end["cause"])["Containers"][0]
    assert (end["status"], container["ExitCode"]) == ("FAILED", 137)
    assert container["Reason"].startswith("OutOfMemoryError")


def test_an_execution_that_is_stopped_by_hand_ends_its_task_and_is_told(accounts: Accounts, unit: StubUnit) -> None:
    execution = unit.start("does not end", platform="fargate")
    _await_child(unit)
    accounts.session().client("stepfunctions").stop_execution(executionArn=execution)
    assert unit.end_of(execution)["status"] == "ABORTED"
    assert unit.report_of(execution)["event"] == "failed"
    _await_no_child(unit)


def test_a_worker_that_is_killed_from_outside_fails(unit: StubUnit) -> None:
    execution = unit.start("does not end", platform="fargate")
    os.kill(_await_child(unit), signal.SIGKILL)
    assert unit.end_of(execution)["status"] == "FAILED"


def test_an_image_that_cannot_be_pulled_says_so(accounts: Accounts, unit: StubUnit) -> None:
    accounts.put_image(STUB_URI, None)
    try:
        end = unit.run(platform="fargate")
    finally:
        accounts.put_image(STUB_URI, stub_image())
    assert (end["status"], "CannotPullContainerError" in end["cause"]) == ("FAILED", True)


def test_a_report_that_was_not_heard_comes_again(accounts: Accounts, unit: StubUnit) -> None:
    hurry(accounts, unit.stack)
    execution = unit.start("raises")
    job_id = execution.rpartition(":")[2].removesuffix("-1")
    path = f"/api/job/{job_id}/callback"
    unit.brain.answers[path] = (503, b"")
    unit.report_of(execution)
    unit.brain.answers[path] = (200, b"")
    assert unit.report_of(execution)["event"] == "failed"


def test_a_report_that_is_refused_for_good_is_told_once(accounts: Accounts, unit: StubUnit) -> None:
    hurry(accounts, unit.stack)
    execution = unit.start("raises")
    job_id = execution.rpartition(":")[2].removesuffix("-1")
    unit.brain.answers[f"/api/job/{job_id}/callback"] = (404, b"")
    unit.report_of(execution)
    wait_until(lambda: _n_waiting(accounts, unit) == 0, what="an empty queue")


def test_a_secret_stands_in_no_log(accounts: Accounts, unit: StubUnit) -> None:
    unit.report_of(unit.start())
    logs = accounts.session().client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix="/cloudmr/ends")["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        assert events
        assert not [event for event in events if unit.secret in event["message"]]


def _size(task: object) -> tuple[str, str, int]:
    assert isinstance(task, dict)
    overrides = task["overrides"]
    return overrides["cpu"], overrides["memory"], overrides["ephemeralStorage"]["sizeInGiB"]


def _n_waiting(accounts: Accounts, unit: StubUnit) -> int:
    sqs = accounts.session().client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    [url] = sqs.list_queues(QueueNamePrefix=f"{unit.stack.name}-EndQueue")["QueueUrls"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def _tasks_running(unit: StubUnit) -> list[int]:
    return [child["pid"] for child in unit.accounts.children() if child["owner"] == "task"]


def _await_child(unit: StubUnit) -> int:
    return wait_until(lambda: _tasks_running(unit), what="a task")[0]


def _await_no_child(unit: StubUnit) -> None:
    wait_until(lambda: not _tasks_running(unit), what="the end of every task")
