from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browsing import CheckAccess, SignIn
from real_brain import RealBrain
from small_job import raw_data


def test_the_profile_can_be_used_by_everybody(page: Page, sign_in: SignIn, check_access: CheckAccess) -> None:
    sign_in()
    page.get_by_role("link", name="Profile").click()
    check_access(page)
    page.get_by_role("link", name="Tokens").click()
    page.get_by_label("What it is for").fill("cluster")
    page.get_by_text("to upload data and run jobs").click()
    page.get_by_role("button", name="Make the token").click()
    expect(page.locator("#secret")).to_contain_text("cmr_")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied").or_(page.get_by_role("button", name="Marked"))).to_be_visible()
    check_access(page)
    page.get_by_role("link", name="Notifications").click()
    page.get_by_label("Its address").fill("https://lab.example.org/cloudmr")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#secret")).to_contain_text("whsec_")
    check_access(page)
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("cell", name="token created", exact=True)).to_be_visible()
    check_access(page)


@pytest.fixture
def succeeded(page: Page, sign_in: SignIn, tmp_path: Path) -> str:
    """The page of a job that succeeded."""
    sign_in()
    path = raw_data(tmp_path / "scan.npz", np.random.default_rng(1))
    page.goto("/upload")
    page.locator("#upload[data-ready=true] #files").set_input_files(path)
    page.get_by_role("link", name="Compute an SNR map of it").click(timeout=20_000)
    page.locator("[name=noise]").select_option("as the file has it")
    page.get_by_role("button", name="Submit").click(timeout=20_000)
    page.wait_for_url("**/jobs/job_*")
    expect(page.locator("#state")).to_have_text("succeeded", timeout=60_000)
    return page.url


@pytest.fixture
def stranger(browser: Browser, site: RealBrain) -> BrowserContext:
    return browser.new_context(base_url=site.url)


def test_whoever_has_the_link_sees_the_maps(
    page: Page, succeeded: str, stranger: BrowserContext, check_access: CheckAccess
) -> None:
    page.get_by_role("link", name="Sharing").click()
    check_access(page)
    page.get_by_role("button", name="Share").click()
    link = page.locator("#link").inner_text()
    check_access(page)
    visitor = stranger.new_page()
    errors: list[str] = []
    visitor.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    visitor.goto(link)
    visitor.locator("#results[data-ready^=data]").wait_for(timeout=30_000)
    expect(visitor.get_by_role("button", name="Keep with the job")).not_to_be_visible()
    check_access(visitor)
    visitor.get_by_role("link", name="Noise").click()
    expect(visitor.locator("#noise")).to_have_attribute("data-ready", "true")
    expect(visitor.locator("#covariance svg")).to_be_visible()
    visitor.get_by_role("link", name="Job", exact=True).click()
    expect(visitor.get_by_role("heading", name="What happened")).to_be_visible()
    check_access(visitor)
    assert not errors
    stranger.close()
