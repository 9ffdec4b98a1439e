"""What a unit's owner finds with their own credentials, look by look; what AWS refuses hides nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudmr.client.answers import ComputingUnit
from cloudmr.deploy.account import Person, Stack
from cloudmr.deploy.check import Found, Look, check_stack, is_well, judge_stack, judge_tasks
from cloudmr.model.findings import Outcome
from cloudmr.model.units import Mode, Provider, UnitStatus
from role_policies import DECLARED, MACHINE, trust
from scripted_account import ScriptedAccount, refusal
from units import ACCOUNT, OPERATORS_ACCOUNT

PERSON = Person(account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/me")
IMAGE = f"{OPERATORS_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/mroptimum@sha256:{'0a' * 32}"
STACK = Stack(
    name="mroptimum-mode2",
    id=f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/mroptimum-mode2/1",
    status="CREATE_COMPLETE",
    reason="",
    parameters={
        "CloudMRApiUrl": "https://brain.example.org/Prod",
        "SubnetId1": "subnet-1",
        "SubnetId2": "subnet-2",
        "AssignPublicIp": "ENABLED",
    },
    outputs={
        "CalculationStateMachineArn": MACHINE,
        "CloudMRCrossAccountRoleArn": f"arn:aws:iam::{ACCOUNT}:role/mroptimum-mode2-cloudmr",
        "DataBucketName": "d",
        "ResultsBucketName": "r",
        "FailedBucketName": "f",
        "ClusterName": "mroptimum-mode2-cluster",
        "ComputingUnitId": "unit_1",
    },
)
PARTS = {
    "SmallJobFunction": "mroptimum-mode2-small-job",
    "FargateTaskDefinition": "arn:aws:ecs:us-east-1:123456789012:task-definition/mroptimum-mode2-job:1",
    "SecurityGroup": "sg-1",
    "UnheardQueue": "https://sqs/unheard",
    "JobLogs": "/g",
}
ROLE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "states:StartExecution", "Resource": MACHINE}],
}
EXECUTION_POLICY = {
    "Statement": [{"Effect": "Allow", "Action": ["ecr:*", "logs:*"], "Resource": "*"}],
}


def healthy(**changes: Any) -> ScriptedAccount:
    """Return an account whose stack is as it should be, but for the answers that are changed."""
    answers: dict[str, Any] = {
        "cloudformation:list_stack_resources": [
            {"LogicalResourceId": name, "ResourceType": "x", "PhysicalResourceId": physical}
            for name, physical in PARTS.items()
        ],
        "iam:get_role": {"Role": {"AssumeRolePolicyDocument": trust()}},
        "iam:list_role_policies": ["own"],
        "iam:get_role_policy": lambda **asked: {
            "PolicyDocument": ROLE_POLICY if asked["RoleName"].endswith("cloudmr") else json.dumps(EXECUTION_POLICY)
        },
        "iam:list_attached_role_policies": [],
        "stepfunctions:describe_state_machine": {"name": "mroptimum-mode2-jobs", "status": "ACTIVE"},
        "lambda:get_function": {
            "Configuration": {"State": "Active", "MemorySize": 3008},
            "Code": {"ImageUri": IMAGE},
        },
        "ecs:describe_task_definition": {
            "taskDefinition": {
                "containerDefinitions": [{"image": IMAGE}],
                "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
            }
        },
        "ecr:batch_get_image": {"images": [{}], "failures": []},
        "ec2:describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "IsDefault": True}],
        "ec2:describe_vpc_endpoints": [],
        "ec2:describe_route_tables": [
            {
                "VpcId": "vpc-1",
                "Associations": [{"Main": True}],
                "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}],
            }
        ],
        "ec2:describe_subnets": [
            {"SubnetId": f"subnet-{number}", "VpcId": "vpc-1", "AvailabilityZone": f"us-east-1{zone}"}
            for number, zone in ((1, "a"), (2, "b"))
        ],
        "ec2:describe_security_groups": [
            {
                "GroupId": "sg-1",
                "VpcId": "vpc-1",
                "IpPermissionsEgress": [
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
                ],
            }
        ],
        "s3:get_bucket_location": {"LocationConstraint": None},
        "s3:get_public_access_block": {
            "PublicAccessBlockConfiguration": dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            )
        },
        "s3:get_bucket_cors": {
            "CORSRules": [{"AllowedOrigins": ["https://brain.example.org"], "AllowedMethods": ["GET", "HEAD", "PUT"]}]
        },
        "s3:get_bucket_policy": {
            "Policy": json.dumps(
                {"Statement": [{"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
            )
        },
        "s3:get_bucket_encryption": {"ServerSideEncryptionConfiguration": {"Rules": [{}]}},
        "ecs:list_tasks": [],
        "sqs:get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
    }
    return ScriptedAccount(answers | {name.replace("__", ":"): answer for name, answer in changes.items()})


def unit(**changes: Any) -> ComputingUnit:
    values: dict[str, Any] = {
        "computing_unit_id": "unit_1",
        "app_name": "MR Optimum",
        "mode": Mode.MODE_2,
        "provider": Provider.USER,
        "alias": "mine",
        "status": UnitStatus.READY,
        "is_default": True,
        "aws_account_id": ACCOUNT,
        "region": "us-east-1",
        "state_machine_arn": MACHINE,
        "data_bucket": "d",
        "results_bucket": "r",
        "failed_bucket": "f",
        "created_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    return ComputingUnit.model_validate(values | changes)


def found(aws: ScriptedAccount, registered: ComputingUnit | None = None) -> list[Found]:
    return list(check_stack(aws, PERSON, STACK, api_url=None, unit=registered))


def only_bad(aws: ScriptedAccount, registered: ComputingUnit | None = None) -> Found:
    [bad] = [each for each in found(aws, registered) if each.outcome is not Outcome.PASSED]
    assert bad.message
    assert bad.fix
    return bad


def test_a_unit_that_is_as_it_should_be_passes_every_look() -> None:
    everything = found(healthy(), unit())
    assert {each.outcome for each in everything} == {Outcome.PASSED}
    assert {each.look for each in everything} == set(Look)
    assert is_well(everything)


@pytest.mark.parametrize(
    ("changes", "look", "code", "outcome"),
    [
        (
            {"iam__get_role": {"Role": {"AssumeRolePolicyDocument": trust("*")}}},
            Look.TRUST,
            "trust_open",
            Outcome.REFUSED,
        ),
        ({"iam__get_role": refusal("NoSuchEntity")}, Look.TRUST, "part_missing", Outcome.GONE),
        (
            {"stepfunctions__describe_state_machine": refusal("StateMachineDoesNotExist")},
            Look.STATE_MACHINE,
            "state_machine_missing",
            Outcome.GONE,
        ),
        ({"lambda__get_function": refusal("ResourceNotFoundException")}, Look.SMALL_JOBS, "part_missing", Outcome.GONE),
        (
            {"ecr__batch_get_image": {"failures": [{"failureReason": "Requested image not found"}]}},
            Look.IMAGE,
            "image_not_pulled",
            Outcome.FAILED,
        ),
        (
            {"ecr__batch_get_image": refusal("RepositoryNotFoundException", "no such repository")},
            Look.IMAGE,
            "image_not_pulled",
            Outcome.FAILED,
        ),
        ({"s3__get_bucket_location": refusal("NoSuchBucket")}, None, "part_missing", Outcome.GONE),
        ({"s3__get_bucket_policy": refusal("NoSuchBucketPolicy")}, None, "tls_not_required", Outcome.DOUBTFUL),
        (
            {"s3__get_bucket_cors": refusal("NoSuchCORSConfiguration")},
            None,
            "pages_locked_out",
            Outcome.DOUBTFUL,
        ),
        (
            {"s3__get_public_access_block": refusal("NoSuchPublicAccessBlockConfiguration")},
            None,
            "bucket_unfit",
            Outcome.FAILED,
        ),
        (
            {"sqs__get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "3"}}},
            Look.REPORTS,
            "reports_unheard",
            Outcome.DOUBTFUL,
        ),
        ({"ecs__list_tasks": refusal("ClusterNotFoundException")}, Look.TASKS, "part_missing", Outcome.GONE),
    ],
)
def test_each_thing_that_is_not_as_it_should_be_is_found(
    changes: dict[str, Any], look: Look | None, code: str, outcome: Outcome
) -> None:
    bad = [each for each in found(healthy(**changes), unit()) if each.outcome is not Outcome.PASSED]
    assert {(each.code, each.outcome) for each in bad} == {(code, outcome)}
    assert look is None or {each.look for each in bad} == {look}
    assert all(each.fix for each in bad)


def test_a_role_with_more_than_was_declared_is_refused() -> None:
    more = {"Statement": [{"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"}]}
    policies = {"iam__get_role_policy": lambda **asked: {
        "PolicyDocument": more if asked["RoleName"].endswith("cloudmr") else EXECUTION_POLICY
    }}  # fmt: skip
    bad = only_bad(healthy(**policies))
    assert (bad.look, bad.code, bad.outcome) == (Look.RIGHTS, "role_wide", Outcome.REFUSED)
    assert "s3:DeleteObject on *" in bad.message


def test_an_execution_role_without_its_rights_is_found() -> None:
    policies = {"iam__get_role_policy": lambda **asked: {
        "PolicyDocument": ROLE_POLICY if asked["RoleName"].endswith("cloudmr") else {"Statement": []}
    }}  # fmt: skip
    bad = only_bad(healthy(**policies))
    assert (bad.look, bad.code) == (Look.EXECUTION_ROLE, "execution_role")
    assert "ecr:GetAuthorizationToken" in bad.message


def test_subnets_that_have_lost_their_way_out_are_found() -> None:
    bad = [each for each in found(healthy(ec2__describe_route_tables=[])) if each.outcome is not Outcome.PASSED]
    assert {(each.look, each.code) for each in bad} == {(Look.SUBNETS, "no_way_out")}
    assert len(bad) == 2


def test_subnets_at_an_internet_gateway_need_public_addresses() -> None:
    stack = Stack(**{**vars(STACK), "parameters": {**STACK.parameters, "AssignPublicIp": "DISABLED"}})
    bad = [
        each
        for each in check_stack(healthy(), PERSON, stack, api_url=None, unit=None)
        if each.outcome is not Outcome.PASSED
    ]
    assert {each.code for each in bad} == {"no_way_out"}
    assert "AssignPublicIp" in bad[0].message


def test_a_security_group_that_lets_nothing_out_is_found() -> None:
    closed = [{"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissionsEgress": []}]
    bad = only_bad(healthy(ec2__describe_security_groups=closed))
    assert (bad.look, bad.code) == (Look.SECURITY_GROUP, "security_group_closed")


def test_tasks_that_did_not_start_say_why_once() -> None:
    reason = "CannotPullContainerError: pull access denied"
    account = healthy(
        ecs__list_tasks=["arn:1", "arn:2"],
        ecs__describe_tasks={"tasks": [{"stoppedReason": reason, "containers": [{"reason": ""}]}] * 2},
    )
    bad = only_bad(account)
    assert (bad.look, bad.code) == (Look.TASKS, "image_not_pulled")


def test_no_capacity_is_told() -> None:
    [bad] = judge_tasks(["Capacity is unavailable at this time. Please try again later"])
    assert bad.code == "no_capacity"


@pytest.mark.parametrize(
    ("registered", "code"),
    [
        (unit(aws_account_id="999988887777"), "accounts_differ"),
        (unit(state_machine_arn=MACHINE + "-old"), "state_machine_missing"),
        (unit(status=UnitStatus.UNWELL, status_reason="It does not answer."), "unit_not_ready"),
    ],
)
def test_a_registration_that_is_not_the_stacks_is_found(registered: ComputingUnit, code: str) -> None:
    bad = only_bad(healthy(), registered)
    assert (bad.look, bad.code) == (Look.REGISTRATION, code)


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        ("UPDATE_COMPLETE", Outcome.PASSED, ""),
        ("UPDATE_IN_PROGRESS", Outcome.DOUBTFUL, "stack_busy"),
        ("UPDATE_ROLLBACK_COMPLETE", Outcome.DOUBTFUL, ""),
        ("ROLLBACK_COMPLETE", Outcome.FAILED, "stack_rolled_back"),
        ("DELETE_FAILED", Outcome.FAILED, "stack_stuck"),
    ],
)
def test_the_state_of_the_stack_is_told(status: str, outcome: Outcome, code: str) -> None:
    looked = judge_stack(Stack(**{**vars(STACK), "status": status}))
    assert (looked.outcome, looked.code) == (outcome, code)


def test_what_may_not_be_looked_at_hides_nothing_else() -> None:
    everything = found(healthy(iam__get_role=refusal("AccessDenied"), s3__get_bucket_location=refusal("AccessDenied")))
    unseen = {each.look for each in everything if each.outcome is Outcome.UNSEEN}
    assert unseen == {Look.TRUST, Look.DATA_BUCKET, Look.RESULTS_BUCKET, Look.FAILED_BUCKET}
    assert Look.REPORTS in {each.look for each in everything if each.outcome is Outcome.PASSED}
    assert is_well(everything)


def test_every_right_of_the_brain_has_a_place() -> None:
    assert all(grant.resource for grant in DECLARED)
