"""The whole way of a job in somebody's own account: a stack that registers itself, and what the Brain does with it.

The Brain comes to AWS as its one role; the data go between the person's machine and their own bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from aws_accounts import OPERATOR, USER, Accounts
from cloudmr.client.answers import Job
from cloudmr.model.findings import Check, Outcome
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.model.platforms import Platform
from cloudmr.model.units import Mode
from cloudmr.storage.checksums import checksum_file
from mroptimum.flags import Flags
from real_brain import RealBrain
from units_at_work import Owner, brain_in_aws, brains_environment, own_unit


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("brain")


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
def brain(accounts: Accounts, home: Path, environment: Mapping[str, str]) -> Iterator[RealBrain]:
    with brain_in_aws(accounts, home, environment) as running:
        yield running


@pytest.fixture(scope="module")
def owner(accounts: Accounts, brain: RealBrain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Owner]:
    with brain.person() as client:
        yield own_unit(accounts, brain, client, tmp_path_factory.mktemp("owner"))


@pytest.fixture(scope="module")
def jobs(owner: Owner) -> dict[str, Job]:
    """The same job on either platform of the unit and on the Brain's own machine, each to its end."""
    own = owner.client.upload(owner.raw, unit_id=owner.unit_id)
    shared = owner.client.upload(owner.raw, mode=Mode.MODE_1)
    task = Flags(method="ac", reconstruction="rss")
    submitted = {
        "local": owner.client.submit(task.document(shared.reference, None)),
        "lambda": owner.client.submit(task.document(own.reference, None), platform=Platform.LAMBDA),
        "fargate": owner.client.submit(task.document(own.reference, None), platform=Platform.FARGATE),
    }
    return {name: owner.until(job.job_id, *END_STATES) for name, job in submitted.items()}


def test_the_unit_registered_itself_is_verified_and_its_owners_default(owner: Owner) -> None:
    found = {
        finding.check: finding.outcome for finding in owner.client.computing_units.findings(owner.unit_id).findings
    }
    assert set(found.values()) == {Outcome.PASSED}
    assert Check.KNOWN_ANSWER in found
    unit = owner.client.computing_units.get(owner.unit_id)
    assert (unit.status, unit.is_default, unit.aws_account_id) == ("ready", True, USER)
    assert all(each.is_as_declared for each in owner.client.computing_units.permissions(owner.unit_id))


def test_every_platform_gives_the_same_to_the_last_digit(owner: Owner, jobs: dict[str, Job], tmp_path: Path) -> None:
    assert {name: job.status for name, job in jobs.items()} == dict.fromkeys(jobs, JobState.SUCCEEDED)
    maps = {}
    for name, job in jobs.items():
        owner.client.download_files(owner.client.result(job.job_id), tmp_path / name)
        maps[name] = {path.name: checksum_file(path).sha256 for path in sorted((tmp_path / name / "data").iterdir())}
    assert maps["local"]
    assert maps["lambda"] == maps["fargate"] == maps["local"]


def test_the_data_are_in_the_owners_bucket_and_nowhere_else(
    accounts: Accounts, owner: Owner, jobs: dict[str, Job], home: Path
) -> None:
    users, operators = (accounts.session(account).client("s3") for account in (USER, OPERATOR))
    kept = {
        found["Key"]
        for kind in ("Data", "Results")
        for found in users.list_objects_v2(Bucket=owner.stack.outputs[f"{kind}BucketName"])["Contents"]
    }
    for name in ("lambda", "fargate"):
        assert f"results/{jobs[name].job_id}/1/manifest.json" in kept
    # The operator's own unit, of other tests, has buckets there.
    theirs = {
        found["Key"]
        for bucket in operators.list_buckets()["Buckets"]
        for found in operators.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
    }
    assert not kept & theirs
    # A piece of the scan, which the Brain has in the copy that was put into its own machine's unit, and only there.
    piece = owner.raw.read_bytes()[-4096:-4032]
    where = [path for path in home.rglob("*") if path.is_file() and piece in path.read_bytes()]
    assert len(where) == 1
    assert where[0].is_relative_to(home / "home" / "storage")


def test_links_lead_to_the_owners_bucket(owner: Owner, jobs: dict[str, Job], accounts: Accounts) -> None:
    result = owner.client.result(jobs["fargate"].job_id)
    urls = [file.url for file in result.files]
    assert urls
    for url in urls:
        assert urlsplit(url).netloc == urlsplit(accounts.url).netloc
        assert owner.stack.outputs["ResultsBucketName"] in url


def test_pages_may_go_to_the_owners_buckets_and_no_further(owner: Owner, brain: RealBrain, accounts: Accounts) -> None:
    token = owner.client._connection.token
    assert token is not None
    page = httpx.get(f"{brain.url}/upload", cookies={"cloudmr_session": token}, follow_redirects=False)
    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    for name in ("DataBucketName", "ResultsBucketName", "FailedBucketName"):
        assert f"{accounts.url}/{owner.stack.outputs[name]}/" in policy


def test_a_job_is_cancelled_in_the_account(owner: Owner) -> None:
    [scan] = [file for file in owner.client.data_files() if file.computing_unit_id == owner.unit_id]
    job = owner.long_job(scan)
    owner.client.cancel(job.job_id)
    owner.until(job.job_id, JobState.CANCELLED)


def test_what_is_deleted_here_stays_there_and_that_is_said(owner: Owner, jobs: dict[str, Job]) -> None:
    deleted = owner.client.delete_job(jobs["lambda"].job_id)
    assert deleted.expires_by == "unit"
    assert deleted.job_id not in [job.job_id for job in owner.client.jobs()]
