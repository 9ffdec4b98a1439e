"""Storage in S3 keeps the contract of every storage; from the Brain's side it does in narrow sessions."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from aws_accounts import USER, Accounts
from aws_units import brain_credentials, empty, make_unit
from cloudmr.aws.errors import AccessRefused, NotThere, RoleRefused
from cloudmr.aws.scopes import scope_of_job
from cloudmr.aws.sessions import RENEWED_AFTER, SESSION_S, OwnAccess, RoleAccess, Sessions
from cloudmr.aws.unit import AwsUnit
from cloudmr.model.ids import Kind, new_id
from cloudmr.model.instants import utc_now
from cloudmr.storage.base import (
    PART_SIZE_BYTES,
    UNHURRIED_URL_LIFETIME_S,
    URL_LIFETIME_S,
    Bucket,
    SignedRequest,
)
from cloudmr.storage.conformance import Answer, Send, StorageConformance, composite_of, encoded_sha256, full_part
from cloudmr.storage.errors import ObjectNotFound
from cloudmr.storage.s3 import S3Storage

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DATA_ID = new_id(Kind.DATA, now=utc_now())
JOB_ID = new_id(Kind.JOB, now=utc_now())


@pytest.fixture(scope="module")
def send(accounts: Accounts) -> Iterator[Send]:
    trust = ssl.create_default_context(cafile=str(accounts.ca_bundle))
    with httpx.Client(verify=trust, timeout=60) as client:

        def sending(request: SignedRequest, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
            sent = {**request.headers, **(headers or {})}
            given = client.request(request.method, request.url, headers=sent, content=body)
            names = {name.lower(): value for name, value in given.headers.items()}
            return Answer(status=given.status_code, headers=names, body=given.content)

        yield sending


@pytest.fixture(scope="module")
def unit(accounts: Accounts) -> AwsUnit:
    return make_unit(accounts)


@pytest.fixture(scope="module")
def owners_s3(accounts: Accounts) -> S3Client:
    s3: S3Client = accounts.session(USER).client("s3")
    return s3


@pytest.fixture(scope="module")
def own_access(unit: AwsUnit) -> OwnAccess:
    return OwnAccess(region=unit.region)


class TestS3Storage(StorageConformance):
    @pytest.fixture
    def storage(
        self,
        accounts: Accounts,
        unit: AwsUnit,
        owners_s3: S3Client,
        own_access: OwnAccess,
        monkeypatch: pytest.MonkeyPatch,
    ) -> S3Storage:
        """What a worker in the account has, which asks with credentials of its own."""
        empty(owners_s3, unit)
        for name, value in accounts.environment(USER).items():
            monkeypatch.setenv(name, value)
        return S3Storage(own_access, unit.buckets)


class Clock:
    """The real time, and as much later as somebody says."""

    def __init__(self) -> None:
        self.later = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.later


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def brains_environment(accounts: Accounts) -> Mapping[str, str]:
    return accounts.environment(credentials=brain_credentials(accounts))


@pytest.fixture
def sessions(brains_environment: Mapping[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    for name, value in brains_environment.items():
        monkeypatch.setenv(name, value)
    return Sessions(clock=clock)


@pytest.fixture
def brains(unit: AwsUnit, sessions: Sessions, owners_s3: S3Client, clock: Clock) -> S3Storage:
    """What the Brain has, which enters the account by its role."""
    empty(owners_s3, unit)
    return S3Storage(RoleAccess(sessions, unit), unit.buckets, clock=clock)


def test_the_brain_takes_an_upload_without_touching_it(brains: S3Storage, send: Send) -> None:
    key = f"uploads/{DATA_ID}"
    upload_id = brains.start_upload(Bucket.DATA, key)
    for number, content in ((2, b"end"), (1, full_part(1))):
        sha256 = encoded_sha256(content)
        assert send(brains.sign_part(Bucket.DATA, key, upload_id, number, sha256), body=content).status == 200
    assert [part.number for part in brains.list_parts(Bucket.DATA, key, upload_id)] == [1, 2]
    info = brains.complete_upload(Bucket.DATA, key, upload_id)
    assert (info.size_bytes, info.checksum) == (PART_SIZE_BYTES + 3, composite_of(full_part(1), b"end"))
    assert brains.complete_upload(Bucket.DATA, key, upload_id) == info
    assert send(brains.sign_get(Bucket.DATA, key), headers={"Range": "bytes=0-2"}).body == full_part(1)[:3]


def test_what_is_not_there_is_not_taken_for_refused(brains: S3Storage, tmp_path: Path) -> None:
    for bucket, key in (
        (Bucket.DATA, f"uploads/{DATA_ID}"),
        (Bucket.RESULTS, f"results/{JOB_ID}/1/manifest.json"),
        (Bucket.FAILED, f"failed/{JOB_ID}/1/error.json"),
    ):
        assert brains.head(bucket, key) is None
        with pytest.raises(ObjectNotFound):
            brains.read(bucket, key, limit_bytes=1)
        with pytest.raises(ObjectNotFound):
            brains.fetch(bucket, key, tmp_path / "copy")


def test_results_are_listed_read_and_handed_out(
    brains: S3Storage, send: Send, owners_s3: S3Client, unit: AwsUnit
) -> None:
    key = f"results/{JOB_ID}/1/manifest.json"
    owners_s3.put_object(Bucket=unit.buckets[Bucket.RESULTS], Key=key, Body=b"{}")
    assert [info.key for info in brains.list(Bucket.RESULTS, f"results/{JOB_ID}/1/")] == [key]
    assert brains.read(Bucket.RESULTS, key, limit_bytes=2) == b"{}"
    assert send(brains.sign_get(Bucket.RESULTS, key, filename="m.json")).body == b"{}"


def test_a_session_is_good_for_its_own_job_and_nothing_else(
    sessions: Sessions, unit: AwsUnit, owners_s3: S3Client
) -> None:
    other_job, other_file = new_id(Kind.JOB, now=utc_now()), new_id(Kind.DATA, now=utc_now())
    for bucket, key in (
        (Bucket.RESULTS, f"results/{JOB_ID}/1/a"),
        (Bucket.RESULTS, f"results/{other_job}/1/a"),
        (Bucket.DATA, f"uploads/{other_file}"),
    ):
        owners_s3.put_object(Bucket=unit.buckets[bucket], Key=key, Body=b"content")
    s3 = sessions.clients(unit, scope_of_job(JOB_ID)).s3
    assert s3.get_object(Bucket=unit.buckets[Bucket.RESULTS], Key=f"results/{JOB_ID}/1/a")["ContentLength"] == 7
    for attempt in (
        lambda: s3.get_object(Bucket=unit.buckets[Bucket.RESULTS], Key=f"results/{other_job}/1/a"),
        lambda: s3.get_object(Bucket=unit.buckets[Bucket.DATA], Key=f"uploads/{other_file}"),
        lambda: s3.list_objects_v2(Bucket=unit.buckets[Bucket.RESULTS], Prefix="results/"),
        lambda: s3.put_object(Bucket=unit.buckets[Bucket.RESULTS], Key=f"results/{JOB_ID}/1/a", Body=b""),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


def test_in_somebodys_own_unit_nothing_can_be_deleted(brains: S3Storage, owners_s3: S3Client, unit: AwsUnit) -> None:
    key = f"uploads/{DATA_ID}"
    owners_s3.put_object(Bucket=unit.buckets[Bucket.DATA], Key=key, Body=b"content")
    with pytest.raises(AccessRefused, match="refused to remove an object"):
        brains.delete(Bucket.DATA, key)
    assert brains.head(Bucket.DATA, key) is not None


def test_in_the_operators_own_unit_the_brain_keeps_order(
    accounts: Accounts, sessions: Sessions, owners_s3: S3Client
) -> None:
    unit = make_unit(accounts, may_delete=True)
    storage = S3Storage(RoleAccess(sessions, unit), unit.buckets)
    for bucket, key in (
        (Bucket.DATA, f"uploads/{DATA_ID}"),
        (Bucket.DATA, f"regions/{JOB_ID}/roi_1.nii.gz"),
        (Bucket.RESULTS, f"results/{JOB_ID}/1/manifest.json"),
        (Bucket.FAILED, f"failed/{JOB_ID}/1/error.json"),
    ):
        owners_s3.put_object(Bucket=unit.buckets[bucket], Key=key, Body=b"content")
        storage.delete(bucket, key)
        assert storage.head(bucket, key) is None


def test_a_bucket_that_is_gone_is_no_empty_bucket(accounts: Accounts, sessions: Sessions) -> None:
    unit = make_unit(accounts)
    accounts.session(USER).client("s3").delete_bucket(Bucket=unit.buckets[Bucket.RESULTS])
    storage = S3Storage(RoleAccess(sessions, unit), unit.buckets)
    for attempt in (
        lambda: storage.head(Bucket.RESULTS, f"results/{JOB_ID}/1/manifest.json"),
        lambda: storage.read(Bucket.RESULTS, f"results/{JOB_ID}/1/manifest.json", limit_bytes=1),
        lambda: list(storage.list(Bucket.RESULTS, f"results/{JOB_ID}/")),
    ):
        with pytest.raises(NotThere, match="NoSuchBucket"):
            attempt()


def test_a_role_that_is_gone_says_so(accounts: Accounts, sessions: Sessions) -> None:
    unit = make_unit(accounts)
    storage = S3Storage(RoleAccess(sessions, unit), unit.buckets)
    assert storage.head(Bucket.DATA, f"uploads/{DATA_ID}") is None
    iam = accounts.session(USER).client("iam")
    name = unit.role_arn.rpartition("/")[2]
    iam.delete_role_policy(RoleName=name, PolicyName="brain")
    iam.delete_role(RoleName=name)
    with pytest.raises(AccessRefused):
        storage.head(Bucket.DATA, f"uploads/{DATA_ID}")
    with pytest.raises(RoleRefused, match=name):
        storage.head(Bucket.DATA, f"uploads/{DATA_ID}")


def test_no_url_outlives_its_session(brains: S3Storage, clock: Clock) -> None:
    key = f"uploads/{DATA_ID}"

    def signed_for_s(lifetime_s: int) -> int:
        url = brains.sign_part(Bucket.DATA, key, "0a.upload", 1, None, lifetime_s=lifetime_s).url
        return int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0])

    assert signed_for_s(60) == 60
    assert signed_for_s(UNHURRIED_URL_LIFETIME_S) <= SESSION_S
    clock.later = RENEWED_AFTER - timedelta(seconds=5)
    assert URL_LIFETIME_S <= signed_for_s(UNHURRIED_URL_LIFETIME_S) <= URL_LIFETIME_S + 6


def test_what_was_announced_is_signed(brains: S3Storage) -> None:
    url = brains.sign_put(Bucket.DATA, f"uploads/{DATA_ID}").url
    assert parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"] == ["host"]
    signed = brains.sign_put(Bucket.DATA, f"uploads/{DATA_ID}", sha256=encoded_sha256(b"content"))
    assert parse_qs(urlsplit(signed.url).query)["X-Amz-SignedHeaders"] == ["host;x-amz-checksum-sha256"]
