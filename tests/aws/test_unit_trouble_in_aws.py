"""What goes wrong around a unit in an account: nothing of it loses a job, and the Brain says what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aws_accounts import IMAGE_URI, USER, Accounts, worker_image
from aws_stacks import deploy
from cloudmr.client.answers import DataFile
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import Refused
from cloudmr.model.jobs import JobState
from cloudmr.model.platforms import Platform
from cloudmr.model.registration import Registration
from cloudmr.model.tokens import Scope
from real_brain import PASSWORD
from small_job import raw_data
from stub_unit import stub_image
from unit_in_account import UnitInAccount
from waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unit(verified_unit: UnitInAccount) -> UnitInAccount:
    return verified_unit


@pytest.fixture(scope="module")
def scan(unit: UnitInAccount, tmp_path_factory: pytest.TempPathFactory) -> DataFile:
    raw = raw_data(tmp_path_factory.mktemp("raw") / "other.npz", np.random.default_rng(20261201))
    return unit.brain.upload(raw, unit_id=unit.unit_id)


@contextmanager
def worker_that(accounts: Accounts, does: str) -> Iterator[None]:
    """Have whatever starts in the unit do this for a while."""
    accounts.put_image(IMAGE_URI, stub_image(does=does))
    try:
        yield
    finally:
        accounts.put_image(IMAGE_URI, worker_image())


def test_a_report_that_is_lost_is_made_up_for_by_asking(
    accounts: Accounts, unit: UnitInAccount, scan: DataFile
) -> None:
    functions = accounts.session().client("lambda")
    [source] = functions.list_event_source_mappings(FunctionName=f"{unit.stack.name}-callback")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    try:
        assert unit.end_of(unit.submit(scan, Platform.LAMBDA)).status is JobState.SUCCEEDED
    finally:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


@pytest.mark.parametrize("platform", [Platform.FARGATE, Platform.LAMBDA])
def test_a_worker_that_is_killed_every_time_fails_the_job(
    accounts: Accounts, unit: UnitInAccount, scan: DataFile, platform: Platform
) -> None:
    with worker_that(accounts, "is killed"):
        job = unit.end_of(unit.submit(scan, platform))
    assert (job.status, job.attempt) == (JobState.FAILED, 2)
    assert job.failure is not None
    assert job.failure.code == "killed"


def test_an_execution_that_is_stopped_by_hand_ends_the_job_and_is_not_begun_again(
    accounts: Accounts, unit: UnitInAccount, scan: DataFile
) -> None:
    with worker_that(accounts, "does not end"):
        job = unit.submit(scan, Platform.FARGATE)
        wait_until(lambda: _tasks(unit), what="a task")
        _stop(unit, job.job_id)
        wait_until(lambda: not _tasks(unit), what="its end")
    job = unit.end_of(job)
    assert (job.status, job.attempt) == (JobState.FAILED, 1)
    assert job.failure is not None
    assert job.failure.code == "stopped"


def test_a_role_that_is_deleted_in_mid_job_keeps_the_end_back_until_it_is_there_again(
    accounts: Accounts, unit: UnitInAccount, scan: DataFile
) -> None:
    with worker_that(accounts, "does not end"):
        job = unit.submit(scan, Platform.FARGATE)
        wait_until(lambda: _tasks(unit), what="a task")
        with _without_role(accounts, unit):
            _stop(unit, job.job_id)
            wait_until(lambda: _status(unit) == "unwell", what="the unit to be found unwell", deadline_s=90)
            assert "did not let CloudMR Brain in" in (unit.brain.computing_units.get(unit.unit_id).status_reason or "")
            waiting = unit.brain.job(job.job_id)
            assert not waiting.has_ended
            assert "does not answer" in (waiting.waiting_reason or "")
    unit.brain.computing_units.check(unit.unit_id)
    job = unit.end_of(job)
    assert job.failure is not None
    assert job.failure.code == "stopped"
    wait_until(lambda: _status(unit) == "ready", what="the unit to be well again", deadline_s=90)


def test_a_token_is_good_for_one_stack_and_a_second_one_needs_its_own(accounts: Accounts, unit: UnitInAccount) -> None:
    url = unit.brain.server
    token = unit.brain.account.create_token(name="another unit", scope=Scope.UNIT_REGISTER).token
    second = deploy(accounts, "second", {"CloudMRApiUrl": url, "CloudMRUserToken": token})
    assert second.status == "CREATE_COMPLETE", second.failures
    assert second.outputs["ComputingUnitId"] != unit.unit_id
    assert not set(second.outputs.values()) & set(unit.stack.outputs.values()) - {
        unit.stack.outputs["Region"],
        unit.stack.outputs["ImageDigest"],
    } - {second.outputs["RegistrationStatus"]}
    third = deploy(accounts, "third", {"CloudMRApiUrl": url, "CloudMRUserToken": token})
    assert third.status == "ROLLBACK_COMPLETE"
    assert "(token_spent)" in third.failures["Preparation"]
    left = [bucket["Name"] for bucket in accounts.session().client("s3").list_buckets()["Buckets"]]
    assert [name for name in left if name.startswith("third-")] == []


def test_an_update_keeps_the_unit_and_one_that_fails_is_rolled_back(accounts: Accounts, unit: UnitInAccount) -> None:
    given = {"CloudMRApiUrl": unit.brain.server, "CloudMRUserToken": "another-word", "AllowLogs": "true"}
    updated = deploy(accounts, unit.stack.name, {**given, "Memory": "16384"}, updates=True)
    assert updated.status == "UPDATE_COMPLETE", updated.failures
    assert updated.outputs["ComputingUnitId"] == unit.unit_id
    broken = deploy(accounts, unit.stack.name, {**given, "Memory": "9999"}, updates=True)
    assert broken.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "No Fargate configuration" in broken.failures["FargateTaskDefinition"]
    assert broken.outputs["CalculationStateMachineArn"] == unit.stack.outputs["CalculationStateMachineArn"]


def test_somebody_elses_parts_are_not_registered(unit: UnitInAccount, tmp_path: Path) -> None:
    found = unit.brain.computing_units.get(unit.unit_id)
    assert found.data_bucket is not None
    with BrainClient(unit.brain.server, folder=tmp_path) as thief:
        thief.register(email="thief@example.org", password=PASSWORD)
        thief.log_in(email="thief@example.org", password=PASSWORD)
        prepared = thief.computing_units.prepare(aws_account_id=USER, region="us-east-1")
        registration = Registration(
            unit_id=prepared.computing_unit_id,
            aws_account_id=USER,
            region="us-east-1",
            state_machine_arn=unit.stack.outputs["CalculationStateMachineArn"],
            cross_account_role_arn=unit.stack.outputs["CloudMRCrossAccountRoleArn"],
            data_bucket=unit.stack.outputs["DataBucketName"],
            results_bucket=unit.stack.outputs["ResultsBucketName"],
            failed_bucket=unit.stack.outputs["FailedBucketName"],
        )
        with pytest.raises(Refused, match="somebody else"):
            thief.computing_units.register(registration)


def test_a_bucket_that_is_deleted_keeps_the_end_back_until_it_is_there_again(
    accounts: Accounts, unit: UnitInAccount, scan: DataFile
) -> None:
    s3 = accounts.session().client("s3")
    bucket = unit.stack.outputs["ResultsBucketName"]
    for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=found["Key"])
    s3.delete_bucket(Bucket=bucket)
    job = unit.submit(scan, Platform.LAMBDA)
    unit.brain.computing_units.check(unit.unit_id)
    wait_until(lambda: _status(unit) == "unwell", what="the unit to be found unwell", deadline_s=90)
    assert bucket in (unit.brain.computing_units.get(unit.unit_id).status_reason or "")
    assert not unit.brain.job(job.job_id).succeeded
    s3.create_bucket(Bucket=bucket)
    unit.brain.computing_units.check(unit.unit_id)
    assert unit.end_of(job).status in {JobState.SUCCEEDED, JobState.FAILED}


def _status(unit: UnitInAccount) -> str:
    return unit.brain.computing_units.get(unit.unit_id).status


def _tasks(unit: UnitInAccount) -> list[int]:
    return [child["pid"] for child in unit.accounts.children() if child["owner"] == "task"]


def _stop(unit: UnitInAccount, job_id: str) -> None:
    machine = unit.stack.outputs["CalculationStateMachineArn"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{job_id}-1"
    unit.accounts.session().client("stepfunctions").stop_execution(executionArn=arn)


@contextmanager
def _without_role(accounts: Accounts, unit: UnitInAccount) -> Iterator[None]:
    """Delete the role that lets the Brain in, and make it again as it was."""
    iam: Any = accounts.session().client("iam")
    name = unit.stack.outputs["CloudMRCrossAccountRoleArn"].rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    policy = iam.get_role_policy(RoleName=name, PolicyName="cloudmr")["PolicyDocument"]
    iam.delete_role_policy(RoleName=name, PolicyName="cloudmr")
    iam.delete_role(RoleName=name)
    try:
        yield
    finally:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="cloudmr", PolicyDocument=json.dumps(policy))
