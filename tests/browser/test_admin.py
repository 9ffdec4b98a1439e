from __future__ import annotations

from playwright.sync_api import Page, expect

from browsing import CheckAccess, SignIn
from cloudmr.services.administration import create_admin
from cloudmr.settings import Settings
from cloudmr.wiring import on_the_server
from real_brain import PASSWORD, RealBrain


def test_administrators_find_their_way(page: Page, site: RealBrain, sign_in: SignIn, check_access: CheckAccess) -> None:
    email = sign_in()
    settings = Settings.from_environment({"CLOUDMR_HOME": str(site.folder.parent / "home")})
    with on_the_server(settings) as brain:
        create_admin(brain, email=email, password=PASSWORD)
    page.reload()
    page.get_by_role("link", name="Admin", exact=True).click()
    for tab in ("Shared units", "Queue", "Failures", "Audit", "People"):
        page.get_by_label("Administration").get_by_role("link", name=tab).click()
        expect(page.get_by_label("Administration").get_by_role("link", name=tab)).to_have_attribute(
            "aria-current", "page"
        )
        check_access(page)
    other = site.new_email()
    page.get_by_role("searchbox").fill(other)
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name=other).click()
    page.get_by_label("Jobs a month").fill("7")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_role("row", name="Jobs this month")).to_contain_text("7")
    page.get_by_label("Suspend, because").fill("left the institute")
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("button", name="Activate")).to_be_visible()
    check_access(page)
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
