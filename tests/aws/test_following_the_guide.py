"""Somebody follows the guide in a terminal, block by block as it stands there, and sees what it promises."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from aws_accounts import OPERATOR, Accounts
from aws_units import BRAIN_ARN, brain_credentials
from code_blocks import Block
from guide_terminal import Terminal, guide_blocks, terminal
from operator_image import let_pull, offered_image
from real_brain import PASSWORD, RealBrain, serving

pytestmark = pytest.mark.slow

VERIFIED = "is verified for SNR"
_numbers = itertools.count(520000000001)


@pytest.fixture(scope="module")
def environment(accounts: Accounts) -> Mapping[str, str]:
    """How the Brain comes to AWS: as its one role."""
    in_aws = accounts.environment(OPERATOR, credentials=brain_credentials(accounts))
    return {**in_aws, "SSL_CERT_FILE": str(accounts.ca_bundle)}


@pytest.fixture(autouse=True)
def still_there(
    no_settings_of_this_machine: None, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Brain runs in this process, and reads them whenever it goes to an account for something new."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def brain(
    accounts: Accounts, environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealBrain]:
    settings = {
        "CLOUDMR_OPERATOR_ACCOUNT_ID": OPERATOR,
        "CLOUDMR_BRAIN_PRINCIPAL_ARN": BRAIN_ARN,
        "CLOUDMR_IMAGE_REPOSITORY": offered_image(accounts),
        "CLOUDMR_PRIVATE_URL_ALLOWED": "yes",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with serving(tmp_path_factory.mktemp("brain"), **settings) as running:
            yield running


@pytest.fixture
def account() -> str:
    """The number of an account of AWS that nobody else has: what was proven to be one person's is not another's."""
    return str(next(_numbers))


@pytest.fixture
def buckets(account: str) -> list[str]:
    return [f"mroptimum-mode2-{kind}-{account}" for kind in ("data", "results", "failed")]


@pytest.fixture
def shell(accounts: Accounts, brain: RealBrain, account: str, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal of somebody with an account of the Brain and one of AWS, whose stacks are gone at the end."""
    let_pull(accounts, account)
    opened = terminal(accounts, tmp_path, brain.url, email=brain.new_email(), password=PASSWORD, account=account)
    yield opened
    client = accounts.session(account).client("cloudformation")
    for stack in client.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]:
        client.delete_stack(StackName=stack["StackName"])


def block(begins: str) -> Block:
    """Return the block of the guide that has a line as its first or second."""
    found = [each for each in guide_blocks("MODE2-DEPLOYMENT-GUIDE.md") if begins in each.text.splitlines()[:2]]
    return found[0]


def listed(said: Any) -> dict[str, Any]:
    """Return the units of an answer by their modes."""
    return {unit["mode"]: unit for unit in said["computingUnits"]}


def with_credentials(shell: Terminal) -> None:
    """Have e-mail address and password in the environment."""
    shell.environment |= {name: shell.values[name] for name in ("CLOUDMR_EMAIL", "CLOUDMR_PASSWORD")}


def test_by_hand_with_cloudformation(shell: Terminal, account: str, buckets: list[str]) -> None:
    deployed = shell.run(block("# Set your CloudMR credentials"))
    assert "Successfully created/updated stack - mroptimum-mode2" in deployed.output
    assert deployed.status == 0

    status, outputs, units = shell.run(block("# Check stack status")).documents
    assert status == "CREATE_COMPLETE"
    values = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    assert [values[f"{kind}BucketName"] for kind in ("Data", "Results", "Failed")] == buckets
    assert values["CalculationStateMachineArn"].startswith(f"arn:aws:states:us-east-1:{account}:stateMachine:")
    assert listed(units)["mode_1"]["provider"] == "cloudmrhub"
    mine = listed(units)["mode_2"]
    assert (mine["provider"], mine["awsAccountId"]) == ("user", account)
    assert mine["computingUnitId"] == values["ComputingUnitId"]

    # What the guide has people look at when something fails.
    assert shell.run(block("aws cloudformation describe-stack-events \\")).documents == [[]]
    [again] = shell.run(block('curl -s -H "Authorization: Bearer $ID_TOKEN" \\')).documents
    assert listed(again)["mode_2"]["computingUnitId"] == mine["computingUnitId"]
    assert json.loads(shell.type("aws ecs list-tasks --cluster mroptimum-mode2-cluster").output) == {"taskArns": []}

    removed = shell.run(block("# 1. Delete CloudFormation stack"))
    assert removed.status != 0
    assert "Stack with id mroptimum-mode2 does not exist" in removed.output
    assert all(bucket in shell.type("aws s3 ls").output for bucket in buckets), "data outlives its stack"


def registration_token(shell: Terminal, address: str) -> str:
    """Return a token as somebody takes it from their profile, who then signs out."""
    with_credentials(shell)
    shell.environment["CLOUDMR_API_URL"] = address
    assert shell.type("cloudmr login").status == 0
    made = shell.type("cloudmr token create deploy --scope unit:register --json 2>/dev/null").output
    assert shell.type("cloudmr logout").status == 0
    for name in ("CLOUDMR_API_URL", "CLOUDMR_EMAIL", "CLOUDMR_PASSWORD"):
        del shell.environment[name]
    return str(json.loads(made)["token"])


def test_on_a_terminal_it_asks_and_then_everything_is_right(shell: Terminal, buckets: list[str]) -> None:
    address = shell.values["CLOUDMR_API_URL"]
    token = registration_token(shell, address)
    questions = [
        ("Address of CloudMR Brain", address),
        ("(from your profile; not shown): ", token),
        ("VPC number", ""),
        ("First subnet number", ""),
        ("Second subnet number", ""),
        ("Make this?", "y"),
    ]
    deployed = shell.converse(block("# Option 1: the stack registers itself"), questions)
    assert "The stack is CREATE_COMPLETE." in deployed.output
    assert token not in deployed.output

    with_credentials(shell)
    shell.environment["CLOUDMR_API_URL"] = address
    repeated = shell.run(block("# Option 2: deploy, and register afterwards"))
    assert (repeated.status, "is registered" in repeated.output) == (0, True), repeated.output
    registered = shell.run(block("# Set environment variables"))
    assert "is registered" in registered.output
    assert registered.status == 0
    logged = shell.run(block("./scripts/register-computing-unit.sh 2>&1 | tee registration.log"))
    assert (shell.root / "registration.log").read_text() == logged.output

    checked = shell.run(block("cloudmr unit check"))
    assert (checked.status, "mroptimum-mode2 is well" in checked.output) == (0, True), checked.output
    removed = shell.type("cloudmr unit remove --yes")
    assert all(f"{bucket} stays" in removed.output for bucket in buckets)
    assert "does not exist" in shell.type("aws cloudformation describe-stacks --stack-name mroptimum-mode2").output


def test_without_a_terminal(shell: Terminal) -> None:
    missing = shell.run(block("export AWS_PROFILE=myprofile"))
    assert missing.status == 2
    assert all(name in missing.output for name in ("CLOUDMR_EMAIL", "CLOUDMR_PASSWORD", "CLOUDMR_TOKEN"))

    with_credentials(shell)
    deployed = shell.run(block("export AWS_PROFILE=myprofile"))
    assert VERIFIED in deployed.output
    assert deployed.status == 0

    shell.environment["CLOUDMR_API_URL"] = shell.values["CLOUDMR_API_URL"]
    removed = shell.type("cloudmr unit remove --stack-name my-mroptimum --delete-data --yes")
    assert removed.status == 0
    assert "my-mroptimum" not in shell.type("aws s3 ls").output


def test_all_in_one(shell: Terminal, account: str) -> None:
    keys = [
        ("AWS Access Key ID", account),
        ("AWS Secret Access Key", "test"),
        ("region name", "us-east-1"),
        ("output", ""),
    ]
    assert shell.converse(block("aws configure --profile eros"), keys).status == 0
    shell.environment["CLOUDMR_API_URL"] = shell.values["CLOUDMR_API_URL"]
    deployed = shell.run(block("./scripts/deploy-and-register-mode2.sh \\"))
    assert "warning: a password on the command line can be seen by others on this machine." in deployed.output
    assert VERIFIED in deployed.output
    assert deployed.status == 0
    events = shell.run(
        block("aws cloudformation describe-stack-events --stack-name mroptimum-mode2 --profile eros --region us-east-1")
    )
    assert events.documents[0]["StackEvents"]
    deleted = shell.run(
        block("aws cloudformation delete-stack --stack-name mroptimum-mode2 --profile eros --region us-east-1")
    )
    assert deleted.status == 0
