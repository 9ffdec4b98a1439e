"""What goes wrong in somebody's account while a job of theirs runs there, and what they see of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aws_accounts import USER, Accounts
from cloudmr.client.answers import DataFile
from cloudmr.model.findings import Check, Outcome
from cloudmr.model.jobs import JobState
from mroptimum.flags import Flags
from real_brain import RealBrain
from units_at_work import PATIENCE_S, Owner, brain_in_aws, brains_environment, own_unit
from waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(accounts: Accounts) -> Mapping[str, str]:
    return brains_environment(accounts)


@pytest.fixture(autouse=True)
def still_there(
    no_settings_of_this_machine: None, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def brain(
    accounts: Accounts, environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealBrain]:
    with brain_in_aws(accounts, tmp_path_factory.mktemp("brain"), environment) as running:
        yield running


@pytest.fixture(scope="module")
def owner(accounts: Accounts, brain: RealBrain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    with brain.person() as client:
        yield own_unit(accounts, brain, client, tmp_path_factory.mktemp("owner"))


@pytest.fixture(scope="module")
def scan(owner: Owner) -> DataFile:
    return owner.client.upload(owner.raw, unit_id=owner.unit_id)


@pytest.fixture
def account(accounts: Accounts) -> Any:
    return accounts.session(USER)


def test_an_execution_that_is_stopped_by_hand(owner: Owner, scan: DataFile, account: Any) -> None:
    job = owner.long_job(scan)
    machine = owner.stack.outputs["CalculationStateMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{job.job_id}-1"
    account.client("stepfunctions").stop_execution(executionArn=execution)
    failed = owner.until(job.job_id, JobState.FAILED)
    assert failed.failure is not None
    assert failed.failure.code == "stopped"
    assert "stopped at the computing unit" in failed.failure.message


def test_a_role_that_is_deleted_in_mid_job_and_made_again(owner: Owner, scan: DataFile, account: Any) -> None:
    job = owner.long_job(scan)
    iam, role = account.client("iam"), owner.stack.outputs["CloudMRCrossAccountRoleArn"].rpartition("/")[2]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    rights = iam.get_role_policy(RoleName=role, PolicyName="cloudmr")["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName="cloudmr")
    iam.delete_role(RoleName=role)

    report = owner.client.computing_units.check(owner.unit_id)
    assert report.computing_unit.status == "unwell"
    assert {finding.check: finding.outcome for finding in report.findings}[Check.ROLE_ASSUMED] is Outcome.FAILED
    owner.client.cancel(job.job_id)
    waiting = owner.client.job(job.job_id)
    assert waiting.status is JobState.RUNNING
    assert waiting.waiting_reason is not None
    assert "does not answer" in waiting.waiting_reason

    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=role, PolicyName="cloudmr", PolicyDocument=json.dumps(rights))
    # Its worker may have been done before anybody could stop it.
    owner.until(job.job_id, JobState.CANCELLED, JobState.SUCCEEDED)
    owner.client.computing_units.check(owner.unit_id)
    assert owner.client.computing_units.get(owner.unit_id).status == "ready"


def test_an_object_that_is_removed_before_its_job(owner: Owner, account: Any) -> None:
    scan = owner.client.upload(owner.raw, unit_id=owner.unit_id)
    bucket = owner.stack.outputs["DataBucketName"]
    account.client("s3").delete_object(Bucket=bucket, Key=f"uploads/{scan.id}")
    job = owner.client.submit(Flags(method="ac", reconstruction="rss").document(scan.reference, None))
    failed = owner.until(job.job_id, JobState.FAILED)
    assert failed.failure is not None
    assert failed.failure.code == "input_not_there"


def test_a_results_bucket_that_is_deleted(owner: Owner, scan: DataFile, account: Any) -> None:
    s3, bucket = account.client("s3"), owner.stack.outputs["ResultsBucketName"]
    for found in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
        s3.delete_object(Bucket=bucket, Key=found["Key"])
    s3.delete_bucket(Bucket=bucket)
    try:
        job = owner.client.submit(Flags(method="ac", reconstruction="rss").document(scan.reference, None))
        failed = owner.until(job.job_id, JobState.FAILED)
        assert failed.failure is not None
        assert failed.failure.code == "aws_not_there"
        report = owner.client.computing_units.check(owner.unit_id)
        assert {finding.check: finding.outcome for finding in report.findings}[Check.RESULTS_BUCKET] is Outcome.FAILED
        assert report.computing_unit.status == "unwell"

        later = owner.client.submit(Flags(method="ac", reconstruction="rss").document(scan.reference, None))
        wait_until(
            lambda: (owner.client.job(later.job_id).waiting_reason or "").startswith("The computing unit"),
            what="the job to say why it waits",
            deadline_s=PATIENCE_S,
        )
        owner.client.cancel(later.job_id)
    finally:
        s3.create_bucket(Bucket=bucket)


def test_a_second_stack_in_the_same_account_is_a_unit_of_its_own(
    accounts: Accounts, brain: RealBrain, owner: Owner, tmp_path: Path
) -> None:
    second = own_unit(accounts, brain, owner.client, tmp_path)
    assert second.unit_id != owner.unit_id
    units = {unit.computing_unit_id: unit for unit in owner.client.units()}
    assert units[second.unit_id].is_default is False
    data_file = second.client.upload(second.raw, unit_id=second.unit_id)
    job = second.client.submit(Flags(method="ac", reconstruction="rss").document(data_file.reference, None))
    assert second.until(job.job_id, JobState.SUCCEEDED).computing_unit.computing_unit_id == second.unit_id
