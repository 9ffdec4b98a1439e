from __future__ import annotations

import re
from email import message_from_bytes, policy

from playwright.sync_api import Page, expect

from browsing import CheckAccess
from real_brain import PASSWORD, RealBrain
from waiting import wait_until

OTHER = "another horse entirely"


def letters_to(site: RealBrain, email: str) -> list[str]:
    """What the Brain of the browser tests wrote to somebody; without a mail server it lies in a folder."""
    outbox = site.folder.parent / "home" / "outbox"
    letters = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in outbox.glob("*.eml")]
    return [str(letter.get_content()) for letter in letters if letter["To"] == email]


def link_of(site: RealBrain, email: str) -> str:
    letters = wait_until(lambda: letters_to(site, email), what="the letter")
    found = re.search(r"/reset-password#([0-9a-f]{64})", letters[-1])
    assert found is not None
    return f"/reset-password#{found[1]}"


def test_a_forgotten_password_is_replaced_through_the_link_of_a_mail(page: Page, site: RealBrain) -> None:
    email = site.new_email()
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgotten password").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("status").filter(has_text="If there is such an account")).to_contain_text(email)
    page.goto(link_of(site, email))
    expect(page.locator("#mail-link[data-ready=true]")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/reset-password")
    expect(page.get_by_label("Code from the mail")).not_to_be_visible()
    page.get_by_label("New password").fill(OTHER)
    page.get_by_role("button", name="Set this password").click()
    expect(page.get_by_text("The password is set. Sign in with it.")).to_be_visible()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(OTHER)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def test_a_link_that_is_not_good_says_what_to_do(
    page: Page, site: RealBrain, console_errors: list[str], check_access: CheckAccess
) -> None:
    for path, label, button in (
        ("/reset-password", "New password", "Set this password"),
        ("/confirm", "Password", "Confirm"),
    ):
        page.goto(f"{path}#0123")
        check_access(page)
        page.get_by_label(label, exact=True).fill(PASSWORD)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("alert")).to_contain_text("link_not_good")
        expect(page.get_by_label("Code from the mail")).to_have_value("0123")
        check_access(page)
    page.get_by_role("link", name="Ask for another mail").click()
    expect(page.get_by_role("heading", name="Another mail to confirm your address")).to_be_visible()
    check_access(page)
    console_errors.clear()  # the browser says that the answers were 422
