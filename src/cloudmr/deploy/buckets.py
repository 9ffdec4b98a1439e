"""Settings of buckets that the template does not make: shown as a diff, and changed only where that is due or was told.

What is there already stays: a rule or a statement is added to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.account import Asks, Bucket, cors_rules, policy_of

USUAL_REGION = "us-east-1"


class Kind(StrEnum):
    """What a bucket is for."""

    DATA = "data"
    """Raw data, as they were uploaded."""
    RESULTS = "results"
    """What jobs came to."""
    FAILED = "failed"
    """What is known of jobs that failed."""

    @property
    def parameter(self) -> str:
        """The parameter of the template that names one of one's own."""
        return f"{self.value.capitalize()}BucketName"

    @property
    def methods(self) -> tuple[str, ...]:
        """What pages do with it."""
        return {
            Kind.DATA: ("GET", "HEAD", "PUT"),
            Kind.RESULTS: ("GET", "HEAD"),
            Kind.FAILED: (),
        }[self]


class Setting(StrEnum):
    """One thing that can be set on a bucket."""

    EXISTENCE = "the bucket itself, private and encrypted"
    """It is made."""
    CORS = "CORS"
    """Pages may use it."""
    TLS = "policy: deny what comes without TLS"
    """It answers to TLS only."""


@dataclass(frozen=True, kw_only=True)
class BucketChange:
    """What would be set on one bucket."""

    name: str
    kind: Kind
    settings: tuple[Setting, ...]
    origin: str

    def lines(self) -> Iterator[str]:
        """Yield the change as a diff, line by line."""
        for setting in self.settings:
            of_cors = f": {', '.join(self.kind.methods)} from {self.origin}" if setting is Setting.CORS else ""
            yield f"{self.name}: + {setting}{of_cors}"


def lacking(bucket: Bucket, kind: Kind, origin: str) -> tuple[Setting, ...]:
    """Return the settings that a bucket of one's own lacks."""
    needs_cors = any(not {origin, "*"} & bucket.cors_origins.get(method, frozenset()) for method in kind.methods)
    return tuple(
        setting
        for setting, is_lacking in ((Setting.CORS, needs_cors), (Setting.TLS, not bucket.requires_tls))
        if is_lacking
    )


def change_bucket(aws: Asks, change: BucketChange) -> None:
    """Set what is to be set on a bucket. Raise `AwsSaid`."""
    if Setting.EXISTENCE in change.settings:
        _make(aws, change.name)
    if Setting.CORS in change.settings:
        rule = {
            "AllowedMethods": list(change.kind.methods),
            "AllowedOrigins": [change.origin],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag", "Content-Length", "Content-Range", "x-amz-checksum-sha256"],
            "MaxAgeSeconds": 3600,
        }
        rules = [*cors_rules(aws, change.name), rule]
        aws.ask("s3", "put_bucket_cors", Bucket=change.name, CORSConfiguration={"CORSRules": rules})
    if Setting.TLS in change.settings:
        policy = policy_of(aws, change.name)
        statements = [*policy.get("Statement", []), _tls_only(change.name)]
        document = {"Version": "2012-10-17", **policy, "Statement": statements}
        aws.ask("s3", "put_bucket_policy", Bucket=change.name, Policy=json.dumps(document))


def _make(aws: Asks, name: str) -> None:
    """Make a bucket as the template would; one that is there stays as it is."""
    # The first of all regions is the one that must not be named.
    place: dict[str, Any] = (
        {} if aws.region == USUAL_REGION else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    )
    try:
        aws.ask("s3", "create_bucket", Bucket=name, ObjectOwnership="BucketOwnerEnforced", **place)
    except AwsSaid as refusal:
        if refusal.aws_code != "BucketAlreadyOwnedByYou":
            raise
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    aws.ask("s3", "put_public_access_block", Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    aws.ask("s3", "put_bucket_encryption", Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    unfinished = {
        "ID": "unfinished",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    aws.ask("s3", "put_bucket_lifecycle_configuration", Bucket=name, LifecycleConfiguration={"Rules": [unfinished]})


def _tls_only(name: str) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
