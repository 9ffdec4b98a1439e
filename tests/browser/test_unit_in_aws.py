"""A unit in somebody's own account, as its owner sees it come: the command of the page is run as it stands there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from aws_accounts import OPERATOR, USER, Accounts, aws_accounts
from brain_process import BrainProcess
from browsing import CheckAccess
from code_blocks import ROOT
from real_brain import PASSWORD
from small_job import raw_data
from unit_owner import Owner, brain_for_units, new_owner, offer_image, open_the_network

PATIENCE_MS = 240_000
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    with aws_accounts(tmp_path_factory.mktemp("aws")) as running:
        for account in (USER, OPERATOR):
            open_the_network(running, account)
            offer_image(running, account)
        yield running


@pytest.fixture(scope="session")
def brain(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrainProcess]:
    with brain_for_units(accounts, tmp_path_factory.mktemp("brain")) as running:
        yield running


@pytest.fixture(scope="session")
def base_url(brain: BrainProcess) -> str:
    return brain.url


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any], base_url: str) -> dict[str, Any]:
    # What is overridden may have been made before, for the Brain of other tests. The emulated accounts prove who they
    # are by an authority that no browser knows.
    return {**browser_context_args, "base_url": base_url, "ignore_https_errors": True}


@pytest.fixture(autouse=True)
def closed_network(context: BrowserContext, base_url: str, accounts: Accounts) -> Iterator[None]:
    """Nothing but the Brain and the account's own buckets is asked."""
    outside: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((base_url, accounts.url, "data:", "blob:")):
            outside.append(request.url)

    context.on("request", note)
    yield
    assert not outside


@pytest.fixture
def owner(accounts: Accounts, base_url: str, tmp_path: Path) -> Owner:
    return new_owner(accounts, base_url, tmp_path / "owner", "owner@example.org")


def run_in_a_terminal(owner: Owner, command: str, log: Path) -> subprocess.Popen[bytes]:
    """Paste a command into a terminal that has the account's credentials, and nothing of CloudMR's."""
    environment = owner.environment()
    for name in ("CLOUDMR_API_URL", "CLOUDMR_EMAIL", "CLOUDMR_PASSWORD"):
        del environment[name]
    environment = {name: value for name, value in environment.items() if value != os.devnull or "AWS" in name}
    with log.open("wb") as written:
        return subprocess.Popen(
            ["bash", "-c", command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )


def test_a_unit_is_made_watched_used_and_removed(
    page: Page, owner: Owner, accounts: Accounts, tmp_path: Path, rng: np.random.Generator, check_access: CheckAccess
) -> None:
    page.goto("/sign-in?next=/units/new")
    page.get_by_label("E-mail address").fill(owner.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Name of the stack").fill("from-the-page")
    page.get_by_role("button", name="Make a token").click()
    log = tmp_path / "terminal.log"
    terminal = run_in_a_terminal(owner, page.locator("#command").inner_text(), log)
    try:
        expect(page.locator("#arrival")).to_have_attribute("data-state", "registered", timeout=PATIENCE_MS)
        # Findings come one look after another, the last when a job has proven the numbers.
        expect(page.locator("#checks")).to_have_attribute("data-status", "ready", timeout=PATIENCE_MS)
        assert terminal.wait(60) == 0, log.read_text()
    finally:
        terminal.kill()
        terminal.wait()
    passed = page.locator("#checks li.passed")
    # The image of these accounts has no digest, which nobody but its owner can say more of.
    expect(page.locator("#checks li:not(.passed)")).to_contain_text(["It runs an image that is known"])
    assert passed.count() >= 10
    expect(passed.filter(has_text="right SNR")).to_contain_text("Verified for SNR")

    page.locator("#arrival a").first.click()
    expect(page.get_by_text("your default")).to_be_visible()
    rights = page.locator("#permissions tbody tr")
    rights.first.wait_for(timeout=60_000)
    expect(rights.filter(has_text="states:StartExecution")).to_be_visible()
    expect(rights.filter(has_text="s3:DeleteObject")).to_contain_text("refused")
    expect(page.locator("#permissions .amiss")).to_have_count(0)
    check_access(page)
    unit = page.url

    page.goto("/upload")
    chosen = page.get_by_role("radio", checked=True)
    expect(chosen).to_have_attribute("data-mode", "mode_2")
    page.locator("#upload[data-ready=true] #files").set_input_files(raw_data(tmp_path / "scan.npz", rng))
    page.get_by_role("link", name="Compute an SNR map of it").click(timeout=30_000)
    expect(page.locator("#plan")).to_contain_text("mode 2", timeout=20_000)
    page.get_by_role("button", name="Submit").click(timeout=20_000)
    page.wait_for_url("**/jobs/job_*")
    expect(page.locator("#state")).to_have_text("succeeded", timeout=PATIENCE_MS)
    page.get_by_role("link", name="Look at the results").click()
    with page.expect_request(lambda request: request.url.startswith(accounts.url)):
        page.reload()
    page.locator("#results[data-ready^=data]").wait_for(timeout=30_000)

    page.goto(unit)
    page.get_by_text("Remove this unit…").click()
    page.get_by_role("button", name="Remove ").click()
    expect(page.get_by_role("status").filter(has_text="The unit was removed")).to_be_visible()
    kept = accounts.session(USER).client("s3").list_buckets()["Buckets"]
    assert any(bucket["Name"].startswith("from-the-page-data-") for bucket in kept)
