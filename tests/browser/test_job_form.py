from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from browsing import CheckAccess, SignIn
from small_job import raw_data


@pytest.fixture(scope="module")
def raw_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_data(tmp_path_factory.mktemp("scan") / "scan.npz", np.random.default_rng(1))


def uploaded(page: Page, path: Path) -> None:
    page.goto("/upload")
    page.locator("#upload[data-ready=true] #files").set_input_files(path)
    expect(page.get_by_role("listitem").get_by_role("status")).to_have_text("arrived", timeout=20_000)


def test_the_form_asks_only_what_the_method_needs(page: Page, sign_in: SignIn) -> None:
    sign_in()
    page.goto("/new-job")
    page.locator("#job[data-ready=true]").wait_for()
    expect(page.get_by_role("spinbutton", name="Replicas")).not_to_be_visible()
    page.get_by_role("radio", name="Pseudo multiple replicas pmr").check()
    expect(page.get_by_role("spinbutton", name="Replicas")).to_be_visible()
    expect(page.get_by_label("Acceleration (phase encoding)")).not_to_be_visible()
    page.get_by_role("radio", name="SENSE").check()
    expect(page.get_by_label("Acceleration (phase encoding)")).to_be_visible()
    expect(page.get_by_label("Acceleration (partitions)")).not_to_be_visible()
    page.get_by_label("Acquisition").select_option("3D slabs")
    expect(page.get_by_label("Acceleration (partitions)")).to_be_visible()


def test_what_is_wrong_is_said_beside_the_field_before_submitting(
    page: Page, sign_in: SignIn, raw_file: Path, console_errors: list[str]
) -> None:
    sign_in()
    uploaded(page, raw_file)
    page.get_by_role("link", name="Compute an SNR map of it").click()
    page.locator("[name=noise]").select_option("as the file has it")
    expect(page.locator("#plan")).to_contain_text("Takes about")
    page.get_by_role("radio", name="Pseudo multiple replicas pmr").check()
    page.get_by_role("spinbutton", name="Replicas").fill("20000")
    expect(page.locator("#problem-replicas")).to_contain_text("less than or equal to 10000")
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    page.get_by_role("spinbutton", name="Replicas").fill("20")
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()
    expect(page.locator("#problem-replicas")).not_to_be_visible()
    console_errors.clear()  # the browser tells that the first was refused


def test_a_task_file_is_saved_and_loaded(page: Page, sign_in: SignIn, raw_file: Path, tmp_path: Path) -> None:
    sign_in()
    uploaded(page, raw_file)
    page.get_by_role("link", name="Compute an SNR map of it").click()
    page.locator("[name=noise]").select_option("as the file has it")
    page.get_by_role("radio", name="SENSE").check()
    page.get_by_label("Acceleration (phase encoding)").fill("2")
    page.get_by_label("Undersample a full scan").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a task file").click()
    download.value.save_as(tmp_path / "task.json")
    saved = json.loads((tmp_path / "task.json").read_text())
    assert saved["task"]["options"]["reconstructor"]["options"]["accelerations"] == [1, 2]
    page.reload()
    page.locator("#job[data-ready=true]").wait_for()
    page.locator("#load").set_input_files(tmp_path / "task.json")
    expect(page.get_by_role("radio", name="SENSE")).to_be_checked()
    expect(page.get_by_label("Acceleration (phase encoding)")).to_have_value("2")
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()


def test_everybody_can_use_the_form(page: Page, sign_in: SignIn, check_access: CheckAccess) -> None:
    sign_in()
    page.goto("/new-job")
    page.locator("#job[data-ready=true]").wait_for()
    check_access(page)
