"""The Brain's own stacks come up in an account, and hand its tasks what they were given."""

from __future__ import annotations

from typing import Any

from aws_accounts import REPOSITORY, Accounts
from code_blocks import ROOT
from waiting import wait_until

FOLDER = ROOT / "brain-deployment"
HOST = "brain.example.org"
OPERATOR = "510000000001"
"""Nobody else's account: a role of the Brain's name is made by hand in the one that other tests share."""


def deploy(accounts: Accounts, template_name: str, stack_name: str, parameters: dict[str, str]) -> dict[str, str]:
    """Create a stack of a template, and return its outputs."""
    cloudformation = accounts.session(OPERATOR).client("cloudformation")
    # The emulator counts tasks with what is given, which parameters make text of.
    template = (FOLDER / template_name).read_text("utf-8").replace("DesiredCount: !Ref BrainCount", "DesiredCount: 2")
    cloudformation.create_stack(
        StackName=stack_name,
        TemplateBody=template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )

    def stack() -> dict[str, Any]:
        [found] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
        return dict(found)

    wait_until(lambda: not stack()["StackStatus"].endswith("IN_PROGRESS"), what=stack_name)
    assert stack()["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack()["Outputs"]}


def test_the_brain_is_told_who_it_is_and_where_its_secrets_are(accounts: Accounts) -> None:
    network = accounts.network(OPERATOR)
    subnets = ",".join(network.subnet_ids)
    outputs = deploy(
        accounts,
        "template-brain.yaml",
        "cloudmr-brain",
        {
            "ImageUri": f"{OPERATOR}.dkr.ecr.us-east-1.amazonaws.com/cloudmr-brain:0.1",
            "HostName": HOST,
            "CertificateArn": f"arn:aws:acm:us-east-1:{OPERATOR}:certificate/of-it",
            "VpcId": network.vpc_id,
            "PublicSubnetIds": subnets,
            "ServiceSubnetIds": subnets,
            "ImageRepository": REPOSITORY,
        },
    )
    assert outputs["PublicUrl"] == f"https://{HOST}"
    ecs = accounts.session(OPERATOR).client("ecs")
    task = ecs.describe_task_definition(taskDefinition=outputs["TaskDefinition"])["taskDefinition"]
    [brain] = task["containerDefinitions"]
    plain = {each["name"]: each["value"] for each in brain["environment"]}
    assert plain["CLOUDMR_OPERATOR_ACCOUNT_ID"] == OPERATOR
    assert plain["CLOUDMR_BRAIN_PRINCIPAL_ARN"] == outputs["BrainPrincipalArn"] == task["taskRoleArn"]
    assert plain["CLOUDMR_IMAGE_REPOSITORY"] == REPOSITORY
    assert plain["DATABASE_URL"].startswith("postgresql://cloudmr@")
    # The emulator keeps no names of a container's secrets; which they are is tested in tests/brain_deployment.
    assert len(brain["secrets"]) == 2
    secrets = accounts.session(OPERATOR).client("secretsmanager")
    cloudformation = accounts.session(OPERATOR).client("cloudformation")
    kept = {}
    for name in ("SecretKey", "DatabasePassword"):
        resource = cloudformation.describe_stack_resource(StackName="cloudmr-brain", LogicalResourceId=name)
        place = resource["StackResourceDetail"]["PhysicalResourceId"]
        kept[name] = secrets.get_secret_value(SecretId=place)["SecretString"]
    assert {name: len(secret) for name, secret in kept.items()} == {"SecretKey": 64, "DatabasePassword": 48}


def test_the_repository_of_images_comes_up(accounts: Accounts) -> None:
    # Without another region: the emulator knows no replication.
    outputs = deploy(accounts, "template-images.yaml", "images-of-a-test", {"RepositoryName": "of-a-test"})
    assert outputs["RepositoryUri"] == f"{OPERATOR}.dkr.ecr.us-east-1.amazonaws.com/of-a-test"
