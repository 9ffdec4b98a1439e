from __future__ import annotations

from playwright.sync_api import FilePayload, Page, expect

from browsing import CheckAccess, SignIn


def test_a_newcomer_gets_from_one_click_to_maps(page: Page, sign_in: SignIn, check_access: CheckAccess) -> None:
    sign_in()
    expect(page.get_by_role("heading", name="Where to begin")).to_be_visible()
    check_access(page)
    page.get_by_role("button", name="Run the sample job").click()
    page.wait_for_url("**/jobs/job_*")
    page.goto("/")
    jobs = page.locator("#home-jobs")
    expect(jobs).to_have_attribute("data-ready", "true")
    expect(jobs).to_have_attribute("data-open", "false", timeout=60_000)
    expect(jobs.get_by_role("link", name="Results")).to_be_visible()
    expect(page.locator("#home-use")).to_contain_text("1 of 100")
    check_access(page)
    jobs.get_by_role("link", name="Results").click()
    expect(page.get_by_role("heading", name="Sample phantom")).to_be_visible()


def test_several_files_are_deleted_at_once_and_brought_back(
    page: Page, sign_in: SignIn, check_access: CheckAccess
) -> None:
    sign_in()
    page.goto("/upload")
    for name in ("first.mat", "second.mat"):
        file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": b"MATLAB 5.0".ljust(600)}
        page.locator("#upload[data-ready=true] #files").set_input_files([file])
    expect(page.get_by_role("status").filter(has_text="arrived")).to_have_count(2)
    page.goto("/data")
    expect(page.get_by_role("button", name="Delete")).to_be_disabled()
    page.get_by_role("row").filter(has_text="first.mat").get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="New name").fill("knee.mat")
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name="knee.mat", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("row").filter(has_text="knee.mat").get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "knee.mat"
    page.get_by_role("checkbox", name="Choose all").check()
    expect(page.get_by_text("2 of 2")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").filter(has_text="2 data files were deleted")).to_be_visible()
    check_access(page)
    page.get_by_role("button", name="Bring them back").click()
    expect(page.get_by_role("cell", name="knee.mat", exact=True)).to_be_visible()
    check_access(page)
