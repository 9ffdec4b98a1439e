"""A real browser on a real Brain. A request that leaves the server and a console error fail a test by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

from browsing import CheckAccess, SignIn
from real_brain import PASSWORD, RealBrain, serving

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OPERATED = {
    "CLOUDMR_PRIVATE_URL_ALLOWED": "yes",
    "CLOUDMR_OPERATOR_ACCOUNT_ID": "262361552878",
    "CLOUDMR_BRAIN_PRINCIPAL_ARN": "arn:aws:iam::262361552878:role/cloudmr-brain",
    "CLOUDMR_IMAGE_REPOSITORY": "262361552878.dkr.ecr.us-east-1.amazonaws.com/mroptimum",
    "CLOUDMR_TEMPLATE_URL": "https://templates.s3.us-east-1.amazonaws.com/template-mode2.yaml",
}
"""Of an operator who has set up AWS, so that units of one's own can be asked for."""
NO_AWS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Where nothing listens: no test goes to AWS."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 860}, "device_scale_factor": 1}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBrain]:
    """A Brain that all browser tests share; each test brings people of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NO_AWS.items():
            patch.setenv(name, value)
        with serving(tmp_path_factory.mktemp("site"), **OPERATED) as brain:
            yield brain


@pytest.fixture(scope="session")
def base_url(site: RealBrain) -> str:
    return site.url


@pytest.fixture(autouse=True)
def closed_network(context: BrowserContext, base_url: str) -> Iterator[None]:
    """Hospital networks are closed: nothing is asked for elsewhere."""
    outside: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((base_url, "data:", "blob:")):
            outside.append(request.url)

    context.on("request", note)
    yield
    assert not outside


@pytest.fixture(autouse=True)
def console_errors(context: BrowserContext) -> Iterator[list[str]]:
    """What the browser complained about; a test that brings errors about takes them out of the list."""
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    context.on("console", note)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield errors
    assert not errors


@pytest.fixture
def sign_in(page: Page, site: RealBrain) -> SignIn:
    """Sign somebody new in, as a person would; returns their e-mail address."""

    def do() -> str:
        email = site.new_email()
        page.goto("/sign-in")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Home").wait_for()
        return email

    return do


@pytest.fixture
def check_access() -> CheckAccess:
    """Fail where a page has a finding of axe, in light or in dark."""

    def check(page: Page) -> None:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{page.url} in {theme}: {found.generate_report()}"

    return check
