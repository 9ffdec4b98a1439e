"""Commands about accounts, tokens and administration against a real Brain, with mails through a real mail server."""

from __future__ import annotations

import csv
import io
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudmr.cli.exit_codes import ExitCode
from cloudmr.client.credentials import credentials_path
from commands import Machine
from mail_server import MailServerAtWork, mail_server
from real_brain import PASSWORD, RealBrain, serving
from waiting import wait_until

ROOT = "root@example.org"
OTHER = "another horse entirely"


@pytest.fixture(scope="module")
def mails() -> Iterator[MailServerAtWork]:
    with mail_server(offers_encryption=False) as server:
        yield server


@pytest.fixture(scope="module")
def brain(tmp_path_factory: pytest.TempPathFactory, mails: MailServerAtWork) -> Iterator[RealBrain]:
    """A Brain that sends mails."""
    url = f"smtp://localhost:{mails.port}?from=CloudMR+Brain+%3Cbrain@example.org%3E&starttls=no"
    with serving(tmp_path_factory.mktemp("brain"), CLOUDMR_SMTP_URL=url) as brain:
        yield brain


@pytest.fixture
def machine(tmp_path: Path, brain: RealBrain) -> Machine:
    return Machine(
        environment={
            "CLOUDMR_CONFIG": str(tmp_path / "config"),
            "CLOUDMR_API_URL": brain.url,
            "CLOUDMR_HOME": str(brain.folder.parent / "home"),
        }
    )


def code_for(mails: MailServerAtWork, email: str, subject: str) -> str:
    """Wait for a mail, and return the code in it."""

    def found() -> str | None:
        for mail in reversed(mails.kept.mails):
            if mail["To"] == email and subject in mail["Subject"]:
                code = re.search(r"#([0-9a-f]{64})", mail.get_content())
                return code[1] if code else None
        return None

    return wait_until(found, what=f"a mail to {email}")


def somebody(machine: Machine, mails: MailServerAtWork, email: str) -> None:
    """Register, be refused, confirm and sign in."""
    said = machine.run("register", "--email", email, CLOUDMR_PASSWORD=PASSWORD)
    assert "cloudmr confirm CODE" in said.output
    refused = machine.run("login", "--email", email, CLOUDMR_PASSWORD=PASSWORD)
    assert (refused.exit_code, "account_not_active" in refused.errors) == (ExitCode.FAILED, True)
    said = machine.run("confirm", code_for(mails, email, "Confirm"), CLOUDMR_PASSWORD=PASSWORD)
    assert said.exit_code == ExitCode.DONE, said.errors
    assert machine.run("login", "--email", email, CLOUDMR_PASSWORD=PASSWORD).exit_code == ExitCode.DONE


def test_an_account_from_its_mail_to_its_end(machine: Machine, mails: MailServerAtWork) -> None:
    email = "ada@example.org"
    somebody(machine, mails, email)
    assert machine.run("account", "rename", "Ada Lovelace", "--json").value()["name"] == "Ada Lovelace"

    changed = machine.run("account", "change-password", CLOUDMR_PASSWORD=PASSWORD, CLOUDMR_NEW_PASSWORD=OTHER)
    assert changed.exit_code == ExitCode.DONE, changed.errors
    assert machine.run("account", "show", "--json").value()["email"] == email

    assert machine.run("forgot-password", "--email", email).exit_code == ExitCode.DONE
    code = code_for(mails, email, "Choose another password")
    assert machine.run("reset-password", code, CLOUDMR_PASSWORD=PASSWORD).exit_code == ExitCode.DONE
    assert machine.run("account", "show").exit_code == ExitCode.SIGN_IN_NEEDED
    machine.run("login", "--email", email, CLOUDMR_PASSWORD=PASSWORD)

    rows = list(csv.DictReader(io.StringIO(machine.run("account", "audit", "--csv").output)))
    assert [row["action"] for row in rows[:3]] == ["session:opened", "password:reset", "password:reset_asked"]
    assert rows[0]["address"] == "127.0.0.1"

    assert machine.run("account", "delete", CLOUDMR_PASSWORD="wrong password").exit_code == ExitCode.FAILED
    assert machine.run("account", "delete", CLOUDMR_PASSWORD=PASSWORD).exit_code == ExitCode.DONE
    assert not credentials_path(machine.environment).exists()
    assert machine.run("login", "--email", email, CLOUDMR_PASSWORD=PASSWORD).exit_code == ExitCode.FAILED


def test_a_token_in_a_file_stands_for_its_owner_and_its_scope(
    machine: Machine, mails: MailServerAtWork, tmp_path: Path
) -> None:
    somebody(machine, mails, "bob@example.org")
    file = tmp_path / "token"
    made = machine.run("token", "create", "cluster", "--scope", "read", "--expires-in", "2h", "--output", file)
    assert made.exit_code == ExitCode.DONE, made.errors
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = file.read_text().strip()
    assert secret.startswith("cmr_")
    assert secret not in made.output + made.errors

    program = Machine(environment={**machine.environment, "CLOUDMR_CONFIG": str(tmp_path / "program")})
    assert "bob@example.org" in program.run("login", "--token-file", file).output
    assert program.run("job", "list").exit_code == ExitCode.DONE
    assert "wrong_scope" in program.run("token", "list").errors
    from_environment = Machine(environment=machine.environment | {"CLOUDMR_TOKEN": secret})
    assert from_environment.run("job", "list").exit_code == ExitCode.DONE

    [token] = machine.run("token", "list", "--json").value()
    assert (token["name"], token["scope"]) == ("cluster", "read")
    assert token["last_used_at"] is not None
    assert machine.run("token", "revoke", token["id"]).exit_code == ExitCode.DONE
    assert program.run("job", "list").exit_code == ExitCode.SIGN_IN_NEEDED


def test_a_token_is_printed_once_and_alone(machine: Machine, mails: MailServerAtWork) -> None:
    somebody(machine, mails, "cleo@example.org")
    said = machine.run("token", "create", "deploy", "--scope", "unit:register")
    assert re.fullmatch(r"cmr_[a-z2-7]+\n", said.output)
    assert "unit:register" in said.errors
    listed = machine.run("token", "list")
    assert said.output.strip() not in listed.output
    for wrong in (["--scope", "account"], ["--scope", "read", "--expires-in", "soon"]):
        assert machine.run("token", "create", "x", *wrong).exit_code == ExitCode.USAGE
    too_long = machine.run("token", "create", "x", "--scope", "unit:register", "--expires-in", "2h")
    assert too_long.exit_code == ExitCode.FAILED


def test_the_first_administrator_is_made_on_the_server_beside_the_running_brain(
    machine: Machine, mails: MailServerAtWork
) -> None:
    person = Machine(environment=machine.environment | {"CLOUDMR_CONFIG": machine.environment["CLOUDMR_CONFIG"] + "2"})
    somebody(person, mails, "dora@example.org")
    assert "not_admin" in person.run("admin", "users").errors

    made = machine.run("admin", "create", "--email", ROOT, CLOUDMR_PASSWORD=PASSWORD)
    assert made.exit_code == ExitCode.DONE, made.errors
    machine.run("login", "--email", ROOT, CLOUDMR_PASSWORD=PASSWORD)
    [user] = machine.run("admin", "users", "--search", "dora", "--json").value()
    user_id = user["user_id"]

    limited = machine.run("admin", "limits", user_id, "--monthly", 7)
    assert re.search(r"jobs a month +7 \*", limited.output)
    assert machine.run("admin", "limits", user_id, "--json").value()["allowance"]["n_monthly"] is None
    assert machine.run("admin", "suspend", user_id, "--reason", "left").exit_code == ExitCode.DONE
    assert person.run("job", "list").exit_code == ExitCode.FAILED
    assert machine.run("admin", "activate", user_id, "--json").value()["status"] == "active"
    assert machine.run("admin", "show", user_id).exit_code == ExitCode.DONE
    for overview in ("queue", "failures"):
        assert machine.run("admin", overview, "--json").value() == []
    rows = list(csv.DictReader(io.StringIO(machine.run("admin", "audit", "--user", user_id, "--csv").output)))
    assert [row["reason"] for row in rows if row["action"] == "account:suspended"] == ["left"]
