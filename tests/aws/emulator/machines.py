"""Step Functions: what AWS does and MiniStack leaves out.

Added: `ecs:runTask.sync` that fails on a failed task and ends its task when it is itself ended; the rights of the state
machine's role; the documented limits; time-outs from the input and of the whole machine; how a failure is described.
"""

from __future__ import annotations

import contextvars
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import botocore.session
import botocore.validate
from ministack.core.responses import error_response_json
from ministack.services import ecs
from ministack.services import stepfunctions as machines
from tests.aws.emulator.rights import acts_for, refusal, trusts_service

MAX_DATA_BYTES = 256 * 1024
MAX_NAME_LENGTH = 80
MAX_OVERRIDES_LENGTH = 8192
_NOT_IN_NAMES = frozenset(' <>{}[]?*"#%\\^|~`$&,;:/\n\t')
_LOOK_EVERY_S = 0.05
_FAILED = ("FAILED", "TIMED_OUT", "ABORTED")
_CODES = {"lambda:InvokeFunction": "Lambda.AWSLambdaException", "ecs:RunTask": "ECS.AccessDeniedException"}


@dataclass(frozen=True, kw_only=True)
class _Running:
    """The execution that this thread works at: its record, its role and its region."""

    record: dict[str, Any]
    role: str
    region: str


_current: contextvars.ContextVar[_Running | None] = contextvars.ContextVar("execution", default=None)
_task_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("task_deadline", default=None)
_run, _invoke, _start, _describe, _task, _emit = (
    machines._run_execution,
    machines._invoke_resource,
    machines._start_execution,
    machines._describe_execution,
    machines._execute_task,
    machines._emit_execution_status_event,
)


def install() -> None:
    """Put the additions in place."""
    machines._run_execution = _run_execution
    machines._invoke_resource = _invoke_resource
    machines._start_execution = _start_execution
    machines._describe_execution = _describe_execution
    machines._execute_task = _execute_task
    machines._SERVICE_DISPATCH["arn:aws:states:::ecs:runTask"] = _run_task
    machines._fail_execution = _fail_execution


def _start_execution(data: dict[str, Any]) -> Any:
    name = data.get("name", "x")
    if not 0 < len(name) <= MAX_NAME_LENGTH or _NOT_IN_NAMES & set(name):
        return error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
    if len((data.get("input") or "").encode()) > MAX_DATA_BYTES:
        return error_response_json("InvalidExecutionInput", "The input is larger than 262144 bytes.", 400)
    earlier = _of_that_name(data, name)
    if earlier is not None and earlier["status"] == "RUNNING" and earlier["input"] == data.get("input", "{}"):
        # The same call again is the same execution, as long as it runs.
        answer = {"executionArn": earlier["executionArn"], "startDate": earlier["startDate"]}
        return machines.json_response(answer)
    return _start(data)


def _of_that_name(data: dict[str, Any], name: str) -> dict[str, Any] | None:
    machine = machines._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if machine is None:
        return None
    arn = machine.replace(":stateMachine:", ":execution:") + f":{name}"
    found: dict[str, Any] | None = machines._executions.get(arn)
    return found


def _describe_execution(data: dict[str, Any]) -> Any:
    status, headers, body = _describe(data)
    described = json.loads(body)
    if described.get("status") in _FAILED:
        for name in ("output", "outputDetails"):
            described.pop(name, None)
        body = json.dumps(described).encode()
    return status, {name: value for name, value in headers.items() if name.lower() != "content-length"}, body


def _run_execution(execution_arn: str) -> None:
    record = machines._executions.get(execution_arn)
    if record is None:
        return
    role = record["events"][0]["executionStartedEventDetails"]["roleArn"]
    _current.set(_Running(record=record, role=role, region=execution_arn.split(":")[3]))
    if not trusts_service(role, "states.amazonaws.com"):
        _fail_execution(record, "States.Runtime", f"Step Functions may not assume the role {role}.")
        return
    definition = json.loads(machines._state_machines[record["stateMachineArn"]]["definition"])
    if "TimeoutSeconds" in definition:
        context = contextvars.copy_context()
        timer = threading.Timer(definition["TimeoutSeconds"], context.run, (_time_out, record))
        timer.daemon = True
        timer.start()
    _run(execution_arn)


def _time_out(record: dict[str, Any]) -> None:
    if record["status"] != "RUNNING":
        return
    record["status"], record["error"], record["cause"] = "TIMED_OUT", "States.Timeout", None
    record["stopDate"] = machines.now_iso()
    machines._add_event(record, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}})
    _emit(record)


def _fail_execution(record: dict[str, Any], error: str, cause: str) -> None:
    if record["status"] != "RUNNING":
        return
    record["status"], record["error"], record["cause"] = "FAILED", error, cause
    record["stopDate"] = machines.now_iso()
    machines._add_event(record, "ExecutionFailed", {"executionFailedEventDetails": {"error": error, "cause": cause}})
    _emit(record)


def _execute_task(state: dict[str, Any], given: Any, execution: dict[str, Any], context: Any) -> Any:
    if "TimeoutSecondsPath" in state:
        seconds = machines._resolve_path(state["TimeoutSecondsPath"], given)
        state = {**state, "TimeoutSeconds": seconds}
    if isinstance(state.get("TimeoutSeconds"), str):
        seconds = machines._apply_jsonata_template(state["TimeoutSeconds"], given, context)
        state = {**state, "TimeoutSeconds": seconds}
    timeout_s = state.get("TimeoutSeconds")
    _task_deadline.set(None if timeout_s is None else time.monotonic() + timeout_s)
    return _task(state, given, execution, context)


def _invoke_resource(resource: str, given: dict[str, Any]) -> Any:
    running = _current.get()
    assert running is not None
    if "states:::lambda:invoke" in resource:
        _need("lambda:InvokeFunction", _arn(given.get("FunctionName", ""), "lambda", "function:"))
    if "ecs:runTask" in resource:
        _check_run_task(given)
    outcome = _invoke(resource, given)
    if len(json.dumps(outcome, separators=(",", ":"), default=str).encode()) > MAX_DATA_BYTES:
        raise machines._ExecutionError(
            "States.DataLimitExceeded",
            "The state/task returned a result with a size exceeding the maximum number of bytes service limit.",
        )
    return outcome


def _check_run_task(given: dict[str, Any]) -> None:
    definition_arn = _arn(given.get("TaskDefinition", ""), "ecs", "task-definition/")
    _need("ecs:RunTask", definition_arn)
    definition = ecs._task_defs.get(ecs._resolve_td_key(definition_arn)) or {}
    for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")):
        if role:
            _need("iam:PassRole", role, {"iam:passedtoservice": "ecs-tasks.amazonaws.com"})
    if given.get("Tags") or given.get("PropagateTags"):
        _need("ecs:TagResource", f"arn:aws:ecs:{_where()}:task/{_cluster_name(given)}/new")
    shape = botocore.session.get_session().get_service_model("ecs").operation_model("RunTask").input_shape
    assert shape is not None
    report = botocore.validate.ParamValidator().validate(machines._pascal_to_camel(given), shape)
    if report.has_errors():
        raise machines._ExecutionError("States.Runtime", report.generate_report())
    if len(json.dumps(given.get("Overrides", {}))) > MAX_OVERRIDES_LENGTH:
        raise machines._ExecutionError(
            "ECS.InvalidParameterException", "Container Overrides length must be at most 8192"
        )


def _cluster_name(given: dict[str, Any]) -> str:
    name: str = given.get("Cluster", "default")
    return name.rpartition("/")[2]


def _run_task(resource: str, given: dict[str, Any]) -> Any:
    """Run a task; with `.sync` to its end, the description of which is the result."""
    status, _, body = ecs._run_task(machines._pascal_to_camel(given))
    answer = json.loads(body or b"{}")
    if status >= 400:
        kind = str(answer.get("__type", "AmazonECSException")).rsplit("#", 1)[-1]
        raise machines._ExecutionError(f"ECS.{kind}", answer.get("message", str(answer)))
    if not resource.rstrip("/").endswith(".sync"):
        return _pascal(answer)
    return _await_task(answer["tasks"][0]["taskArn"], given.get("Cluster", "default"))


def _await_task(task_arn: str, cluster: str) -> Any:
    running, deadline = _current.get(), _task_deadline.get()
    assert running is not None
    while True:
        time.sleep(_LOOK_EVERY_S)
        described = json.loads(ecs._describe_tasks({"cluster": cluster, "tasks": [task_arn]})[2])["tasks"][0]
        if described["lastStatus"] == "STOPPED":
            _may("ecs:DescribeTasks", task_arn)
            return _result(described)
        is_late = deadline is not None and time.monotonic() >= deadline
        if (is_late or running.record["status"] != "RUNNING") and _may("ecs:StopTask", task_arn):
            ecs._stop_task({"cluster": cluster, "task": task_arn, "reason": "Stopped by AWS Step Functions"})
        if is_late:
            raise machines._ExecutionError("States.Timeout", "The task timed out.")


def _result(described: dict[str, Any]) -> Any:
    result = _pascal(described)
    failed_to_start = described.get("stopCode") == "TaskFailedToStart"
    if failed_to_start or any(container.get("exitCode") != 0 for container in described["containers"]):
        raise machines._ExecutionError("States.TaskFailed", json.dumps(result, default=str))
    return result


def _need(action: str, resource: str, keys: Mapping[str, str] | None = None) -> None:
    running = _current.get()
    assert running is not None
    if not _may(action, resource, keys):
        words = refusal(running.role, running.record["name"], action, resource)
        raise machines._ExecutionError(_CODES.get(action, "States.Permissions"), words)


def _may(action: str, resource: str, keys: Mapping[str, str] | None = None) -> bool:
    running = _current.get()
    assert running is not None
    return acts_for(running.role, running.record["name"], action, resource, running.region, keys=keys)


def _arn(name: str, service: str, kind: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:{service}:{_where()}:{kind}{name}"


def _where() -> str:
    running = _current.get()
    assert running is not None
    return f"{running.region}:{running.role.split(':')[4]}"


def _pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: _pascal(each) for name, each in value.items()}
    return [_pascal(each) for each in value] if isinstance(value, list) else value
