"""Jobs as executions of the shipped stack's state machine keep the contract of every compute, on either branch."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from aws_accounts import REGION, USER, Accounts, Image
from aws_stacks import deploy
from aws_units import BRAIN_ARN, brain_credentials, unit_of
from cloudmr.aws.sessions import OwnAccess, RoleAccess, Sessions
from cloudmr.aws.unit import AwsUnit
from cloudmr.compute.base import Execution, ExecutionRequest, ExecutionState, LogLine, Resources
from cloudmr.compute.conformance import Behaviour, ComputeConformance, HeardCallback
from cloudmr.compute.step_functions import StepFunctionsCompute
from cloudmr.errors import UnitUnavailable
from cloudmr.model.ids import Kind, new_id
from cloudmr.model.instants import utc_now
from cloudmr.model.platforms import Platform
from listener import Listener, listening
from waiting import wait_until

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import InputLogEventTypeDef

GIB = 2**30
STUB = Path(__file__).parent / "stub"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/behaving:1"
EXTERNAL_ID = secrets.token_hex(16)


@pytest.fixture(scope="module")
def stack(accounts: Accounts) -> AwsUnit:
    environment = {"PYTHONPATH": str(STUB)}
    accounts.put_image(IMAGE, Image(argv=(sys.executable, str(STUB / "behaving.py")), environment=environment))
    name = f"behaving-{secrets.token_hex(3)}"
    made = deploy(
        accounts,
        name,
        {
            "CloudMRApiUrl": "http://127.0.0.1:1",
            "ComputingUnitId": new_id(Kind.UNIT, now=utc_now()),
            "ExternalId": EXTERNAL_ID,
            "BrainPrincipalArn": BRAIN_ARN,
            "ImageUri": IMAGE,
            "AllowLogs": "true",
        },
    )
    assert made.status == "CREATE_COMPLETE", made.failures
    return unit_of(made, external_id=EXTERNAL_ID)


@pytest.fixture(scope="module")
def brains_environment(accounts: Accounts) -> Mapping[str, str]:
    return accounts.environment(credentials=brain_credentials(accounts))


@pytest.fixture
def sessions(brains_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Sessions:
    for name, value in brains_environment.items():
        monkeypatch.setenv(name, value)
    return Sessions()


@pytest.fixture
def brain() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@dataclass(frozen=True, kw_only=True)
class UnitInAws:
    """A stack whose workers behave as their request says."""

    backend: StepFunctionsCompute
    brain: Listener
    platform: Platform
    job_id: str

    def request(self, behaviour: Behaviour, *, attempt: int = 1) -> ExecutionRequest:
        return ExecutionRequest(
            job_id=self.job_id,
            attempt=attempt,
            document_url=f"{self.brain.url}/document",
            callback_url=f"{self.brain.url}/callback",
            progress_url=f"{self.brain.url}/progress",
            key_id=behaviour,
            secret="5ec2e7" * 8,
            resources=Resources(memory_bytes=8 * GIB, cpu_time_s=60, disk_bytes=GIB, deadline_s=60),
            platform=self.platform,
        )

    def await_end(self, name: str) -> Execution:
        def ended() -> Execution | None:
            execution = self.backend.describe(name)
            return None if execution.state is ExecutionState.RUNNING else execution

        return wait_until(ended, what=f"the end of {name}")

    def await_callback(self) -> HeardCallback:
        heard = self.brain.next("/callback")
        return HeardCallback(body=heard.body, headers=httpx.Headers(dict(heard.headers)))


class _InAws(ComputeConformance):
    platform: Platform

    @pytest.fixture
    def unit(self, stack: AwsUnit, sessions: Sessions, brain: Listener) -> Iterator[UnitInAws]:
        unit = UnitInAws(
            backend=StepFunctionsCompute(RoleAccess(sessions, stack), stack),
            brain=brain,
            platform=self.platform,
            job_id=new_id(Kind.JOB, now=utc_now()),
        )
        yield unit
        for attempt in (1, 2):
            unit.backend.stop(unit.request(Behaviour.RUNS, attempt=attempt).name)


class TestOnLambda(_InAws):
    platform = Platform.LAMBDA


class TestOnFargate(_InAws):
    platform = Platform.FARGATE


@pytest.fixture
def backend(stack: AwsUnit, sessions: Sessions) -> StepFunctionsCompute:
    return StepFunctionsCompute(RoleAccess(sessions, stack), stack)


def test_a_name_that_is_no_executions_is_refused(backend: StepFunctionsCompute) -> None:
    for name in ("", "job_1", "job_1-1/../x", "JOB_1-1", "job_1-1 "):
        with pytest.raises(ValueError, match="no execution"):
            backend.describe(name)


def test_a_machine_that_is_gone_says_so(stack: AwsUnit, sessions: Sessions, accounts: Accounts) -> None:
    """What the role may start is one machine; asked for another one it refuses, and a deleted one is not there."""
    gone = replace(stack, state_machine_arn=stack.state_machine_arn.replace("-jobs", "-gone"))
    backend = StepFunctionsCompute(RoleAccess(sessions, gone), gone)
    with pytest.raises(UnitUnavailable):
        backend.describe(f"{new_id(Kind.JOB, now=utc_now())}-1")


def test_the_log_is_empty_where_it_is_not_shown(stack: AwsUnit, sessions: Sessions) -> None:
    elsewhere = replace(stack, state_machine_arn=stack.state_machine_arn.replace("-jobs", "-others"))
    backend = StepFunctionsCompute(RoleAccess(sessions, elsewhere), elsewhere)
    assert list(backend.log(f"{new_id(Kind.JOB, now=utc_now())}-1")) == []


def test_the_log_of_an_execution_is_its_own_lines_by_time(
    stack: AwsUnit, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in accounts.environment(USER).items():
        monkeypatch.setenv(name, value)
    backend = StepFunctionsCompute(OwnAccess(region=REGION), stack)
    job_id = new_id(Kind.JOB, now=utc_now())
    lines = [
        LogLine(at=utc_now() + timedelta(seconds=second), level="info", message=f"step {second}") for second in range(3)
    ]
    said = [json.dumps({"execution": f"{job_id}-1", **line.to_row()}) for line in reversed(lines)]
    others = json.dumps({"execution": f"{job_id}-2", **lines[0].to_row()})
    logs = accounts.session(USER).client("logs")
    logs.create_log_stream(logGroupName=stack.log_group, logStreamName=job_id)
    events: list[InputLogEventTypeDef] = [
        {"timestamp": int(utc_now().timestamp() * 1000), "message": message}
        for message in (*said, others, "a library's own words")
    ]
    logs.put_log_events(logGroupName=stack.log_group, logStreamName=job_id, logEvents=events)
    assert [line.message for line in backend.log(f"{job_id}-1")] == ["step 0", "step 1", "step 2"]
