"""A unit is made by the guide's script with nobody to ask, registers itself, is checked, removed, and made again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from at_terminal import at_terminal
from aws_accounts import OPERATOR, USER, Accounts, Credentials
from aws_stacks import deploy
from brain_process import BrainProcess
from cloudmr.cli.exit_codes import ExitCode
from cloudmr.deploy.register import OUTPUTS
from cloudmr.model.tokens import Scope
from code_blocks import ROOT
from unit_owner import DEPLOY, Owner, brain_for_units, new_owner, offer_image, open_the_network

STRANGER = "999988887777"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def brain(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrainProcess]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    for account in (USER, OPERATOR):
        open_the_network(accounts, account)
        offer_image(accounts, account)
    with brain_for_units(accounts, tmp_path_factory.mktemp("brain")) as running:
        yield running


@pytest.fixture
def owner(accounts: Accounts, brain: BrainProcess, tmp_path: Path) -> Owner:
    return new_owner(accounts, brain.url, tmp_path, f"{tmp_path.name[:40]}@example.org".replace("_", "-"))


def test_a_unit_is_made_registered_checked_removed_and_made_again(owner: Owner) -> None:
    stack = ("--stack-name", "whole-way")
    made = owner.types(DEPLOY, *stack, "--json")
    assert made.exit_code == ExitCode.DONE, made.errors
    assert made.value()["verdict"] == "verified for SNR"
    outputs = made.value()["outputs"]
    assert set(outputs) == set(OUTPUTS)
    unit_id = made.value()["computing_unit_id"]
    with owner.brain() as brain:
        unit = brain.computing_units.get(unit_id)
    assert (unit.mode, unit.provider, unit.aws_account_id) == ("mode_2", "user", USER)
    assert unit.state_machine_arn == outputs["CalculationStateMachineArn"]
    for secret in (owner.environment()["CLOUDMR_PASSWORD"], "cmr_"):
        assert secret not in made.output + made.errors

    registered = owner.types(
        ROOT / "scripts" / "register-computing-unit.sh", *stack, "--no-wait", "--json", MODE="mode_2"
    )
    assert registered.exit_code == ExitCode.DONE, registered.errors
    assert registered.value()["computing_unit_id"] == unit_id

    checked = owner.unit("check", *stack, "--json")
    assert [each for each in checked.value()["findings"] if each["outcome"] != "passed"] == []
    assert checked.exit_code == ExitCode.DONE

    tried = owner.unit("smoke", *stack, "--json")
    assert tried.exit_code == ExitCode.DONE, tried.errors
    assert [step["name"] for step in tried.value()["steps"]][2:] == [
        "a job on lambda",
        "a job on fargate",
        "the same on both",
    ]

    owner.client("s3").put_object(Bucket=outputs["DataBucketName"], Key="uploads/kept", Body=b"12345")
    removed = owner.unit("remove", *stack, "--yes", "--json")
    assert removed.exit_code == ExitCode.DONE, removed.errors
    assert removed.value()["is_deregistered"]
    stays = {each["bucket"]: each["n_bytes"] for each in removed.value()["stays"]}
    assert stays.keys() == {outputs[f"{kind}BucketName"] for kind in ("Data", "Results", "Failed")}
    assert stays[outputs["ResultsBucketName"]] > 0

    again = owner.types(DEPLOY, *stack, "--no-wait", "--json")
    assert again.exit_code == ExitCode.DONE, again.errors
    assert again.value()["outputs"]["DataBucketName"] == outputs["DataBucketName"]
    assert again.value()["computing_unit_id"] != unit_id
    assert "kept from an earlier stack" in again.errors
    assert (
        owner.client("s3").get_object(Bucket=outputs["DataBucketName"], Key="uploads/kept")["Body"].read() == b"12345"
    )
    findings = owner.unit("check", *stack, "--json").value()["findings"]
    assert "tls_not_required" not in {each["code"] for each in findings}

    gone = owner.unit("remove", *stack, "--yes", "--cancel-jobs", "--delete-data", "--json").value()
    assert gone["deleted_buckets"] == [outputs[f"{kind}BucketName"] for kind in ("Data", "Results", "Failed")]
    assert gone["stays"] == []
    assert owner.unit("check", *stack, "--json").value()["error"]["code"] == "stack_missing"


def test_a_unit_that_was_removed_in_the_pages_is_announced_anew(owner: Owner) -> None:
    stack = ("--stack-name", "came-back")
    made = owner.types(DEPLOY, *stack, "--no-wait", "--json").value()
    with owner.brain() as brain:
        brain.computing_units.remove(made["computing_unit_id"], cancel_jobs=True)
    assert owner.unit("check", *stack, "--json").value()["error"]["code"] == "not_registered"
    back = owner.types(ROOT / "scripts" / "register-mode2.sh", *stack, "--no-wait", "--json")
    assert back.exit_code == ExitCode.DONE, back.errors
    unit_id = back.value()["computing_unit_id"]
    assert unit_id not in {made["computing_unit_id"], None}
    with owner.brain() as brain:
        assert brain.computing_units.get(unit_id).state_machine_arn == made["outputs"]["CalculationStateMachineArn"]
    assert owner.unit("remove", *stack, "--yes", "--cancel-jobs", "--delete-data").exit_code == ExitCode.DONE


def test_what_a_failed_creation_left_is_replaced(owner: Owner, accounts: Accounts) -> None:
    left = deploy(accounts, "left-over", {"CloudMRApiUrl": owner.url, "CloudMRUserToken": "cmr_wrong"})
    assert left.status == "ROLLBACK_COMPLETE"
    events = owner.unit("logs", "--events", "--stack-name", "left-over")
    assert "invalid_token" in events.errors
    made = owner.types(DEPLOY, "--stack-name", "left-over", "--no-wait", "--json")
    assert made.exit_code == ExitCode.DONE, made.errors
    assert made.value()["status"] == "CREATE_COMPLETE"
    assert (
        owner.unit("remove", "--stack-name", "left-over", "--yes", "--cancel-jobs", "--delete-data").exit_code
        == ExitCode.DONE
    )


def test_an_update_that_fails_is_rolled_back_explained_and_done_over(owner: Owner) -> None:
    stack = ("--stack-name", "rolls-back")
    made = owner.types(DEPLOY, *stack, "--no-wait", "--json").value()
    nowhere = ("--parameter", "CloudMRApiUrl=http://127.0.0.1:9")
    failed = owner.unit("deploy", *stack, *nowhere, "--json")
    assert failed.value()["error"]["code"] == "brain_not_reached"
    found = {each["check"]: each for each in owner.unit("check", *stack, "--json").value()["findings"]}
    assert "is as it was before" in found["stack"]["message"]
    done = owner.unit("deploy", *stack, "--no-wait", "--json")
    assert done.exit_code == ExitCode.DONE, done.errors
    assert done.value()["outputs"] == made["outputs"] | {
        "RegistrationStatus": done.value()["outputs"]["RegistrationStatus"]
    }
    second = owner.types(DEPLOY, "--stack-name", "second", "--no-wait", "--json").value()
    assert second["computing_unit_id"] != made["computing_unit_id"], "a second stack is a second unit"
    for name in ("rolls-back", "second"):
        gone = owner.unit("remove", "--stack-name", name, "--yes", "--cancel-jobs", "--delete-data")
        assert gone.exit_code == ExitCode.DONE, gone.errors


def test_mode_1_is_the_operators_and_needs_an_administrator(
    accounts: Accounts, brain: BrainProcess, tmp_path: Path
) -> None:
    operator = new_owner(accounts, brain.url, tmp_path, "operator@example.org", account=OPERATOR)
    script = ROOT / "scripts" / "deploy-mode1.sh"
    assert operator.types(script, "--json").value()["error"]["code"] == "admin_needed"
    with closing(sqlite3.connect(brain.home / "brain.sqlite")) as database, database:
        database.execute("UPDATE accounts SET is_admin = 1 WHERE email = ?", (operator.email,))
    refused = operator.types(DEPLOY, "--json", MODE="mode_2")
    assert refused.value()["error"]["code"] == "wrong_account"
    made = operator.types(script, "--no-wait", "--json")
    assert made.exit_code == ExitCode.DONE, made.errors
    assert made.value()["outputs"]["DataBucketName"] == "cloudmr-data-cloudmrhub-brain-us-east-1"
    with operator.brain() as as_operator:
        unit = as_operator.computing_units.get(made.value()["computing_unit_id"])
    assert (unit.mode, unit.provider, unit.aws_account_id) == ("mode_1", "cloudmrhub", OPERATOR)
    gone = operator.unit("remove", "--stack-name", "mroptimum-mode1", "--yes", "--cancel-jobs", "--json").value()
    assert gone["stays"][0]["bucket"] == "cloudmr-data-cloudmrhub-brain-us-east-1"


def test_at_a_terminal_a_person_is_asked_for_brain_token_and_network(owner: Owner) -> None:
    with owner.brain() as brain:
        token = brain.account.create_token(name="at my terminal", scope=Scope.UNIT_REGISTER).token
    environment = owner.environment(CLOUDMR_API_URL="", CLOUDMR_EMAIL="", CLOUDMR_PASSWORD="")
    command = [str(DEPLOY), "--stack-name", "by-asking"]
    with at_terminal(command, environment=environment, cwd=ROOT / "mode2-deployment") as terminal:
        terminal.answers("Address of CloudMR Brain", owner.url)
        terminal.answers_hidden("CloudMR user token", token)
        terminal.answers("VPC number [1]", "")
        terminal.answers("First subnet number [1]", "9999")
        terminal.waits_for("A number from 1 to")
        terminal.answers("First subnet number [1]", "2")
        terminal.answers("Second subnet number", "1")
        terminal.answers("Make this? [Y/n]", "")
        terminal.waits_for("The stack is CREATE_COMPLETE")
        assert terminal.ends() == ExitCode.DONE
        assert token not in terminal.shown
        assert "subnets as given" in terminal.shown
    with owner.brain() as brain:
        assert [unit.mode for unit in brain.units() if unit.aws_account_id == USER] == ["mode_2"]
    spent = owner.unit("deploy", "--stack-name", "another", "--json", CLOUDMR_TOKEN=token)
    assert spent.value()["error"]["code"] == "invalid_token", "it was worth one registration"
    assert owner.unit("remove", "--stack-name", "by-asking", "--yes", "--cancel-jobs").exit_code == ExitCode.DONE


def refused(owner: Owner, *arguments: str, **variables: str) -> dict[str, str]:
    """Deploy, and return with which code, cause and fix that is refused before anything is made."""
    done = owner.unit("deploy", *arguments, "--json", **variables)
    assert done.exit_code == ExitCode.FAILED, done.errors
    error: dict[str, str] = done.value()["error"]
    assert error["next_step"]
    stack_name = arguments[arguments.index("--stack-name") + 1] if "--stack-name" in arguments else "mroptimum-mode2"
    assert f"The stack {stack_name}:" not in done.errors, "nothing was made"
    return error


def test_a_wrong_password_is_told(owner: Owner) -> None:
    assert refused(owner, CLOUDMR_PASSWORD="wrong horse battery")["code"] == "wrong_credentials"


def test_a_wrong_token_is_told(owner: Owner) -> None:
    assert refused(owner, CLOUDMR_TOKEN="cmr_wrong")["code"] == "invalid_token"


def test_an_account_that_is_not_open_is_told(owner: Owner, brain: BrainProcess) -> None:
    with owner.brain() as signed_in:
        token = signed_in._connection.token or ""
    with closing(sqlite3.connect(brain.home / "brain.sqlite")) as database, database:
        database.execute("UPDATE accounts SET status = 'suspended' WHERE email = ?", (owner.email,))
    assert refused(owner)["code"] == "account_not_active"
    assert refused(owner, CLOUDMR_TOKEN=token)["code"] == "account_not_active"


def test_a_region_without_the_image_is_told(owner: Owner) -> None:
    error = refused(owner, "--region", "ap-south-1")
    assert error["code"] == "region_without_image"
    assert "us-east-1" in error["message"]


def test_another_mode_than_the_accounts_is_refused(owner: Owner) -> None:
    assert refused(owner, MODE="mode_1")["code"] == "wrong_account"


def test_a_bucket_name_that_somebody_else_has_is_told(owner: Owner, accounts: Accounts) -> None:
    for suffix in ("", "-us-east-1"):
        accounts.session(STRANGER).client("s3").create_bucket(Bucket=f"taken-data-{USER}{suffix}")
    error = refused(owner, "--stack-name", "taken")
    assert error["code"] == "bucket_taken"
    assert f"taken-data-{USER}" in error["message"]


def test_credentials_that_aws_does_not_know_are_told(owner: Owner, accounts: Accounts) -> None:
    key = user_without_rights(accounts, "with-a-wrong-secret").key
    error = refused(owner, AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY="x" * 40)
    assert error["code"] == "credentials_invalid"
    assert "aws sts get-caller-identity" in error["next_step"]


def test_a_person_without_the_rights_is_told_which(owner: Owner, accounts: Accounts) -> None:
    error = refused(replace(owner, credentials=user_without_rights(accounts, "without-rights")))
    assert error["code"] == "missing_rights"
    assert "deployer-policy.json" in error["next_step"]


def test_the_deployers_least_policy_is_enough_for_every_command(owner: Owner, accounts: Accounts) -> None:
    iam = accounts.session(USER).client("iam")
    credentials = user_without_rights(accounts, "deployer")
    document = (ROOT / "mode2-deployment" / "deployer-policy.json").read_text()
    policy = iam.create_policy(PolicyName="deployer", PolicyDocument=document)["Policy"]
    iam.attach_user_policy(UserName="deployer", PolicyArn=policy["Arn"])
    deployer = replace(owner, credentials=credentials)
    stack = ("--stack-name", "mroptimum-least")
    made = deployer.unit("deploy", *stack, "--no-wait", "--json")
    assert made.exit_code == ExitCode.DONE, made.errors
    found = deployer.unit("check", *stack, "--json").value()["findings"]
    assert [each for each in found if each["outcome"] == "unseen"] == []
    assert deployer.unit("logs", *stack).exit_code == ExitCode.DONE
    bucket = made.value()["outputs"]["DataBucketName"]
    owner.client("s3").put_object(Bucket=bucket, Key="uploads/x", Body=b"x")
    assert deployer.unit("deploy", *stack, "--no-wait", "--image-tag", "latest").exit_code == ExitCode.DONE
    assert deployer.unit("remove", *stack, "--yes", "--cancel-jobs", "--delete-data").exit_code == ExitCode.DONE
    refusals = [call for call in accounts.calls() if call.principal.endswith("user/deployer") and not call.allowed]
    assert refusals == []


def user_without_rights(accounts: Accounts, name: str) -> Credentials:
    iam = accounts.session(USER).client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def test_a_state_machine_of_another_account_or_that_is_not_there_is_told(owner: Owner, accounts: Accounts) -> None:
    deploy(
        accounts,
        "half-way",
        {
            "CloudMRApiUrl": owner.url,
            "ComputingUnitId": "unit_1",
            "ExternalId": "x" * 40,
            "BrainPrincipalArn": f"arn:aws:iam::{OPERATOR}:role/cloudmr-brain",
            "ImageUri": f"{OPERATOR}.dkr.ecr.us-east-1.amazonaws.com/mroptimum:latest",
        },
    )
    for account, code in ((STRANGER, "accounts_differ"), (USER, "state_machine_missing")):
        arn = f"arn:aws:states:us-east-1:{account}:stateMachine:no-such"
        done = owner.unit("register", "--stack-name", "half-way", "--json", STATE_MACHINE_ARN=arn)
        assert done.value()["error"]["code"] == code
    assert owner.unit("register", "--stack-name", "nowhere", "--json").value()["error"]["code"] == "stack_missing"


def test_without_a_terminal_everything_that_is_missing_is_named(owner: Owner) -> None:
    done = owner.types(DEPLOY, CLOUDMR_API_URL="", CLOUDMR_EMAIL="", CLOUDMR_PASSWORD="")
    assert done.exit_code == ExitCode.USAGE
    for name in ("CLOUDMR_API_URL", "CLOUDMR_EMAIL", "CLOUDMR_PASSWORD"):
        assert name in done.errors
