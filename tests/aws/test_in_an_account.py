"""Everything that is done in a unit, in one run; then every right of every role was used, and none was missing.

After that: what goes wrong around the unit, and what somebody may try with its registration.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import nibabel
import numpy as np
import pytest

from aws_accounts import IMAGE_URI, OPERATOR, USER, Accounts, worker_image
from aws_stacks import deploy
from brain_process import BrainProcess
from cloudmr.client.answers import DataFile, Job
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import Refused
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import JobState
from cloudmr.model.platforms import Platform
from cloudmr.model.registration import Registration
from cloudmr.model.tokens import Scope
from real_brain import PASSWORD
from rights_used import rights_of, roles_of
from small_job import raw_data
from stub_unit import stub_image
from unit_in_account import UnitInAccount
from waiting import wait_until

pytestmark = pytest.mark.slow
MARK = 64
"""So many bytes of a file are looked for elsewhere; they occur by chance nowhere."""


ON_AWS_ONLY = {
    **dict.fromkeys(
        [("StateMachineRole", f"events:{action}") for action in ("DescribeRule", "PutRule", "PutTargets")],
        "AWS Step Functions developer guide, 'IAM policies for calling Amazon ECS': how `.sync` hears of a task's end",
    ),
    **dict.fromkeys(
        [(role, "s3:AbortMultipartUpload") for role in ("SmallJobRole", "TaskRole")],
        "Amazon S3 user guide, 'Multipart upload API and permissions': what a worker does whose upload breaks off",
    ),
}
"""Rights that no run here uses, each with the page of AWS's documentation that says what it is needed for."""
TRIED_TO_SEE_IT_REFUSED = {
    *("iam:ListRoles", "s3:DeleteObject", "s3:ListAllMyBuckets", "states:ListStateMachines"),
}
"""What the Brain's check of a unit tries, so that a role that may too much is found out."""


@pytest.fixture(scope="module", autouse=True)
def trust(accounts: Accounts) -> Iterator[None]:
    """Have this process trust the accounts' certificate, as everybody trusts AWS's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(accounts.ca_bundle))
        yield


@pytest.fixture(scope="module")
def unit(verified_unit: UnitInAccount) -> UnitInAccount:
    return verified_unit


@pytest.fixture(scope="module")
def brain(brain_of_units: BrainProcess) -> BrainProcess:
    return brain_of_units


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_data(tmp_path_factory.mktemp("raw") / "scan.npz", np.random.default_rng(20261130))


@pytest.fixture(scope="module")
def data_file(unit: UnitInAccount, raw: Path) -> DataFile:
    return unit.brain.upload(raw, unit_id=unit.unit_id)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A job that has ended, and the digests of its maps."""

    job: Job
    maps: dict[str, str]


@pytest.fixture(scope="module")
def results(unit: UnitInAccount, data_file: DataFile, tmp_path_factory: pytest.TempPathFactory) -> dict[Platform, Done]:
    """One job on each branch, side by side."""
    begun = {platform: unit.submit(data_file, platform) for platform in (Platform.LAMBDA, Platform.FARGATE)}
    done = {}
    for platform, job in begun.items():
        ended = unit.end_of(job)
        assert ended.status is JobState.SUCCEEDED, ended.failure
        maps = unit.result_of(ended, tmp_path_factory.mktemp(platform) / "package")
        done[platform] = Done(job=ended, maps=dict(maps))
    return done


def test_a_job_runs_where_it_was_sent(unit: UnitInAccount, results: dict[Platform, Done]) -> None:
    ecs = unit.accounts.session().client("ecs")
    cluster = unit.stack.outputs["ClusterName"]
    arns = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"]
    jobs = {tag["value"] for task in tasks for tag in task.get("tags", []) if tag["key"] == "cloudmr:job"}
    assert results[Platform.FARGATE].job.job_id in jobs
    assert results[Platform.LAMBDA].job.job_id not in jobs
    assert {platform: done.job.platform for platform, done in results.items()} == {each: each for each in results}


def test_a_browser_may_upload_from_the_brains_pages_and_from_no_others(
    unit: UnitInAccount, brain: BrainProcess
) -> None:
    place = f"{unit.accounts.url}/{unit.stack.outputs['DataBucketName']}/uploads/data_1"
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-amz-checksum-sha256"}
    ours = httpx.options(place, headers={"Origin": brain.url, **asked})
    assert ours.status_code == 200
    assert ours.headers["access-control-allow-origin"] == brain.url
    assert httpx.options(place, headers={"Origin": "https://elsewhere.example", **asked}).status_code == 403


def test_the_owner_reads_a_jobs_log_through_the_brain(unit: UnitInAccount, results: dict[Platform, Done]) -> None:
    for done in results.values():
        log = unit.brain.job_log(done.job.job_id)
        assert log.is_available
        assert log.lines


def test_nothing_of_the_data_is_anywhere_but_in_the_owners_account(
    unit: UnitInAccount, brain: BrainProcess, raw: Path, results: dict[Platform, Done]
) -> None:
    marks = [_mark(raw)]
    s3 = unit.accounts.session().client("s3")
    outputs = unit.stack.outputs
    stored = s3.list_objects_v2(Bucket=outputs["ResultsBucketName"])["Contents"]
    for found in stored:
        if "/data/" in found["Key"] and found["Size"] > 2 * MARK:
            body = s3.get_object(Bucket=outputs["ResultsBucketName"], Key=found["Key"])["Body"].read()
            marks.append(body[len(body) // 2 :][:MARK])
    assert len(marks) > len(results)
    uploaded = s3.list_objects_v2(Bucket=outputs["DataBucketName"], Prefix="uploads/")["Contents"]
    assert any(
        marks[0] in s3.get_object(Bucket=outputs["DataBucketName"], Key=each["Key"])["Body"].read() for each in uploaded
    )
    theirs = unit.accounts.session(OPERATOR).client("s3").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in theirs if bucket["Name"].startswith("whole")] == []
    looked_through = 0
    for path in brain.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            looked_through += len(content)
            assert not [mark for mark in marks if mark in content], path
    assert looked_through > 10**5, "its database is there"


def test_a_job_that_is_cancelled_ends_its_task(unit: UnitInAccount, data_file: DataFile) -> None:
    job = unit.submit(data_file, Platform.FARGATE)
    wait_until(lambda: _tasks_at_work(unit), what="a task")
    unit.brain.cancel(job.job_id)
    assert unit.end_of(job).status is JobState.CANCELLED
    wait_until(lambda: not _tasks_at_work(unit), what="the end of the task")


@pytest.mark.parametrize("platform", [Platform.LAMBDA, Platform.FARGATE])
def test_a_job_that_cannot_succeed_leaves_why_in_the_owners_account(
    unit: UnitInAccount, platform: Platform, tmp_path: Path, rng: np.random.Generator
) -> None:
    without_noise = unit.brain.upload(raw_data(tmp_path / "other.npz", rng, noise=False), unit_id=unit.unit_id)
    job = unit.end_of(unit.submit(without_noise, platform))
    assert job.status is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "no_noise"
    left = unit.brain.result(job.job_id)
    assert left.files
    assert all(f"/{unit.stack.outputs['FailedBucketName']}/failed/" in file.url for file in left.files)


def test_a_region_that_is_drawn_lies_in_the_owners_account(
    unit: UnitInAccount, results: dict[Platform, Done], tmp_path: Path
) -> None:
    job_id = results[Platform.LAMBDA].job.job_id
    package = tmp_path / "package"
    unit.brain.download_files(unit.brain.result(job_id), package)
    image = nibabel.nifti1.Nifti1Image.from_filename(package / "data" / "snr.nii.gz")
    mask = tmp_path / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones(image.shape, np.uint8), image.affine), mask)
    region = unit.brain.regions.upload(job_id, mask, name="everything")
    unit.brain.regions.fetch(job_id, region.region_id, tmp_path / "again.nii.gz")
    kept = (
        unit.accounts.session()
        .client("s3")
        .list_objects_v2(Bucket=unit.stack.outputs["DataBucketName"], Prefix=f"regions/{job_id}/")
    )
    assert kept["KeyCount"] == 1


def test_an_upload_that_is_given_up_leaves_nothing(
    unit: UnitInAccount, tmp_path: Path, rng: np.random.Generator
) -> None:
    with pytest.raises(_GivenUp):
        unit.brain.upload(raw_data(tmp_path / "begun.npz", rng), unit_id=unit.unit_id, advance=_give_up)
    [begun] = [each for each in unit.brain.data_files() if each.state is DataState.UPLOADING]
    s3 = unit.accounts.session().client("s3")
    bucket = unit.stack.outputs["DataBucketName"]
    assert [each["Key"] for each in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [f"uploads/{begun.id}"]
    unit.brain.abort_upload(begun.id)
    wait_until(lambda: not s3.list_multipart_uploads(Bucket=bucket).get("Uploads"), what="the end of the upload")


def test_every_right_is_used_and_none_is_missing(unit: UnitInAccount) -> None:
    """The tests above are the full run; alone, this one cannot tell."""
    roles = roles_of(unit.accounts, unit.stack)
    calls = [call for call in unit.accounts.calls() if call.role in roles.values()]
    names = {name: logical_id for logical_id, name in roles.items()}
    unused = []
    for logical_id, name in roles.items():
        for right in rights_of(unit.accounts, unit.stack.account, name, called=logical_id):
            with_it = [call for call in calls if call.role == name and call.allowed and right.covers(call)]
            if not with_it:
                unused.append((right.role, right.action))
    assert sorted(set(unused)) == sorted(ON_AWS_ONLY)
    missed = {(names[call.role or ""], call.action) for call in calls if not call.allowed}
    assert missed == {("CrossAccountRole", action) for action in TRIED_TO_SEE_IT_REFUSED}


def test_a_report_that_is_lost_is_made_up_for_by_asking(
    accounts: Accounts, unit: UnitInAccount, data_file: DataFile
) -> None:
    functions = accounts.session().client("lambda")
    [source] = functions.list_event_source_mappings(FunctionName=f"{unit.stack.name}-callback")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    try:
        assert unit.end_of(unit.submit(data_file, Platform.LAMBDA)).status is JobState.SUCCEEDED
    finally:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


@pytest.mark.parametrize("platform", [Platform.FARGATE, Platform.LAMBDA])
def test_a_worker_that_is_killed_every_time_fails_the_job(
    accounts: Accounts, unit: UnitInAccount, data_file: DataFile, platform: Platform
) -> None:
    with worker_that(accounts, "is killed"):
        job = unit.end_of(unit.submit(data_file, platform))
    assert (job.status, job.attempt) == (JobState.FAILED, 2)
    assert job.failure is not None
    assert job.failure.code == "killed"


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


@contextmanager
def worker_that(accounts: Accounts, does: str) -> Iterator[None]:
    """Have whatever starts in the unit do this for a while."""
    accounts.put_image(IMAGE_URI, stub_image(does=does))
    try:
        yield
    finally:
        accounts.put_image(IMAGE_URI, worker_image())


def _tasks_at_work(unit: UnitInAccount) -> list[int]:
    return [child["pid"] for child in unit.accounts.children() if child["owner"] == "task"]


class _GivenUp(Exception):
    """Somebody closed the page."""


def _give_up(_progress: object) -> None:
    raise _GivenUp


def _mark(path: Path) -> bytes:
    content = path.read_bytes()
    middle = len(content) // 2
    return content[middle : middle + MARK]
