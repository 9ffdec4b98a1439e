"""Who may assume a role and what it may do, read out of its policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudmr.deploy.policies import (
    RIGHTS,
    STARTS_TASKS,
    Grant,
    beyond,
    declared_for_brain,
    grants,
    lacks,
    why_open,
)
from role_policies import DECLARED, EXTERNAL_ID, MACHINE, ROLE, ROOT, trust
from units import ACCOUNT, OPERATORS_ACCOUNT


def test_one_role_with_one_external_id_is_as_it_should_be() -> None:
    assert why_open(trust()) is None
    assert why_open(trust({"AWS": ROLE}, {"sts:ExternalId": EXTERNAL_ID})) is None
    assert why_open(trust(conditions={"sts:externalId": [EXTERNAL_ID], "aws:principalarn": [ROLE]})) is None


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (trust("*"), "everybody"),
        (trust({"AWS": "*"}), "every AWS account"),
        (trust({"Service": "ec2.amazonaws.com"}), "Service principals"),
        (trust({"AWS": [ROOT, f"arn:aws:iam::{ACCOUNT}:root"]}), "2 principals"),
        (trust(conditions={"aws:PrincipalArn": ROLE}), "no ExternalId"),
        (trust(conditions={"sts:ExternalId": "", "aws:PrincipalArn": ROLE}), "no ExternalId"),
        (trust(conditions={"sts:ExternalId": "short", "aws:PrincipalArn": ROLE}), "no ExternalId"),
        (trust(conditions={"sts:ExternalId": [EXTERNAL_ID, "x" * 40], "aws:PrincipalArn": ROLE}), "no ExternalId"),
        (trust(conditions={"sts:ExternalId": EXTERNAL_ID}), f"everybody in the account {OPERATORS_ACCOUNT}"),
        ({"Statement": []}, "nobody"),
    ],
)
def test_a_role_that_others_could_assume_is_found(policy: dict[str, Any], why: str) -> None:
    found = why_open(policy)
    assert found is not None
    assert why in found


def test_a_second_statement_that_opens_it_is_found() -> None:
    policy = trust()
    policy["Statement"] += trust("*")["Statement"]
    assert why_open(policy) == "everybody may ask for it"


def test_what_was_declared_is_not_beyond() -> None:
    allowed = (
        Grant(action="states:StartExecution", resource=MACHINE),
        Grant(action="states:DescribeExecution", resource=MACHINE.replace("stateMachine", "execution") + ":*"),
        Grant(action="s3:GetObject", resource="arn:aws:s3:::r/results/*"),
        Grant(action="s3:PutObject", resource="arn:aws:s3:::d/uploads/*"),
        Grant(action="s3:ListBucket", resource="arn:aws:s3:::f"),
        Grant(action="logs:FilterLogEvents", resource=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/g:*"),
    )
    assert beyond(allowed, DECLARED) == ()


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:DeleteObject", "arn:aws:s3:::r/results/*"),
        ("s3:GetObject", "arn:aws:s3:::r/*"),
        ("s3:GetObject", "*"),
        ("s3:*", "arn:aws:s3:::r/results/*"),
        ("*", "*"),
        ("states:StartExecution", "*"),
        ("iam:PassRole", "*"),
        ("s3:PutObject", "arn:aws:s3:::r/results/*"),
    ],
)
def test_what_was_not_declared_is_beyond(action: str, resource: str) -> None:
    grant = Grant(action=action, resource=resource)
    assert beyond([grant], DECLARED) == (grant,)


def test_in_the_operators_account_the_brain_keeps_the_times_after_which_things_go() -> None:
    grant = Grant(action="s3:DeleteObject", resource="arn:aws:s3:::r/results/*")
    assert beyond([grant], DECLARED) == (grant,)
    of_mode_1 = declared_for_brain(
        machine_arn=MACHINE, data_bucket="d", results_bucket="r", failed_bucket="f", log_group="/g", is_operators=True
    )
    assert beyond([grant], of_mode_1) == ()


def test_policies_allow_what_their_statements_say() -> None:
    document = {
        "Statement": [
            {"Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": "x"},
            {"Effect": "Deny", "Action": "a:D", "Resource": "x"},
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        ]
    }
    assert [str(grant) for grant in grants([document])] == ["a:B on x", "a:C on x", "* on *"]
    assert grants([{"Statement": {"Effect": "Allow", "Action": "a:B", "Resource": "x"}}])


def test_a_role_that_lacks_something_to_start_tasks_is_found() -> None:
    some = [Grant(action=action, resource="*") for action in STARTS_TASKS[1:]]
    assert lacks(STARTS_TASKS, some) == ("ecr:GetAuthorizationToken",)
    assert lacks(STARTS_TASKS, [Grant(action="ecr:*", resource="*"), Grant(action="logs:*", resource="*")]) == ()


def test_the_brain_never_deletes_and_never_touches_iam() -> None:
    text = json.dumps([right.action for right in RIGHTS])
    assert "Delete" not in text
    assert "iam:" not in text
    assert "*" not in text
