"""Jobs as executions of a unit's state machine, in somebody's AWS account.

The name of an execution is its job and attempt, and its input is always the same text: AWS starts it once. For 90 days
after its end it can be described, and its name is not given again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cloudmr.aws.errors import AccessRefused, NotThere
from cloudmr.aws.scopes import Scope, scope_of_job
from cloudmr.aws.sessions import Access
from cloudmr.aws.unit import AwsUnit
from cloudmr.compute.base import Execution, ExecutionRequest, ExecutionState, LogLine
from cloudmr.compute.ending_in_aws import decide_ending_in_aws
from cloudmr.compute.execution_input import to_input

if TYPE_CHECKING:
    from types_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

_NAME = re.compile(r"[a-z0-9_]{1,32}-[0-9]{1,6}")
_RUNNING = frozenset({"RUNNING", "PENDING_REDRIVE"})
_MOST_LINES = 5000


class StepFunctionsCompute:
    """The compute of a unit in AWS. `access` is the way into its account."""

    def __init__(self, access: Access, unit: AwsUnit) -> None:
        self._access = access
        self._unit = unit

    def start(self, request: ExecutionRequest) -> None:
        """Start an execution; one that was started before is left alone."""
        with self._access.calling(_scope(request.name), "start the job") as aws:
            try:
                aws.step_functions.start_execution(
                    stateMachineArn=self._unit.state_machine_arn, name=request.name, input=to_input(request)
                )
            except aws.step_functions.exceptions.ExecutionAlreadyExists:
                return

    def describe(self, name: str) -> Execution:
        """Return what is true of an execution now."""
        with self._access.calling(_scope(name), "look at the job") as aws:
            try:
                found = aws.step_functions.describe_execution(executionArn=self._unit.execution_arn(name))
            except aws.step_functions.exceptions.ExecutionDoesNotExist:
                return Execution(name=name, state=ExecutionState.UNKNOWN)
        started_at = found["startDate"].astimezone(UTC)
        if found["status"] in _RUNNING:
            return Execution(name=name, state=ExecutionState.RUNNING, started_at=started_at)
        ending = decide_ending_in_aws(
            found["status"], error=found.get("error"), cause=found.get("cause"), deadline_s=_deadline_s(found)
        )
        ended_at = found["stopDate"].astimezone(UTC) if "stopDate" in found else started_at
        return ending.of(name, started_at=started_at, ended_at=ended_at)

    def stop(self, name: str) -> None:
        """Ask an execution to end; `describe` tells when it has. Of an ended or unknown one, do nothing.

        On Fargate its task is stopped, too; on Lambda the worker runs to its end, and nobody looks at its result.
        """
        if self.describe(name).state is not ExecutionState.RUNNING:
            return
        with self._access.calling(_scope(name), "stop the job") as aws:
            try:
                aws.step_functions.stop_execution(executionArn=self._unit.execution_arn(name))
            except aws.step_functions.exceptions.ExecutionDoesNotExist:
                return

    def log(self, name: str) -> Sequence[LogLine]:
        """Return the log so far; nothing where the unit's owner does not show it (`AllowLogs`)."""
        lines: list[LogLine] = []
        try:
            with self._access.calling(_scope(name), "read the job's log") as aws:
                pages = aws.logs.get_paginator("filter_log_events").paginate(
                    logGroupName=self._unit.log_group,
                    filterPattern=f'{{ $.execution = "{name}" }}',
                    PaginationConfig={"MaxItems": _MOST_LINES},
                )
                for page in pages:
                    lines += [line for event in page["events"] if (line := _line(event["message"], name))]
        except (AccessRefused, NotThere):
            return ()
        return sorted(lines, key=_moment)


def _scope(name: str) -> Scope:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no execution's name")
    return scope_of_job(name.rpartition("-")[0])


def _deadline_s(found: DescribeExecutionOutputTypeDef) -> int | None:
    try:
        given: dict[str, Any] = json.loads(found.get("input", ""))
        return int(given["deadline_s"])
    except (ValueError, KeyError, TypeError):
        return None


def _line(message: str, name: str) -> LogLine | None:
    try:
        row = json.loads(message)
        return LogLine.from_row(row) if row["execution"] == name else None
    except (ValueError, KeyError, TypeError):
        return None  # what a library printed


def _moment(line: LogLine) -> datetime:
    return line.at
