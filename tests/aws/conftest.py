"""Emulated AWS accounts that all these tests share, and nothing of this machine's own settings for AWS."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from aws_accounts import Accounts, aws_accounts
from brain_process import BrainProcess
from unit_in_account import UnitInAccount, unit_in_account
from unit_owner import brain_for_units


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """Every account there is; each test that changes something uses an account, or names, of its own."""
    with aws_accounts(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have credentials for real accounts; none of them is read."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def brain_of_units(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrainProcess]:
    """A Brain in the operator's account, as a process of its own."""
    with brain_for_units(accounts, tmp_path_factory.mktemp("brain")) as running:
        yield running


@pytest.fixture(scope="session")
def verified_unit(
    accounts: Accounts, brain_of_units: BrainProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UnitInAccount]:
    """Somebody's unit, made of the shipped template, registered with that Brain, with its numbers proven."""
    folder = tmp_path_factory.mktemp("owner")
    with unit_in_account(accounts, brain_of_units.url, folder, "whole", AllowLogs="true") as made:
        yield made.verified()
