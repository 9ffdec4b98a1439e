"""The page on security says the numbers that the code has, and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloudmr.model.one_time import LIFETIME, Purpose
from cloudmr.model.personal_tokens import lifetime
from cloudmr.model.throttle import Throttle
from cloudmr.model.tokens import ACCESS_LIFETIME, REFRESH_LIFETIME, Scope
from cloudmr.services import throttling
from unit_template import unit_template

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()


def rows_of(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def in_words(throttle: Throttle) -> str:
    minutes = throttle.window.total_seconds() / 60
    return f"{throttle.limit} an hour" if minutes == 60 else f"{throttle.limit} in {minutes:.0f} minutes"


def test_the_table_of_tries_has_the_limits_that_are_counted() -> None:
    limits = (
        throttling.SIGN_IN,
        throttling.ADDRESS_SIGN_IN,
        throttling.ACCOUNT_SIGN_IN,
        throttling.REGISTER,
        throttling.LINK,
        throttling.MAIL,
    )
    assert [row[1] for row in rows_of("Guessing")] == [in_words(limit) for limit in limits]


def test_lifetimes_are_those_of_the_code() -> None:
    assert f"an access token ({ACCESS_LIFETIME.total_seconds() / 3600:.0f} hours)" in PAGE
    assert f"a refresh token ({REFRESH_LIFETIME.days} days" in PAGE
    assert LIFETIME[Purpose.RESET].total_seconds() == 3600
    for scope, _, lives in rows_of("Sessions and tokens"):
        usual = lifetime(Scope(scope.strip("`")), None)
        assert lives in {"at most one hour", f"{usual.days} days, at most 366"}
        assert (usual.total_seconds() == 3600) == (lives == "at most one hour")


SWITCHES = {"MayStop": "AllowStop", "MayUpload": "AllowUpload", "MayReadLogs": "AllowLogs"}
"""Which parameter is behind a condition of the template."""


def test_what_we_can_do_is_what_the_template_grants() -> None:
    granted: set[tuple[str, str]] = set()
    template = unit_template()
    [policy] = template["Resources"]["CrossAccountRole"]["Properties"]["Policies"]
    for each in policy["PolicyDocument"]["Statement"]:
        condition, statement, _ = each.get("Fn::If", (None, each, None))
        if condition == "IsShared":  # The operator's own unit, of mode 1.
            assert "Only with `Mode=mode_1`" in PAGE
            continue
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        granted |= {(action, SWITCHES.get(condition, "always")) for action in actions}
    told: set[tuple[str, str]] = set()
    for named, _, _, switch in rows_of("What we can do in your account"):
        parameter, _, default = switch.replace("`", "").partition(" ")
        told |= {(action, parameter) for action in re.findall(r"`([^`]+)`", named)}
        if default:
            assert default == f"({template['Parameters'][parameter]['Default']})"
    assert told == granted


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))))
def test_every_test_that_is_named_is_there(name: str) -> None:
    assert (ROOT / name).is_file()
