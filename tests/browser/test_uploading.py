from __future__ import annotations

import json
import random
from base64 import b64decode
from itertools import count
from pathlib import Path

from playwright.sync_api import FilePayload, Page, Route, expect

from browsing import CheckAccess, SignIn

VECTORS = Path(__file__).parents[1] / "vectors" / "anonymise.json"


def stored(page: Page) -> list[bytes]:
    """What the signed-in person's files hold in their unit."""
    files = page.request.get("/api/data").json()["data"]
    links = [page.request.get(f"/api/data/{file['id']}/download").json() for file in files]
    return [page.request.get(link["url"], headers=link["headers"]).body() for link in links]


def matlab_file(n_bytes: int) -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(512) + random.Random(1).randbytes(n_bytes - 512)


def choose(page: Page, name: str, content: bytes) -> None:
    file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator("#upload[data-ready=true] #files").set_input_files([file])


def test_a_file_is_cleaned_before_it_leaves(page: Page, sign_in: SignIn) -> None:
    vector = json.loads(VECTORS.read_text())["vectors"][0]
    sign_in()
    page.goto("/upload")
    choose(page, "meas_MID00042.dat", b64decode(vector["input"]))
    row = page.get_by_role("listitem").filter(has_text="meas_MID00042.dat")
    expect(row.get_by_role("status")).to_have_text("arrived")
    row.get_by_text("header fields blanked before sending").click()
    expect(row).to_contain_text("tPatientName")
    assert stored(page) == [b64decode(vector["output"])]


def test_a_file_that_cannot_be_cleaned_is_refused_with_the_command(page: Page, sign_in: SignIn) -> None:
    sign_in()
    page.goto("/upload")
    choose(page, "scan.h5", b"\x89HDF\r\n\x1a\n" + b" " * 5000 + b"<patientName>Doe^Jane</patientName>")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("patientName")
    expect(alert).to_contain_text("mroptimum anonymise scan.h5")
    expect(alert).not_to_contain_text("Jane")


def test_a_cut_connection_is_survived(page: Page, sign_in: SignIn, console_errors: list[str]) -> None:
    cuts = iter(["internetdisconnected", "connectionreset"])

    def cut(route: Route) -> None:
        reason = next(cuts, None) if route.request.method == "PUT" else None
        if reason is None:
            route.continue_()
        else:
            route.abort(reason)

    content = matlab_file(25_000_000)
    sign_in()
    page.goto("/upload")
    page.route("**/objects/**", cut)
    choose(page, "array.mat", content)
    expect(page.get_by_role("listitem").get_by_role("status")).to_have_text("arrived", timeout=20_000)
    assert stored(page) == [content]
    assert len(console_errors) == 2, console_errors
    console_errors.clear()  # the browser tells of both cuts


def test_an_upload_goes_on_after_a_pause_and_a_reload(page: Page, sign_in: SignIn) -> None:
    content = matlab_file(24_000_000)
    puts = count(1)

    def let_one_pass(route: Route) -> None:
        if route.request.method != "PUT" or next(puts) == 1:
            route.continue_()

    sign_in()
    page.goto("/upload")
    page.route("**/objects/**", let_one_pass)
    with page.expect_response(lambda response: response.request.method == "PUT"):
        choose(page, "long.mat", content)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("listitem").get_by_role("status")).to_have_text("paused")
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    begun = page.get_by_role("row").filter(has_text="long.mat")
    expect(begun).to_be_visible()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    choose(page, "long.mat", content)
    expect(page.get_by_role("listitem").get_by_role("status")).to_have_text("arrived", timeout=20_000)
    expect(begun).not_to_be_visible()
    assert len(sent) == 2, "the part that had arrived is not sent again"
    assert stored(page) == [content]


def test_an_upload_can_be_given_up(page: Page, sign_in: SignIn) -> None:
    sign_in()
    page.goto("/upload")
    page.route("**/objects/**", lambda route: None)
    choose(page, "unwanted.mat", matlab_file(1000))
    expect(page.get_by_role("listitem")).to_contain_text("sending")
    page.get_by_role("button", name="Pause").click()
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_text("unwanted.mat")).not_to_be_visible()
    page.reload()
    expect(page.get_by_text("unwanted.mat")).not_to_be_visible()


def test_everybody_can_use_the_page(page: Page, sign_in: SignIn, check_access: CheckAccess) -> None:
    sign_in()
    page.goto("/upload")
    choose(page, "photo.jpg", b"\xff\xd8\xff a picture")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_text("Which one to take").click()
    check_access(page)
