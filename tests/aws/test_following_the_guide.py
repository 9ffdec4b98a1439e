"""Somebody follows the guide in a terminal, block by block as it stands there, and sees what it promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_accounts import OPERATOR, USER, Accounts
from aws_units import BRAIN_ARN, brain_credentials
from code_blocks import Block
from guide_terminal import Terminal, guide_blocks, terminal
from operator_image import offered_image
from real_brain import PASSWORD, RealBrain, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def brain(accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealBrain]:
    """A Brain that comes to AWS as its one role."""
    for name, value in accounts.environment(OPERATOR, credentials=brain_credentials(accounts)).items():
        monkeypatch.setenv(name, value)
    settings = {
        "CLOUDMR_OPERATOR_ACCOUNT_ID": OPERATOR,
        "CLOUDMR_BRAIN_PRINCIPAL_ARN": BRAIN_ARN,
        "CLOUDMR_IMAGE_REPOSITORY": offered_image(accounts),
        "CLOUDMR_PRIVATE_URL_ALLOWED": "yes",
    }
    with serving(tmp_path, **settings) as running:
        yield running


@pytest.fixture
def shell(accounts: Accounts, brain: RealBrain, tmp_path: Path) -> Terminal:
    """A terminal of somebody with an account of the Brain and one of AWS."""
    folder = tmp_path / "terminal"
    folder.mkdir()
    return terminal(accounts, folder, brain.url, email=brain.new_email(), password=PASSWORD)


def block(begins: str, document: str = "MODE2-DEPLOYMENT-GUIDE.md") -> Block:
    """Return the block that begins with a line, or has it as its second."""
    [found] = [each for each in guide_blocks(document) if begins in each.text.splitlines()[:2]]
    return found


def test_by_hand_with_cloudformation(shell: Terminal) -> None:
    deployed = shell.run(block("# Set your CloudMR credentials"))
    assert "Successfully created/updated stack - mroptimum-mode2" in deployed.output
    assert deployed.status == 0

    status, outputs, listed = shell.run(block("# Check stack status")).documents
    assert status == "CREATE_COMPLETE"
    values = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    assert values["DataBucketName"] == f"mroptimum-mode2-data-{USER}"
    assert values["CalculationStateMachineArn"].startswith(f"arn:aws:states:us-east-1:{USER}:stateMachine:")
    units = {unit["mode"]: unit for unit in listed["computingUnits"]}
    assert (units["mode_1"]["provider"], units["mode_2"]["provider"]) == ("cloudmrhub", "user")
    assert units["mode_2"]["awsAccountId"] == USER
    assert units["mode_2"]["computingUnitId"] == values["ComputingUnitId"]

    # What the guide has people look at when something fails.
    assert shell.run(block("aws cloudformation describe-stack-events \\")).documents == [[]]
    assert shell.run(block('curl -s -H "Authorization: Bearer $ID_TOKEN" \\')).documents == [listed]
    [tasks] = shell.type("aws ecs list-tasks --cluster mroptimum-mode2-cluster").documents
    assert tasks == {"taskArns": []}

    removed = shell.run(block("# 1. Delete CloudFormation stack"))
    assert removed.status != 0
    assert "Stack with id mroptimum-mode2 does not exist" in removed.output
    assert f"mroptimum-mode2-data-{USER}" in shell.type("aws s3 ls").output, "data outlives its stack"
