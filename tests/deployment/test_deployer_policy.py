"""The least policy for who deploys: what each part of the stack needs, what the commands ask, and no more."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cloudmr.deploy.policies import listed
from code_blocks import ROOT
from unit_template import unit_template

POLICY: dict[str, Any] = json.loads((ROOT / "mode2-deployment" / "deployer-policy.json").read_text())
ACTIONS = {action for statement in POLICY["Statement"] for action in listed(statement["Action"])}
LARGEST_MANAGED_POLICY = 6144
"""Characters that IAM takes, blanks not counted."""

NEEDED_BY = {
    "AWS::S3::Bucket": "s3:CreateBucket s3:DeleteBucket s3:PutEncryptionConfiguration s3:PutBucketPublicAccessBlock "
    "s3:PutLifecycleConfiguration s3:PutBucketCORS s3:PutBucketOwnershipControls s3:PutBucketTagging",
    "AWS::S3::BucketPolicy": "s3:PutBucketPolicy s3:GetBucketPolicy s3:DeleteBucketPolicy",
    "AWS::IAM::Role": "iam:CreateRole iam:GetRole iam:DeleteRole iam:PutRolePolicy iam:DeleteRolePolicy "
    "iam:AttachRolePolicy iam:DetachRolePolicy iam:UpdateAssumeRolePolicy iam:TagRole iam:PassRole",
    "AWS::IAM::ManagedPolicy": "iam:CreatePolicy iam:DeletePolicy iam:CreatePolicyVersion iam:DeletePolicyVersion",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup logs:DeleteLogGroup logs:PutRetentionPolicy logs:TagResource",
    "AWS::ECS::Cluster": "ecs:CreateCluster ecs:DeleteCluster ecs:DescribeClusters ecs:TagResource",
    "AWS::ECS::TaskDefinition": "ecs:RegisterTaskDefinition ecs:DeregisterTaskDefinition ecs:DescribeTaskDefinition",
    "AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup ec2:DeleteSecurityGroup ec2:AuthorizeSecurityGroupEgress "
    "ec2:RevokeSecurityGroupEgress ec2:CreateTags ec2:DescribeSecurityGroups",
    "AWS::Lambda::Function": "lambda:CreateFunction lambda:DeleteFunction lambda:GetFunction lambda:TagResource "
    "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
    "AWS::Lambda::EventSourceMapping": "lambda:CreateEventSourceMapping lambda:GetEventSourceMapping "
    "lambda:DeleteEventSourceMapping",
    "AWS::StepFunctions::StateMachine": "states:CreateStateMachine states:UpdateStateMachine states:TagResource "
    "states:DeleteStateMachine states:DescribeStateMachine",
    "AWS::Events::Rule": "events:PutRule events:DescribeRule events:DeleteRule events:PutTargets events:RemoveTargets",
    "AWS::SQS::Queue": "sqs:CreateQueue sqs:DeleteQueue sqs:GetQueueAttributes sqs:SetQueueAttributes sqs:TagQueue",
    "AWS::SQS::QueuePolicy": "sqs:SetQueueAttributes",
    "Custom::CloudMRPreparation": "lambda:InvokeFunction",
    "Custom::CloudMRRegistration": "lambda:InvokeFunction",
}
"""What CloudFormation does for each type of resource with the rights of whoever deploys."""
ASKED_FOR = {"AWS::CloudTrail::Trail", "AWS::Budgets::Budget"}
"""Made only where somebody asks for them (AuditTrail, MonthlyBudgetUsd), with rights of their own."""


def test_every_part_of_the_stack_can_be_made_and_deleted() -> None:
    types = {resource["Type"] for resource in unit_template()["Resources"].values()}
    assert types - ASKED_FOR == NEEDED_BY.keys()
    assert not {action for kind in types - ASKED_FOR for action in NEEDED_BY[kind].split()} - ACTIONS


def test_it_fits_into_a_policy_of_iam() -> None:
    assert len(re.sub(r"\s", "", json.dumps(POLICY))) <= LARGEST_MANAGED_POLICY


def test_it_names_every_action_and_reaches_what_is_called_mroptimum_only() -> None:
    assert not [action for action in ACTIONS if "*" in action]
    wide = {statement["Sid"] for statement in POLICY["Statement"] if "*" in listed(statement["Resource"])}
    assert wide == {"Look", "QueueToFunction", "TaskDefinitions"}
    looks = next(statement for statement in POLICY["Statement"] if statement["Sid"] == "Look")
    assert all(re.search(r":(Get|Describe|List)", action) for action in looks["Action"])


@pytest.mark.parametrize("never", ["iam:CreateUser", "iam:CreateAccessKey", "s3:PutObject", "s3:GetObject"])
def test_it_gives_nothing_that_a_deployment_has_no_use_for(never: str) -> None:
    assert never not in ACTIONS


def test_a_role_is_handed_to_the_three_services_that_use_it_only() -> None:
    statement = next(each for each in POLICY["Statement"] if "iam:PassRole" in listed(each["Action"]))
    assert set(statement["Condition"]["StringEquals"]["iam:PassedToService"]) == {
        "lambda.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "states.amazonaws.com",
    }
