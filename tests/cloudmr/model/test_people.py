from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cloudmr.errors import InvalidRequest
from cloudmr.model.instants import in_utc
from cloudmr.model.people import clean_name, normal_email


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org, eve@example.org",
        "Ada <ada@example.org>",
        '"ada"@example.org',
        "ada\u2028@example.org",
        "ada\u202e@example.org",
        "ada\x7f@example.org",
        "(comment)ada@example.org",
    ],
)
def test_no_address_can_become_another_header_or_a_second_receiver(text: str) -> None:
    with pytest.raises(InvalidRequest):
        normal_email(text)


@pytest.mark.parametrize("text", ["ada@example.org", "ada.l+tag@sub.example.org", "ädä@bücher.example", "o'hara@a.ie"])
def test_usual_and_foreign_addresses_are_addresses(text: str) -> None:
    assert normal_email(f" {text.upper()} ") == text.upper().lower()


def test_names_are_one_line_or_none() -> None:
    assert clean_name("  Ada   Lovelace ") == "Ada Lovelace"
    assert clean_name("  ") is None
    for wrong in ("a\x1b[31m", "x" * 256):
        with pytest.raises(InvalidRequest):
            clean_name(wrong)


def test_moments_at_the_ends_of_time_have_a_place_in_utc() -> None:
    ahead, behind = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
    assert in_utc(datetime(1, 1, 1, tzinfo=ahead)) == datetime.min.replace(tzinfo=UTC)
    assert in_utc(datetime(9999, 12, 31, 23, tzinfo=behind)) == datetime.max.replace(tzinfo=UTC)
    assert in_utc(datetime(2026, 1, 1, 14, tzinfo=ahead)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert in_utc(None) is None
