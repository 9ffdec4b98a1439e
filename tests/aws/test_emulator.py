"""The emulated accounts refuse what AWS refuses: what these tests rest on is tested here, not believed."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_accounts import OPERATOR, USER, Accounts, Credentials, aws_accounts

EXTERNAL_ID = "an-external-id-0123456789"
STRANGER = "999988887777"


def test_the_accounts_are_there_within_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    with aws_accounts(tmp_path) as accounts:
        took_s = time.monotonic() - began
        assert accounts.session().client("sts").get_caller_identity()["Account"] == USER
    assert took_s < 10


def test_a_wrong_secret_is_refused(accounts: Accounts) -> None:
    strange = _user(accounts, USER, "with-a-wrong-secret", {"Action": "*", "Resource": "*"})
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        accounts.session(credentials=Credentials(key=strange.key, secret="x" * 40)).client("s3").list_buckets()


def test_a_right_that_nobody_gave_is_refused_and_written_down(accounts: Accounts) -> None:
    somebody = _user(accounts, USER, "with-one-right", {"Action": "s3:ListAllMyBuckets", "Resource": "*"})
    session = accounts.session(credentials=somebody)
    session.client("s3").list_buckets()
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("s3").create_bucket(Bucket="never-made-0123456789")
    seen = {(call.action, call.allowed) for call in accounts.calls() if call.principal.endswith("user/with-one-right")}
    assert seen == {("s3:ListAllMyBuckets", True), ("s3:CreateBucket", False)}


def test_a_role_is_assumed_by_the_right_principal_with_the_right_external_id_only(accounts: Accounts) -> None:
    role_arn = _role_for_operator(accounts, "guarded")
    brain = accounts.session(credentials=_user(accounts, OPERATOR, "brain", _may_assume())).client("sts")
    stranger = accounts.session(credentials=_user(accounts, STRANGER, "stranger", _may_assume())).client("sts")
    brain.assume_role(RoleArn=role_arn, RoleSessionName="verify", ExternalId=EXTERNAL_ID)
    attempts: list[tuple[Any, dict[str, str]]] = [
        (brain, {}),
        (brain, {"ExternalId": "another-one"}),
        (stranger, {"ExternalId": EXTERNAL_ID}),
    ]
    for caller, given in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            caller.assume_role(RoleArn=role_arn, RoleSessionName="verify", **given)


def test_a_session_policy_takes_rights_away(accounts: Accounts) -> None:
    role_arn = _role_for_operator(accounts, "narrowed", {"Action": "s3:*", "Resource": "*"})
    root = accounts.session().client("s3")
    root.create_bucket(Bucket="narrowed-0123456789")
    for key in ("mine/a", "other/b"):
        root.put_object(Bucket="narrowed-0123456789", Key=key, Body=b"x")
    sts = accounts.session(credentials=_user(accounts, OPERATOR, "narrowing-brain", _may_assume())).client("sts")
    policy = _policy({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::narrowed-0123456789/mine/*"})
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName="job", ExternalId=EXTERNAL_ID, Policy=policy)
    session = given["Credentials"]
    narrow = accounts.session(
        credentials=Credentials(
            key=session["AccessKeyId"], secret=session["SecretAccessKey"], token=session["SessionToken"]
        )
    ).client("s3")
    assert narrow.get_object(Bucket="narrowed-0123456789", Key="mine/a")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="AccessDenied"):
        narrow.get_object(Bucket="narrowed-0123456789", Key="other/b")


def test_of_an_absent_object_only_those_learn_who_may_list(accounts: Accounts) -> None:
    accounts.session().client("s3").create_bucket(Bucket="absent-0123456789")
    may_read = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::absent-0123456789/*"}
    reader = _user(accounts, USER, "who-may-read", may_read)
    lister = _user(accounts, USER, "who-may-list", {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"})
    for credentials, code in ((reader, "AccessDenied"), (lister, "NoSuchKey")):
        with pytest.raises(ClientError, match=code):
            accounts.session(credentials=credentials).client("s3").get_object(Bucket="absent-0123456789", Key="a")


def test_a_presigned_address_is_good_for_what_it_was_made_for(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(accounts.ca_bundle))
    s3 = accounts.session().client("s3")
    s3.create_bucket(Bucket="presigned-0123456789")
    s3.put_object(Bucket="presigned-0123456789", Key="a", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned-0123456789", "Key": "a"}, ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"content"
    for wrong in (url.replace("/a?", "/b?"), url.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(wrong)


def _user(accounts: Accounts, account: str, name: str, statement: dict[str, Any]) -> Credentials:
    iam = accounts.session(account).client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=_policy(statement))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def _role_for_operator(accounts: Accounts, name: str, statement: dict[str, Any] | None = None) -> str:
    iam = accounts.session(USER).client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OPERATOR}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if statement is not None:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_policy(statement))
    return arn


def _may_assume() -> dict[str, Any]:
    return {"Action": "sts:AssumeRole", "Resource": "*"}


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
