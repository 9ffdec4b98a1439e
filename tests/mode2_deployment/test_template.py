"""The one template: small enough to be sent as it is, its functions as they are tested, its names as the guides say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.embed_functions import bare, embedded

from aws_accounts import CHECKOUT
from aws_stacks import TEMPLATE
from unit_template import unit_template

MAX_BYTES = 50_000
"""CloudFormation takes 51 200 that are not in a bucket."""
OF_THE_GUIDE = {"CloudMRApiUrl", "CloudMRUserToken", "VpcId", "SubnetId1", "SubnetId2", "ImageTag"}
OUTPUTS = {
    *("CalculationStateMachineArn", "DataBucketName", "ResultsBucketName", "FailedBucketName"),
    *("CloudMRCrossAccountRoleArn", "ClusterName", "ComputingUnitId", "RegistrationStatus", "Region", "ImageDigest"),
}


def test_it_is_small_enough_to_be_sent_without_a_bucket() -> None:
    assert TEMPLATE.stat().st_size < MAX_BYTES


def test_its_functions_are_those_beside_it() -> None:
    text = TEMPLATE.read_text()
    assert embedded(text, TEMPLATE.parent) == text, "make template"


def test_what_is_left_out_of_a_function_is_for_its_readers_only() -> None:
    code = '"""Doc."""\n\n# why\nVALUE = 1\n"""What it is."""\n\n\nclass A:\n    """Only this."""\n\n\n'
    code += 'def f():\n    """Doc."""\n    return 2\n'
    assert bare(code) == ["VALUE = 1", "class A:", '  """Only this."""', "def f():", "  return 2"]


def test_a_function_is_not_shortened_within_a_text() -> None:
    with pytest.raises(AssertionError, match="several lines"):
        bare('WORDS = """a\n    b"""\n')


def test_every_parameter_beyond_the_guides_six_has_a_default() -> None:
    parameters = unit_template()["Parameters"]
    needed = {name for name, about in parameters.items() if "Default" not in about}
    assert needed <= OF_THE_GUIDE
    assert set(parameters) >= OF_THE_GUIDE


def test_its_outputs_are_what_the_scripts_read() -> None:
    assert set(unit_template()["Outputs"]) == OUTPUTS


def test_a_token_is_shown_nowhere() -> None:
    template = unit_template()
    assert template["Parameters"]["CloudMRUserToken"]["NoEcho"] is True
    users = {name for name, value in _strings(template["Resources"]) if value == "CloudMRUserToken"}
    assert users == {"Preparation.Properties.Token.Ref", "Registration.Properties.Token.Ref"}


def test_the_guides_resources_are_there_under_the_guides_names() -> None:
    template = unit_template()
    definition = template["Resources"]["FargateTaskDefinition"]["Properties"]
    assert definition["Cpu"] == {"Ref": "Cpu"}
    assert definition["Memory"] == {"Ref": "Memory"}
    assert (template["Parameters"]["Cpu"]["Default"], template["Parameters"]["Memory"]["Default"]) == ("4096", "8192")
    assert template["Resources"]["ComputeCluster"]["Properties"]["ClusterName"] == {
        "Fn::Sub": "${AWS::StackName}-cluster"
    }


@pytest.mark.parametrize("bucket", ["DataBucket", "ResultsBucket", "FailedBucket"])
def test_a_bucket_is_private_encrypted_and_survives_its_stack(bucket: str) -> None:
    resource = unit_template()["Resources"][bucket]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"
    assert set(resource["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in resource["Properties"]


def test_what_costs_money_and_whom_the_brain_may_become_is_tagged() -> None:
    resources = unit_template()["Resources"]
    billed = {
        "AWS::IAM::Role",
        *("AWS::S3::Bucket", "AWS::ECS::Cluster", "AWS::ECS::TaskDefinition", "AWS::Lambda::Function"),
        *("AWS::StepFunctions::StateMachine", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::CloudTrail::Trail"),
    }
    tag = [{"Key": "cloudmr:unit", "Value": {"Ref": "AWS::StackName"}}]
    untagged = [
        name
        for name, resource in resources.items()
        if resource["Type"] in billed and resource["Properties"].get("Tags") != tag
    ]
    assert untagged == []


def test_nothing_may_everything() -> None:
    allowed = [statement for _, statement in _statements() if statement["Effect"] == "Allow"]
    actions = [action for statement in allowed for action in _list(statement["Action"])]
    assert [action for action in actions if "*" in action] == []
    everywhere = [
        action for statement in allowed if statement.get("Resource") == "*" for action in _list(statement["Action"])
    ]
    assert everywhere == ["ecr:GetAuthorizationToken"], "AWS knows no narrower resource for it"


def test_only_in_a_shared_unit_can_cloudmr_brain_delete_what_is_too_old() -> None:
    role = unit_template()["Resources"]["CrossAccountRole"]["Properties"]
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    conditions = [each["Fn::If"][0] for each in statements if "DeleteObject" in str(each)]
    assert conditions == ["IsShared"]


def test_in_a_unit_of_its_owners_cloudmr_brain_can_delete_nothing_and_change_no_stack() -> None:
    granted = {
        action
        for name, statement in _statements()
        if name.startswith("CrossAccountRole.") and statement.get("Sid") != "KeepRetention"
        for action in _list(statement["Action"])
        if not action.startswith("sts:")
    }
    assert not [action for action in granted if re.search(r"delete|iam:|cloudformation:", action, re.IGNORECASE)]


@pytest.mark.parametrize("path", ["template-mode2.yaml", "calculation/template.yaml"])
def test_the_names_of_the_guides_lead_to_the_one_template(path: str) -> None:
    link = CHECKOUT / path
    assert link.is_symlink()
    assert not Path(link.readlink()).is_absolute()
    assert link.resolve() == TEMPLATE


def _statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in unit_template()["Resources"].items():
        if resource["Type"].startswith("AWS::IAM::"):
            yield from _within(name, resource["Properties"])


def _within(where: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        if "Effect" in value:
            yield where, value
        for name, each in value.items():
            yield from _within(f"{where}.{name}", each)
    elif isinstance(value, list):
        for each in value:
            yield from _within(where, each)


def _strings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _strings(each, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, where)
    elif isinstance(value, str):
        yield where, value


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
