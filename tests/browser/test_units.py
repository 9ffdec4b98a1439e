from __future__ import annotations

from playwright.sync_api import Page, expect

from browsing import CheckAccess, SignIn
from units import stack


def test_a_unit_of_ones_own_is_asked_for_and_seen_to_arrive(
    page: Page, sign_in: SignIn, check_access: CheckAccess
) -> None:
    sign_in()
    page.get_by_role("link", name="Units", exact=True).click()
    check_access(page)
    page.get_by_role("link", name="Add a unit of your own").click()
    check_access(page)
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#token").inner_text()
    expect(page.locator("#command")).to_contain_text(f"export CLOUDMR_TOKEN={token}")
    expect(page.locator("#arrival")).to_have_attribute("data-state", "awaited")
    headers = {"Authorization": f"Bearer {token}"}
    announced = page.request.post(
        "/api/computing-unit/prepare",
        headers=headers,
        data={"awsAccountId": "123456789012", "region": "us-east-1"},
    ).json()
    expect(page.locator("#arrival")).to_have_attribute("data-state", "heard", timeout=10_000)
    named = {
        "".join(part if number == 0 else part.title() for number, part in enumerate(name.split("_"))): value
        for name, value in stack().items()
    }
    registered = page.request.post(
        "/api/computing-unit/register",
        headers=headers,
        data={"computingUnitId": announced["computingUnitId"], "alias": "lab", **named},
    )
    assert registered.ok, registered.text()
    expect(page.locator("#arrival")).to_have_attribute("data-state", "registered", timeout=10_000)
    # There is no such account: what is wrong is said, with what to do.
    expect(page.locator("#checks")).to_have_attribute("data-status", "unwell", timeout=20_000)
    expect(page.locator("#checks li.failed .fix").first).to_be_visible()
    check_access(page)
    page.goto("/units/new")
    assert token not in page.content()
