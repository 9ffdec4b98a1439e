"""A person who has never been here: from an account to a judged map, with everything that goes wrong on the way."""

from __future__ import annotations

import json
import zipfile
from itertools import count
from pathlib import Path

import nibabel
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from mroptimum.phantom.description import Phantom
from mroptimum.phantom.npz_file import write_npz
from mroptimum.phantom.simulation import simulate
from real_brain import PASSWORD
from small_job import raw_data


def choose(page: Page, path: Path) -> None:
    page.locator("#upload[data-ready=true] #files").set_input_files(path)


def arrived(page: Page) -> None:
    expect(page.get_by_role("listitem").get_by_role("status")).to_have_text("arrived", timeout=60_000)


def upload_over_a_bad_connection(page: Page, path: Path) -> None:
    """One connection is cut, then only the first part passes until the page is loaded anew."""
    puts = count(1)

    def cut(route: Route) -> None:
        number = next(puts) if route.request.method == "PUT" else 0
        if number == 1:
            route.abort("connectionreset")
        elif number <= 2:
            route.continue_()

    page.goto("/upload")
    page.route("**/objects/**", cut)
    with page.expect_response(lambda response: response.request.method == "PUT"):
        choose(page, path)
    page.get_by_role("button", name="Pause").click()
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    expect(page.get_by_role("row").filter(has_text=path.name)).to_be_visible()
    choose(page, path)
    arrived(page)


def fill_in_with_mistakes(page: Page) -> None:
    """Every mistake is said beside its field, and nothing can be submitted until it is mended."""
    submit = page.get_by_role("button", name="Submit")
    page.locator("#job[data-ready=true]").wait_for()
    page.locator("[name=noise]").select_option("a noise scan of its own")
    expect(page.locator("#problem-noiseFile")).to_contain_text("Choose the noise scan")
    expect(submit).to_be_disabled()
    page.locator("[name=noise]").select_option("as the file has it")
    page.get_by_role("radio", name="SENSE").check()
    page.get_by_label("Acceleration (phase encoding)").fill("0")
    expect(page.locator("#problem-accelerationY")).to_be_visible()
    page.get_by_label("Acceleration (phase encoding)").fill("")
    page.get_by_role("radio", name="B1-weighted").check()
    expect(page.locator("#plan")).to_contain_text("nobody waits", timeout=20_000)
    expect(page.locator("#plan")).to_contain_text("nothing for you")
    expect(submit).to_be_enabled()


@pytest.mark.slow
def test_from_an_account_to_a_judged_map(
    page: Page, tmp_path: Path, rng: np.random.Generator, console_errors: list[str]
) -> None:
    scan = tmp_path / "scan.npz"
    write_npz(scan, simulate(Phantom(n_x=160, n_y=160, n_coils=8, n_slices=8, sigma=0.005, seed=1)))
    assert scan.stat().st_size > 10 * 2**20, "more than one part"

    page.goto("/")
    page.get_by_role("link", name="Register").click()
    page.get_by_label("E-mail address").fill("newcomer@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    page.get_by_role("heading", level=1).wait_for()

    upload_over_a_bad_connection(page, scan)
    page.get_by_role("link", name="Compute an SNR map of it").click()
    fill_in_with_mistakes(page)
    page.get_by_label("Name", exact=True).fill("the first")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/jobs/job_*")
    first = page.url
    expect(page.locator("#state")).to_have_text("succeeded", timeout=90_000)

    page.get_by_role("link", name="Look at the results").click()
    page.locator("#results[data-ready^=data]").wait_for()
    box = page.locator("#stage canvas").bounding_box()
    assert box is not None
    page.get_by_role("radio", name="Ellipse").check(force=True)
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.up()
    row = page.locator("#region-rows tr[data-region='region 1']")
    found = json.loads(row.get_attribute("data-statistics") or "null")
    page.get_by_role("button", name="Keep with the job").click()
    expect(page.get_by_text("Kept with the job.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything (zip)").click()
    with zipfile.ZipFile(download.value.path()) as package:
        (tmp_path / "snr.nii.gz").write_bytes(package.read("data/snr.nii.gz"))
    snr = np.asarray(nibabel.load(tmp_path / "snr.nii.gz").get_fdata())  # type: ignore[attr-defined]
    assert found["n"] > 50
    assert snr.min() <= found["min"] <= found["mean"] <= found["max"] <= snr.max()

    page.goto(first)
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_role("link", name="an earlier job")).to_be_visible()
    expect(page.locator("#state")).to_have_text("succeeded", timeout=90_000)
    page.get_by_role("link", name="Look at the results").click()
    page.locator("#results[data-ready^=data]").wait_for()
    page.locator("select[name=b]").select_option(label="the first")
    page.get_by_role("button", name="Compare").click()
    row = page.locator("#difference-rows tr[data-region='region 1']")
    row.wait_for()
    difference = json.loads(row.get_attribute("data-difference") or "null")
    assert (difference["n"], difference["mean"], difference["medianRatio"]) == (found["n"], 0, 1)

    page.goto("/new-job")
    page.locator("#job[data-ready=true]").wait_for()
    page.locator("[name=signal]").select_option(index=0)
    page.get_by_role("radio", name="Pseudo multiple replicas pmr").check()
    page.get_by_role("spinbutton", name="Replicas").fill("10000")
    page.get_by_role("button", name="Submit").click(timeout=60_000)
    page.wait_for_url("**/jobs/job_*")
    expect(page.locator("#step")).to_contain_text("slice", timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#state")).to_have_text("cancelled", timeout=30_000)

    page.goto("/upload")
    choose(page, raw_data(tmp_path / "noiseless.npz", rng, noise=False))
    page.get_by_role("link", name="Compute an SNR map of it").click(timeout=20_000)
    page.get_by_role("button", name="Submit").click(timeout=60_000)
    page.wait_for_url("**/jobs/job_*")
    expect(page.locator("#state")).to_have_text("failed", timeout=60_000)
    expect(page.get_by_text("What to do:")).to_be_visible()
    expect(page.get_by_text("no_noise")).to_be_visible()
    page.get_by_role("link", name="Change and submit").click()
    page.locator("#job[data-ready=true]").wait_for()
    page.locator("[name=noise]").select_option("estimated from the edge of k-space (biased; warned)")
    page.get_by_role("button", name="Submit").click(timeout=60_000)
    page.wait_for_url("**/jobs/job_*")
    expect(page.locator("#state")).to_have_text("succeeded", timeout=60_000)
    # The browser tells of the connection that was cut and of the mistake that was refused.
    assert all("ERR_CONNECTION_RESET" in error or "422" in error for error in console_errors), console_errors
    console_errors.clear()
