"""Buckets that the template does not make: what they lack is added, and what is there stays."""

from __future__ import annotations

import json
from typing import Any

from cloudmr.deploy.buckets import BucketChange, Kind, Setting, change_bucket
from scripted_account import ScriptedAccount, refusal

ORIGIN = "https://brain.example.org"


def account(region: str = "us-east-1", **changes: Any) -> ScriptedAccount:
    calls = (
        "create_bucket put_public_access_block put_bucket_encryption put_bucket_lifecycle_configuration "
        "put_bucket_cors put_bucket_policy"
    )
    answers: dict[str, Any] = {f"s3:{call}": {} for call in calls.split()}
    answers["s3:get_bucket_cors"] = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://other"]}]}
    answers["s3:get_bucket_policy"] = {"Policy": json.dumps({"Statement": [{"Sid": "Mine"}]})}
    return ScriptedAccount(answers | {name.replace("__", ":"): answer for name, answer in changes.items()}, region)


def changed(aws: ScriptedAccount, *settings: Setting, kind: Kind = Kind.DATA) -> dict[str, dict[str, Any]]:
    change_bucket(aws, BucketChange(name="b", kind=kind, settings=settings, origin=ORIGIN))
    return dict(aws.asked)


def test_rules_and_statements_are_added_to_those_that_are_there() -> None:
    asked = changed(account(), Setting.CORS, Setting.TLS)
    rules = asked["s3:put_bucket_cors"]["CORSConfiguration"]["CORSRules"]
    assert [rule["AllowedOrigins"] for rule in rules] == [["https://other"], [ORIGIN]]
    assert rules[1]["AllowedMethods"] == ["GET", "HEAD", "PUT"]
    assert "ETag" in rules[1]["ExposeHeaders"], "a page needs it to complete an upload in parts"
    statements = json.loads(asked["s3:put_bucket_policy"]["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Mine", "TlsOnly"]
    assert "s3:create_bucket" not in asked


def test_a_bucket_without_any_rules_gets_the_first_ones() -> None:
    aws = account(
        s3__get_bucket_cors=refusal("NoSuchCORSConfiguration"), s3__get_bucket_policy=refusal("NoSuchBucketPolicy")
    )
    asked = changed(aws, Setting.CORS, Setting.TLS, kind=Kind.RESULTS)
    [rule] = asked["s3:put_bucket_cors"]["CORSConfiguration"]["CORSRules"]
    assert rule["AllowedMethods"] == ["GET", "HEAD"]
    [statement] = json.loads(asked["s3:put_bucket_policy"]["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"


def test_a_bucket_that_is_made_is_private_and_encrypted_from_the_first() -> None:
    asked = changed(account("eu-central-1"), Setting.EXISTENCE)
    assert asked["s3:create_bucket"]["CreateBucketConfiguration"] == {"LocationConstraint": "eu-central-1"}
    blocks = asked["s3:put_public_access_block"]["PublicAccessBlockConfiguration"]
    assert len(blocks) == 4
    assert all(blocks.values())
    assert "s3:put_bucket_encryption" in asked
    assert "CreateBucketConfiguration" not in changed(account(), Setting.EXISTENCE)["s3:create_bucket"]


def test_making_it_again_does_no_harm() -> None:
    asked = changed(account(s3__create_bucket=refusal("BucketAlreadyOwnedByYou")), Setting.EXISTENCE)
    assert "s3:put_public_access_block" in asked
