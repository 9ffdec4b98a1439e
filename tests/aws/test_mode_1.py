"""A shared unit in the operator's own account: the same template, registered by an administrator, kept in order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from aws_accounts import OPERATOR, Accounts
from cloudmr.client.brain import BrainClient
from cloudmr.model.jobs import JobState
from cloudmr.model.units import Mode
from mroptimum.flags import Flags
from real_brain import PASSWORD, RealBrain
from units_at_work import PATIENCE_S, Owner, brain_in_aws, brains_environment, own_unit
from waiting import wait_until


@pytest.fixture(scope="module")
def environment(accounts: Accounts) -> Mapping[str, str]:
    return brains_environment(accounts)


@pytest.fixture(autouse=True)
def still_there(
    no_settings_of_this_machine: None, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("brain")


@pytest.fixture(scope="module")
def brain(accounts: Accounts, environment: Mapping[str, str], home: Path) -> Iterator[RealBrain]:
    """A Brain whose own machine is no unit."""
    settings = {"CLOUDMR_LOCAL_UNIT": "off", "CLOUDMR_SECRET_KEY": "k" * 32}
    with brain_in_aws(accounts, home, environment, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def shared(
    accounts: Accounts, brain: RealBrain, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Owner]:
    """The unit, as the administrator has it who deployed it."""
    email = brain.new_email()
    with closing(sqlite3.connect(home / "home" / "brain.sqlite")) as connection, connection:
        connection.execute("UPDATE accounts SET is_admin = 1 WHERE email = ?", (email,))
    with BrainClient(brain.url, folder=home / "admin") as client:
        client.log_in(email=email, password=PASSWORD)
        folder = tmp_path_factory.mktemp("admin")
        yield own_unit(accounts, brain, client, folder, account=OPERATOR, Mode="mode_1")


def test_everybodys_job_runs_in_the_operators_account(accounts: Accounts, brain: RealBrain, shared: Owner) -> None:
    s3, bucket = accounts.session(OPERATOR).client("s3"), shared.stack.outputs["DataBucketName"]
    with brain.person() as person:
        [unit] = person.units()
        assert (unit.mode, unit.provider, unit.status) == (Mode.MODE_1, "cloudmrhub", "ready")
        data_file = person.upload(shared.raw)
        job = person.submit(Flags(method="ac", reconstruction="rss").document(data_file.reference, None))
        owner = Owner(client=person, stack=shared.stack, unit_id=shared.unit_id, raw=shared.raw)
        assert owner.until(job.job_id, JobState.SUCCEEDED).expires_at is not None

        key = f"uploads/{data_file.id}"
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == shared.raw.stat().st_size
        person.delete_data(data_file.id, for_good=True)
        wait_until(
            lambda: key not in {found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", ())},
            what="the object to be removed",
            deadline_s=PATIENCE_S,
        )


def test_only_an_administrator_looks_into_it(brain: RealBrain, shared: Owner) -> None:
    permissions = shared.client.computing_units.permissions(shared.unit_id)
    assert all(each.is_as_declared for each in permissions)
    assert [each.is_declared for each in permissions if each.action == "s3:DeleteObject"] == [True]
    with brain.person() as person, pytest.raises(Exception, match="administrators"):
        person.computing_units.permissions(shared.unit_id)
