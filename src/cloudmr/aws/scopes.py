"""How little a session in somebody's account may do: no more than one job, or one data file, needs.

A session policy takes away from what the role allows and never adds to it. AWS takes at most 2 048 characters of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudmr.aws.unit import AwsUnit
from cloudmr.model.ids import Kind, is_id
from cloudmr.storage.base import Bucket

MAX_POLICY_LENGTH = 2048
_EVERY_NAME = "*"
_GET, _PUT, _DELETE = "s3:GetObject", "s3:PutObject", "s3:DeleteObject"
_PARTS = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a session is for: a job, an object of the data bucket, or (neither) a look at the whole unit.

    `name` is what the account's own log (CloudTrail) shows beside everything that is done in the session.
    """

    name: str
    job_id: str | None = None
    data_key: str | None = None


WHOLE_UNIT = Scope(name="verify")
"""For looking at a unit, and for what belongs to no job and no data file."""


def scope_of_job(job_id: str) -> Scope:
    """Return the scope of a job; of what is no job's id, the whole unit."""
    return Scope(name=job_id, job_id=job_id) if is_id(Kind.JOB, job_id) else WHOLE_UNIT


def scope_of_key(bucket: Bucket, key: str) -> Scope:
    """Return the scope of an object, or of all that begins with `key`."""
    folder, _, rest = key.partition("/")
    if folder == "uploads" and bucket is Bucket.DATA and rest:
        return Scope(name=rest if is_id(Kind.DATA, rest) else "data", data_key=key)
    if folder in {"results", "failed", "regions"}:
        return scope_of_job(rest.partition("/")[0])
    return WHOLE_UNIT


def session_policy(unit: AwsUnit, scope: Scope) -> str | None:
    """Return the policy of a session, None for no restriction. Raise `ValueError` where AWS would not take it."""
    if scope.job_id is not None:
        statements = _of_job(unit, scope.job_id)
    elif scope.data_key is not None:
        statements = _of_object(unit, scope.data_key)
    else:
        return None
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(policy) > MAX_POLICY_LENGTH:
        raise ValueError(f"the policy of the session {scope.name} has {len(policy)} characters")
    return policy


def _of_job(unit: AwsUnit, job_id: str) -> Sequence[Mapping[str, Any]]:
    objects = {
        Bucket.RESULTS: f"results/{job_id}/*",
        Bucket.FAILED: f"failed/{job_id}/*",
        Bucket.DATA: f"regions/{job_id}/*",
    }
    left = [_objects(unit, bucket, objects[bucket]) for bucket in (Bucket.RESULTS, Bucket.FAILED)]
    return [
        _allow("states:StartExecution", unit.state_machine_arn),
        _allow(["states:DescribeExecution", "states:StopExecution"], unit.execution_arn(f"{job_id}-{_EVERY_NAME}")),
        _allow([_GET, _DELETE], left),
        _allow([_GET, _PUT, _DELETE], _objects(unit, Bucket.DATA, objects[Bucket.DATA])),
        _list(unit, tuple(objects), tuple(objects.values())),
        _allow("logs:FilterLogEvents", _log_group(unit)),
    ]


def _of_object(unit: AwsUnit, key: str) -> Sequence[Mapping[str, Any]]:
    return [
        _allow([_GET, _PUT, _DELETE, *_PARTS], _objects(unit, Bucket.DATA, key)),
        _list(unit, (Bucket.DATA,), (key,)),
    ]


def _list(unit: AwsUnit, buckets: Sequence[Bucket], prefixes: Sequence[str]) -> Mapping[str, Any]:
    statement = _allow("s3:ListBucket", [_bucket(unit, bucket) for bucket in buckets])
    return {**statement, "Condition": {"StringLike": {"s3:prefix": list(prefixes)}}}


def _allow(actions: str | list[str], resources: str | list[str]) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _bucket(unit: AwsUnit, bucket: Bucket) -> str:
    return f"arn:{unit.partition}:s3:::{unit.buckets[bucket]}"


def _objects(unit: AwsUnit, bucket: Bucket, pattern: str) -> str:
    return f"{_bucket(unit, bucket)}/{pattern}"


def _log_group(unit: AwsUnit) -> str:
    return f"arn:{unit.partition}:logs:{unit.region}:{unit.account_id}:log-group:{unit.log_group}:*"
