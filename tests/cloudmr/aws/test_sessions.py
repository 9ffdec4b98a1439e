from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from cloudmr.aws.errors import AccessRefused, RoleRefused
from cloudmr.aws.scopes import WHOLE_UNIT, scope_of_job
from cloudmr.aws.sessions import RENEWED_AFTER, RoleAccess, Sessions, Workshop
from cloudmr.aws.unit import AwsUnit
from cloudmr.storage.base import Bucket

UNIT = AwsUnit(
    account_id="123456789012",
    region="eu-central-1",
    role_arn="arn:aws:iam::123456789012:role/mine-cloudmr",
    external_id="an external id",
    state_machine_arn="arn:aws:states:eu-central-1:123456789012:stateMachine:mine-jobs",
    buckets={bucket: f"mine-{bucket}" for bucket in Bucket},
)
JOB = scope_of_job("job_01m8p5fzrbd1ww17cxktgnznxv")


class TokenService:
    """In the place of AWS's: lets everybody in, for an hour, and counts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.requests: list[dict[str, Any]] = []
        self.refuses = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        assert self.may_answer.wait(10)
        if self.refuses:
            raise refusal("AssumeRole")
        key = f"key {len(self.requests)}"
        ends_at = self._clock() + timedelta(seconds=request["DurationSeconds"])
        secrets = {"AccessKeyId": key, "SecretAccessKey": "secret", "SessionToken": "token", "Expiration": ends_at}
        return {"Credentials": secrets}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class OneService(Workshop):
    """Makes no client but this one, and reads nothing of the machine it is on."""

    def __init__(self, service: TokenService) -> None:
        self._service = service

    def sts(self, region: str) -> Any:
        assert region == UNIT.region
        return cast(Any, self._service)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> TokenService:
    return TokenService(clock)


@pytest.fixture
def sessions(service: TokenService, clock: Clock) -> Sessions:
    return Sessions(OneService(service), clock=clock)


def refusal(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)


def test_the_role_is_assumed_for_an_hour_with_the_units_external_id(sessions: Sessions, service: TokenService) -> None:
    sessions.clients(UNIT, JOB)
    [request] = service.requests
    policy = request.pop("Policy")
    assert request == {
        "RoleArn": UNIT.role_arn,
        "RoleSessionName": JOB.name,
        "DurationSeconds": 3600,
        "ExternalId": UNIT.external_id,
    }
    assert JOB.name in policy


def test_a_session_is_used_again_until_it_is_three_quarters_old(
    sessions: Sessions, service: TokenService, clock: Clock
) -> None:
    first = sessions.clients(UNIT, JOB)
    clock.now += RENEWED_AFTER - timedelta(seconds=1)
    assert sessions.clients(UNIT, JOB) is first
    clock.now += timedelta(seconds=1)
    second = sessions.clients(UNIT, JOB)
    assert second is not first
    assert first.expires_at is not None
    assert second.expires_at == first.expires_at + RENEWED_AFTER
    assert len(service.requests) == 2


def test_each_scope_has_its_own_session(sessions: Sessions, service: TokenService) -> None:
    assert sessions.clients(UNIT, JOB) is not sessions.clients(UNIT, WHOLE_UNIT)
    assert [request["RoleSessionName"] for request in service.requests] == [JOB.name, "verify"]


def test_a_session_with_an_earlier_external_id_is_not_used_for_a_unit_made_anew(
    sessions: Sessions, service: TokenService
) -> None:
    sessions.clients(UNIT, JOB)
    anew = AwsUnit(**{**vars(UNIT), "external_id": "another one"})
    sessions.clients(anew, JOB)
    assert [request["ExternalId"] for request in service.requests] == [UNIT.external_id, "another one"]


def test_many_threads_that_want_the_same_session_begin_one(sessions: Sessions, service: TokenService) -> None:
    service.may_answer.clear()
    with ThreadPoolExecutor(8) as threads:
        wanted = [threads.submit(sessions.clients, UNIT, JOB) for _ in range(8)]
        service.may_answer.set()
        assert len({id(future.result()) for future in wanted}) == 1
    assert len(service.requests) == 1


def test_after_a_refusal_a_new_session_is_begun(sessions: Sessions, service: TokenService) -> None:
    access = RoleAccess(sessions, UNIT)
    with pytest.raises(AccessRefused, match="AWS refused to start the job"), access.calling(JOB, "start the job"):
        raise refusal("StartExecution")
    with access.calling(JOB, "start the job"):
        pass
    assert len(service.requests) == 2


def test_a_role_that_refuses_is_told_apart_from_a_right_that_lacks(sessions: Sessions, service: TokenService) -> None:
    service.refuses = True
    with pytest.raises(RoleRefused, match="mine-cloudmr"):
        sessions.clients(UNIT, JOB)
    service.refuses = False
    sessions.clients(UNIT, JOB)


def test_an_external_id_is_not_in_what_is_logged() -> None:
    assert UNIT.external_id not in repr(UNIT)


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-southeast-2", "me-south-1"])
def test_what_is_signed_goes_to_the_host_of_the_buckets_own_region(region: str) -> None:
    # The host of all regions answers a new bucket with a redirect, which no browser follows when it asks first.
    workshop = Workshop()
    host = f"my-bucket.s3.{region}.amazonaws.com"
    assert workshop.bucket_origin(region, "my-bucket") == f"https://{host}"
    ends_at = datetime(2026, 1, 1, tzinfo=UTC)
    client = workshop.s3(
        region, {"AccessKeyId": "key", "SecretAccessKey": "secret", "SessionToken": "token", "Expiration": ends_at}
    )
    url = client.generate_presigned_url("get_object", Params={"Bucket": "my-bucket", "Key": "k"})
    assert urlsplit(url).netloc == host


def test_a_bucket_whose_name_has_a_dot_has_no_host_of_its_own() -> None:
    assert Workshop().bucket_origin("eu-central-1", "my.bucket") == "https://s3.eu-central-1.amazonaws.com/my.bucket/"
