from __future__ import annotations

import json
from typing import Any

import pytest

from cloudmr.aws.scopes import MAX_POLICY_LENGTH, WHOLE_UNIT, Scope, scope_of_job, scope_of_key, session_policy
from cloudmr.aws.unit import AwsUnit
from cloudmr.storage.base import Bucket

JOB = "job_01m8p5fzrbd1ww17cxktgnznxv"
DATA = "data_01m8p5fzrbd1ww17cxktgnznxv"
UNIT = AwsUnit(
    account_id="123456789012",
    region="eu-central-1",
    role_arn="arn:aws:iam::123456789012:role/mine-cloudmr",
    external_id="secret",
    state_machine_arn="arn:aws:states:eu-central-1:123456789012:stateMachine:mine-jobs",
    buckets={Bucket.DATA: "mine-data", Bucket.RESULTS: "mine-results", Bucket.FAILED: "mine-failed"},
)


@pytest.mark.parametrize(
    ("bucket", "key", "name"),
    [
        (Bucket.DATA, f"uploads/{DATA}", DATA),
        (Bucket.DATA, f"regions/{JOB}/roi_1.nii.gz", JOB),
        (Bucket.RESULTS, f"results/{JOB}/1/", JOB),
        (Bucket.FAILED, f"failed/{JOB}/2/error.json", JOB),
        (Bucket.DATA, "uploads/mine/scan.dat", "data"),
        (Bucket.DATA, "uploads/", "verify"),
        (Bucket.RESULTS, "results/", "verify"),
        (Bucket.RESULTS, "results/job_1/1/", "verify"),
        (Bucket.DATA, "", "verify"),
    ],
)
def test_a_session_is_named_after_what_it_is_for(bucket: Bucket, key: str, name: str) -> None:
    assert scope_of_key(bucket, key).name == name


def test_the_sessions_of_a_job_may_nothing_but_its_own() -> None:
    policy = _policy(scope_of_job(JOB))
    assert {resource for statement in policy for resource in _listed(statement["Resource"])} == {
        UNIT.state_machine_arn,
        f"arn:aws:states:eu-central-1:123456789012:execution:mine-jobs:{JOB}-*",
        f"arn:aws:s3:::mine-results/results/{JOB}/*",
        f"arn:aws:s3:::mine-failed/failed/{JOB}/*",
        f"arn:aws:s3:::mine-data/regions/{JOB}/*",
        *(f"arn:aws:s3:::{name}" for name in UNIT.buckets.values()),
        "arn:aws:logs:eu-central-1:123456789012:log-group:/cloudmr/mine-jobs:*",
    }
    assert _prefixes(policy) == {f"results/{JOB}/*", f"failed/{JOB}/*", f"regions/{JOB}/*"}


def test_the_sessions_of_a_data_file_may_nothing_but_its_object() -> None:
    policy = _policy(scope_of_key(Bucket.DATA, f"uploads/{DATA}"))
    assert {resource for statement in policy for resource in _listed(statement["Resource"])} == {
        f"arn:aws:s3:::mine-data/uploads/{DATA}",
        "arn:aws:s3:::mine-data",
    }
    assert _prefixes(policy) == {f"uploads/{DATA}"}
    assert all(action.startswith("s3:") for statement in policy for action in _listed(statement["Action"]))


def test_a_look_at_the_whole_unit_is_as_the_role_allows() -> None:
    assert session_policy(UNIT, WHOLE_UNIT) is None


def test_the_longest_names_make_no_policy_that_aws_refuses() -> None:
    account, region = "1" * 12, "ap-southeast-15"
    longest = AwsUnit(
        account_id=account,
        region=region,
        role_arn=f"arn:aws-us-gov:iam::{account}:role/{'r' * 64}",
        external_id="x" * 39,
        state_machine_arn=f"arn:aws-us-gov:states:{region}:{account}:stateMachine:{'m' * 80}",
        buckets=dict.fromkeys(Bucket, "b" * 63),
    )
    policy = session_policy(longest, scope_of_job(JOB))
    assert policy is not None
    assert len(policy) <= MAX_POLICY_LENGTH


def test_a_policy_that_aws_would_refuse_is_not_sent() -> None:
    with pytest.raises(ValueError, match="characters"):
        session_policy(UNIT, scope_of_key(Bucket.DATA, "uploads/" + "a" * 1000))


def _policy(scope: Scope) -> list[dict[str, Any]]:
    text = session_policy(UNIT, scope)
    assert text is not None
    statements: list[dict[str, Any]] = json.loads(text)["Statement"]
    return statements


def _prefixes(policy: list[dict[str, Any]]) -> set[str]:
    return {
        prefix
        for statement in policy
        if statement["Action"] == "s3:ListBucket"
        for prefix in statement["Condition"]["StringLike"]["s3:prefix"]
    }


def _listed(one_or_several: str | list[str]) -> list[str]:
    return [one_or_several] if isinstance(one_or_several, str) else one_or_several
