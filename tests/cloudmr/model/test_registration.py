from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench import NOON
from cloudmr.errors import Conflict, InvalidRequest, NotAllowed
from cloudmr.model.addresses import is_for_everybody
from cloudmr.model.arns import account_in_bucket_name
from cloudmr.model.permissions import Measured, Permission, undeclared
from cloudmr.model.registration import Operator, decide_mode, refuse_what_is_others
from cloudmr.model.units import ComputingUnit, Mode, Provider, UnitStatus
from mroptimum.errors import ExplainedError
from units import ACCOUNT, OPERATOR, OPERATORS_ACCOUNT, registration, stack

OTHER = "999988887777"


def refusal(**changes: Any) -> str:
    with pytest.raises(ExplainedError) as refused:
        registration(**changes).check()
    return str(refused.value.instance_code)


def test_what_one_stack_names_is_accepted() -> None:
    registration().check()
    registration(**stack(OPERATORS_ACCOUNT, region="eu-central-1")).check()


@pytest.mark.parametrize("name", ["state_machine_arn", "cross_account_role_arn", "data_bucket", "failed_bucket"])
def test_parts_of_another_account_are_refused(name: str) -> None:
    assert refusal(**{name: stack(OTHER)[name]}) == "accounts_differ"


def test_every_part_of_another_account_is_named() -> None:
    other = stack(OTHER)
    with pytest.raises(Conflict, match="stateMachineArn and crossAccountRoleArn and resultsBucket belong to another"):
        registration(
            state_machine_arn=other["state_machine_arn"],
            cross_account_role_arn=other["cross_account_role_arn"],
            results_bucket=other["results_bucket"],
        ).check()


def test_a_machine_of_another_region_is_refused() -> None:
    assert refusal(region="eu-central-1") == "regions_differ"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("aws_account_id", "12345678901", "invalid_request"),
        ("region", "us-east-1; rm", "invalid_request"),
        ("state_machine_arn", "arn:aws:states:us-east-1:123456789012:execution:a:b", "invalid_arn"),
        ("state_machine_arn", f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:a\n", "invalid_arn"),
        ("cross_account_role_arn", f"arn:aws:iam::{ACCOUNT}:user/root", "invalid_arn"),
        ("data_bucket", "s3://mine", "invalid_request"),
        ("data_bucket", "UPPER", "invalid_request"),
        ("results_bucket", "a..b", "invalid_request"),
        ("app_name", "Another", "invalid_request"),
    ],
)
def test_what_is_no_such_name_is_refused(name: str, value: str, code: str) -> None:
    assert refusal(**{name: value}) == code


@pytest.mark.parametrize(
    ("bucket", "account"),
    [
        ("mroptimum-mode2-data-123456789012", "123456789012"),
        ("123456789012.data", "123456789012"),
        ("data-1234567890123", None),
        ("cloudmr-data-cloudmrhub-brain-us-east-1", None),
    ],
)
def test_an_account_in_the_name_of_a_bucket(bucket: str, account: str | None) -> None:
    assert account_in_bucket_name(bucket) == account


def test_the_account_decides_the_mode() -> None:
    operators = registration(**stack(OPERATORS_ACCOUNT))
    assert decide_mode(registration(), OPERATOR, is_admin=False) is Mode.MODE_2
    assert decide_mode(operators, OPERATOR, is_admin=True) is Mode.MODE_1
    assert decide_mode(registration(), Operator(), is_admin=False) is Mode.MODE_2


@pytest.mark.parametrize(
    ("account", "given"),
    [
        (ACCOUNT, {"mode": Mode.MODE_1}),
        (ACCOUNT, {"provider": Provider.CLOUDMRHUB}),
        (OPERATORS_ACCOUNT, {"mode": Mode.MODE_2}),
        (OPERATORS_ACCOUNT, {"mode": Mode.MODE_1, "provider": Provider.USER}),
    ],
)
def test_a_mode_that_says_otherwise_is_refused(account: str, given: dict[str, Any]) -> None:
    with pytest.raises(Conflict) as refused:
        decide_mode(registration(**stack(account), **given), OPERATOR, is_admin=True)
    assert refused.value.instance_code == "mode_contradicts"


def test_mode_1_needs_an_administrator() -> None:
    with pytest.raises(NotAllowed) as refused:
        decide_mode(registration(**stack(OPERATORS_ACCOUNT)), OPERATOR, is_admin=False)
    assert refused.value.instance_code == "admin_needed"


def unit_of(owner_id: str, *, is_proven: bool, **changes: Any) -> ComputingUnit:
    outputs = stack()
    return ComputingUnit(
        **{
            "id": "unit_1",
            "owner_id": owner_id,
            "app_name": "MR Optimum",
            "mode": Mode.MODE_2,
            "provider": Provider.USER,
            "alias": "a",
            "status": UnitStatus.READY,
            "is_default": False,
            "created_at": NOON,
            "snr_verified_at": NOON if is_proven else None,
            **outputs,
            **changes,
        }
    )


@pytest.mark.parametrize("shared", ["state_machine_arn", "cross_account_role_arn", "data_bucket", "failed_bucket"])
def test_what_is_proven_to_be_anothers_is_refused(shared: str) -> None:
    theirs = unit_of("user_2", is_proven=True, **{**stack(OTHER), shared: stack()[shared]})
    with pytest.raises(Conflict) as refused:
        refuse_what_is_others(registration(), [theirs], owner_id="user_1")
    assert refused.value.instance_code == "unit_of_another"


def test_nobody_keeps_others_from_what_is_theirs_by_being_first() -> None:
    squatter = unit_of("user_2", is_proven=False, status=UnitStatus.UNWELL, last_checked_at=NOON)
    refuse_what_is_others(registration(), [squatter], owner_id="user_1")
    refuse_what_is_others(registration(), [unit_of("user_1", is_proven=True)], owner_id="user_1")


def test_the_image_of_a_region() -> None:
    latest = OPERATOR.image_uri("eu-central-1", "latest")
    assert latest == f"{OPERATORS_ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/mroptimum@sha256:{'0a' * 32}"
    assert OPERATOR.image_uri("us-east-1", "0.1.0").endswith(".ecr.us-east-1.amazonaws.com/mroptimum:0.1.0")
    bare = replace(OPERATOR, image_repository="registry.example.org/mroptimum")
    assert bare.image_uri("us-east-1", "latest") == "registry.example.org/mroptimum:latest"


@pytest.mark.parametrize(
    ("operator", "region", "tag", "code"),
    [
        (OPERATOR, "ap-south-1", "latest", "region_without_image"),
        (OPERATOR, "us-east-1", "../latest", "invalid_request"),
        (Operator(), "us-east-1", "latest", "aws_not_set_up"),
    ],
)
def test_an_image_that_there_is_not(operator: Operator, region: str, tag: str, code: str) -> None:
    with pytest.raises((Conflict, InvalidRequest)) as refused:
        operator.image_uri(region, tag)
    assert refused.value.instance_code == code
    if code == "region_without_image":
        assert "us-east-1, eu-central-1" in refused.value.next_step


@pytest.mark.parametrize(
    ("url", "is_public"),
    [
        ("https://brain.example.org", True),
        ("https://f41j488v7j.execute-api.us-east-1.amazonaws.com/Prod", True),
        ("https://8.8.8.8:8443", True),
        ("https://[2001:4860:4860::8888]", True),
        ("http://127.0.0.1:8000", False),
        ("http://localhost", False),
        ("https://brain.localhost.", False),
        ("https://10.0.0.7", False),
        ("https://169.254.169.254", False),
        ("https://[::1]", False),
        ("https://[::ffff:127.0.0.1]", False),
        ("https://brain", False),
        ("https://brain.local", False),
        ("https://100.64.0.1", False),
        ("https://0.0.0.0", False),
    ],
)
def test_which_addresses_are_for_everybody(url: str, is_public: bool) -> None:
    assert is_for_everybody(url) is is_public


def test_a_permission_is_held_to_its_declaration() -> None:
    declared = Permission(action="read", resource="results/*", purpose="to hand out", is_declared=True)
    secret = replace(declared, action="delete", is_declared=False)
    assert declared.is_as_declared
    assert not replace(declared, measured=Measured.REFUSED).is_as_declared
    assert replace(secret, measured=Measured.REFUSED).is_as_declared
    assert undeclared([declared, replace(secret, measured=Measured.ALLOWED)]) == [
        replace(secret, measured=Measured.ALLOWED)
    ]
