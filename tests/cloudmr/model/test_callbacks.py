from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.errors import CallbackRefused
from cloudmr.model.callbacks import (
    KEY_ID_HEADER,
    REPLAY_WINDOW_S,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    AttemptKey,
    derive_secret,
    key_id_of,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = AttemptKey(job_id="job_1", attempt=2, key_id="k1", secret="s3cret")


def test_the_secret_is_the_contract() -> None:
    expected = hmac.new(b"brain", b"callback|job_1|2|k1", hashlib.sha256).hexdigest()
    assert derive_secret(b"brain", job_id="job_1", attempt=2, key_id="k1") == expected


def test_the_signature_is_the_contract() -> None:
    # Worked out by hand from the words of the contract, so that a unit written in another language can be checked too.
    body = b'{"schema":1}'
    text = f"v1\n1795348800\njob_1\n2\n{hashlib.sha256(body).hexdigest()}".encode()
    assert KEY.sign(body, now=NOW) == {
        KEY_ID_HEADER: "k1",
        TIMESTAMP_HEADER: "1795348800",
        SIGNATURE_HEADER: "v1=" + hmac.new(b"s3cret", text, hashlib.sha256).hexdigest(),
    }


@given(body=st.binary(max_size=100), skew_s=st.integers(min_value=-REPLAY_WINDOW_S, max_value=REPLAY_WINDOW_S))
def test_what_was_signed_is_believed_within_the_window(body: bytes, skew_s: int) -> None:
    KEY.verify(body, KEY.sign(body, now=NOW), now=NOW + timedelta(seconds=skew_s))


@pytest.mark.parametrize("skew_s", [-REPLAY_WINDOW_S - 1, REPLAY_WINDOW_S + 1, 10**8])
def test_a_genuine_sender_learns_that_its_clock_is_wrong(skew_s: int) -> None:
    with pytest.raises(CallbackRefused, match="clock") as refused:
        KEY.verify(b"", KEY.sign(b"", now=NOW + timedelta(seconds=skew_s)), now=NOW)
    assert refused.value.instance_code == "callback_out_of_time"


@pytest.mark.parametrize(
    "other",
    [
        AttemptKey(job_id="job_2", attempt=2, key_id="k1", secret="s3cret"),
        AttemptKey(job_id="job_1", attempt=1, key_id="k1", secret="s3cret"),
        AttemptKey(job_id="job_1", attempt=2, key_id="k1", secret="other"),
    ],
)
def test_a_signature_holds_for_its_own_attempt_only(other: AttemptKey) -> None:
    with pytest.raises(CallbackRefused, match="does not belong"):
        KEY.verify(b"{}", other.sign(b"{}", now=NOW), now=NOW)


def test_a_changed_body_or_time_is_refused() -> None:
    headers = KEY.sign(b"{}", now=NOW)
    with pytest.raises(CallbackRefused, match="does not belong"):
        KEY.verify(b"{ }", headers, now=NOW)
    with pytest.raises(CallbackRefused, match="does not belong"):
        KEY.verify(b"{}", headers | {TIMESTAMP_HEADER: str(int(NOW.timestamp()) + 1)}, now=NOW)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {TIMESTAMP_HEADER: ""},
        {TIMESTAMP_HEADER: "-1"},
        {TIMESTAMP_HEADER: "1e3"},
        {TIMESTAMP_HEADER: "²"},
        {TIMESTAMP_HEADER: "9" * 5000},
        {SIGNATURE_HEADER: "v2=00"},
        {SIGNATURE_HEADER: ""},
        {SIGNATURE_HEADER: "v1=é"},
    ],
)
def test_unreadable_headers_are_refused(broken: dict[str, str]) -> None:
    headers = KEY.sign(b"", now=NOW) | broken if broken else {}
    with pytest.raises(CallbackRefused):
        KEY.verify(b"", headers, now=NOW)


def test_no_secret_is_shown() -> None:
    assert "s3cret" not in repr(KEY)


def test_a_key_id_tells_keys_apart() -> None:
    assert key_id_of(b"a" * 32) == key_id_of(b"a" * 32) != key_id_of(b"b" * 32)
