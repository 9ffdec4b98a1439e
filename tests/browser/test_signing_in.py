from __future__ import annotations

from playwright.sync_api import Page, expect

from browsing import CheckAccess, SignIn
from real_brain import PASSWORD, RealBrain


def test_who_is_not_signed_in_is_brought_back_after_signing_in(page: Page, site: RealBrain) -> None:
    email = site.new_email()
    page.goto("/?from=mail")
    expect(page).to_have_url(f"{site.url}/sign-in?next=%2F%3Ffrom%3Dmail")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/?from=mail")
    expect(page.get_by_text(email)).to_be_visible()


def test_a_wrong_password_is_told_and_the_address_kept(page: Page, site: RealBrain, console_errors: list[str]) -> None:
    email = site.new_email()
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The e-mail address or the password is wrong.")
    expect(page.get_by_role("alert")).to_contain_text("wrong_credentials")
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    assert len(console_errors) == 1, console_errors
    console_errors.clear()  # the browser says that the answer was 422


def test_registering_signs_in_and_signing_out_ends_it(page: Page, site: RealBrain) -> None:
    page.goto("/register")
    page.get_by_label("E-mail address").fill("new.person@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{site.url}/sign-in")
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_theme_is_kept(page: Page, sign_in: SignIn) -> None:
    sign_in()
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_everybody_can_use_the_first_pages(page: Page, sign_in: SignIn, check_access: CheckAccess) -> None:
    for address in ("/sign-in", "/register"):
        page.goto(address)
        check_access(page)
    sign_in()
    check_access(page)
