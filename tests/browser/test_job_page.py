from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from browsing import CheckAccess, SignIn
from small_job import raw_data


@pytest.fixture(scope="module")
def raw_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_data(tmp_path_factory.mktemp("scan") / "scan.npz", np.random.default_rng(1))


@pytest.fixture(scope="module")
def without_noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "noiseless.npz"
    return raw_data(path, np.random.default_rng(1), noise=False)


def submitted(page: Page, path: Path) -> None:
    """Upload a file and ask for its SNR, as a person does; ends on the page of the job."""
    page.goto("/upload")
    page.locator("#upload[data-ready=true] #files").set_input_files(path)
    page.get_by_role("link", name="Compute an SNR map of it").click(timeout=20_000)
    page.locator("[name=noise]").select_option("as the file has it")
    page.get_by_role("button", name="Submit").click(timeout=20_000)
    page.wait_for_url("**/jobs/job_*")


def test_a_job_is_watched_to_its_end_run_again_and_deleted(
    page: Page, sign_in: SignIn, raw_file: Path, check_access: CheckAccess
) -> None:
    sign_in()
    submitted(page, raw_file)
    expect(page.locator("#state")).to_have_text("succeeded", timeout=60_000)
    expect(page.get_by_role("link", name="Look at the results")).to_be_visible()
    check_access(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").filter(has_text="was deleted")).to_be_visible()
    page.get_by_role("button", name="Bring it back").click()
    page.wait_for_url("**/jobs/job_*")
    first = page.url
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("link", name="an earlier job")).to_be_visible()
    assert page.url != first
    page.locator("summary", has_text="Rename").click()
    page.get_by_label("Name").fill("the second")
    page.get_by_role("button", name="Rename").click()
    page.goto("/jobs?text=second")
    expect(page.get_by_role("link", name="the second")).to_be_visible()
    check_access(page)


def test_a_failure_says_what_happened_and_what_to_do(page: Page, sign_in: SignIn, without_noise: Path) -> None:
    sign_in()
    submitted(page, without_noise)
    expect(page.locator("#state")).to_have_text("failed", timeout=60_000)
    expect(page.get_by_text("What to do:")).to_be_visible()
    expect(page.get_by_text("no_noise")).to_be_visible()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()


def test_nobody_sees_the_job_of_somebody_else(page: Page, sign_in: SignIn, console_errors: list[str]) -> None:
    sign_in()
    page.goto("/jobs/job_01jd3v6w0s8k2m4n6p8q0r2t4v")
    expect(page.get_by_role("alert")).to_contain_text("not_found")
    console_errors.clear()  # the browser tells of the 404
