"""`cloudmr unit plan|deploy|register` before any AWS account is reached: what is missing, what is not installed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import typer

from cloudmr.cli.exit_codes import ExitCode
from cloudmr.cli.stacks import explained
from cloudmr.cli.terminal import Terminal
from cloudmr.deploy.errors import StandsInTheWay
from cloudmr.deploy.troubles import Trouble, problem
from commands import Machine
from real_brain import PASSWORD, RealBrain


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine without credentials of AWS, and without a session."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CLOUDMR_"))]:
        monkeypatch.delenv(name)
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return Machine(
        environment={"CLOUDMR_CONFIG": str(tmp_path / "config"), "AWS_EC2_METADATA_DISABLED": "true", **nowhere}
    )


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text("Parameters:\n  VpcId: {Type: String}\nResources:\n  Cluster: {Type: AWS::ECS::Cluster}\n")
    return path


def test_everything_that_is_missing_is_named_at_once(machine: Machine, template: Path) -> None:
    said = machine.run("unit", "deploy", "--template", template)
    assert said.exit_code == ExitCode.USAGE
    for name in ("--api-url (CLOUDMR_API_URL)", "--email (CLOUDMR_EMAIL)", "--password (CLOUDMR_PASSWORD)"):
        assert name in said.errors
    assert "cloudmr login" in said.errors


def test_programs_get_it_as_json(machine: Machine, template: Path) -> None:
    said = machine.run("unit", "register", "--template", template, "--json")
    assert said.exit_code == ExitCode.USAGE
    assert said.value()["error"]["code"] == "not_given"


def test_without_credentials_of_aws_it_says_how_to_get_some(machine: Machine, template: Path) -> None:
    said = machine.run("unit", "plan", "--template", template, "--api-url", "https://brain.example.org")
    assert said.exit_code == ExitCode.FAILED
    assert "credentials_missing" in said.errors
    assert "aws configure" in said.errors


def test_a_profile_that_there_is_not_is_named(machine: Machine, template: Path) -> None:
    said = machine.run("unit", "plan", "--template", template, "--profile", "eros")
    assert said.exit_code == ExitCode.FAILED
    assert "credentials_missing" in said.errors
    assert "eros" in said.errors


def test_a_password_in_the_arguments_is_taken_with_a_warning(
    machine: Machine, template: Path, real_brain: RealBrain
) -> None:
    said = machine.run(
        *("unit", "register", "--template", template, "--api-url", real_brain.url),
        *("--email", real_brain.new_email(), "--password", PASSWORD),
    )
    assert "can be seen by others" in said.errors
    assert PASSWORD not in said.output + said.errors
    assert "credentials_missing" in said.errors, "the Brain was not the trouble"


def test_a_parameter_that_the_template_does_not_take_is_refused(machine: Machine, template: Path) -> None:
    said = machine.run("unit", "plan", "--template", template, "--parameter", "Memry=1")
    assert said.exit_code == ExitCode.USAGE
    assert "Memry" in said.errors
    assert machine.run("unit", "plan", "--template", template, "--parameter", "Memory").exit_code == ExitCode.USAGE


def test_a_template_that_is_not_there_is_named(machine: Machine, tmp_path: Path) -> None:
    said = machine.run("unit", "plan", "--template", tmp_path / "no.yaml", "--json")
    assert (said.exit_code, json.loads(said.output)["error"]["code"]) == (ExitCode.FAILED, "template_missing")


def test_a_mode_that_there_is_not_is_refused(machine: Machine, template: Path) -> None:
    said = machine.run("unit", "deploy", "--template", template, MODE="mode2")
    assert said.exit_code == ExitCode.USAGE
    assert "mode_1, mode_2" in said.errors


def test_without_its_part_of_the_installation_it_says_which_to_install(
    machine: Machine, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "cloudmr.aws.own_account", raising=False)
    said = machine.run("unit", "plan", "--template", template)
    assert said.exit_code == ExitCode.USAGE
    assert "pip install 'mroptimum[aws]'" in said.errors


def test_help_says_where_each_thing_may_be_said(machine: Machine) -> None:
    text = " ".join(machine.run("unit", "deploy", "--help", COLUMNS="200").output.split())
    assert "(By itself AWS_REGION, REGION, us-east-1.)" in text
    assert "CLOUDMR_API_URL" in text


def test_several_troubles_are_told_together(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [
        problem(Trouble.NO_NETWORK, what="us-east-1"),
        problem(Trouble.STACK_NAME_INVALID, stack="No!", most=41),
    ]
    for as_json in (True, False):
        with pytest.raises(typer.Exit), explained(Terminal(as_json=as_json)):
            raise StandsInTheWay(problems)
    shown = capsys.readouterr()
    assert [each["code"] for each in json.loads(shown.out)["problems"]] == ["no_network", "stack_name_invalid"]
    assert shown.err.count("Next: ") == 2
