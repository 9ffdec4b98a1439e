from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroptimum.rawdata.anonymise.blanks import Kind, blank, is_filled, patch
from mroptimum.rawdata.patient_fields import rules


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Kind.TEXT, b"Doe^Jane ", b"xxxxxxxxx"),
        (Kind.CODE, b"F ", b"XX"),
        (Kind.NUMBER, b" 70.5 ", b" 00.0 "),
        (Kind.NUMBER, b"-7.05e+01", b"00.000000"),
        (Kind.AGE, b"054Y", b"000Y"),
        (Kind.AGE, b"54", b"00"),
        (Kind.DATE, b"1970-01-02", b"1900-01-01"),
        (Kind.DATE, b"19700102", b"19000101"),
        (Kind.DATE, b"2.1.70", b"0.0.00"),
        (Kind.TIME, b"10:11:12", b"00:00:00"),
        (Kind.INSTANT, b"20240206101112.500", b"19000101000000.000"),
        (Kind.INSTANT, b"2024", b"0000"),
        (Kind.SEX, b"F", b"O"),
        (Kind.UID, b"1.3.12.2.1107.5\0", b"0.0.10.0.1000.0\0"),
        (Kind.BYTES, b"\x01\x00\xff", b"\0\0\0"),
        (Kind.BASE64, b"SmFuZQ==\n", b"AAAAAA==\n"),
    ],
)
def test_a_value_becomes(kind: Kind, value: bytes, expected: bytes) -> None:
    assert is_filled(kind, value)
    assert blank(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((Kind.TEXT, value) for value in (b"", b"  ", b"xxxx", b"XXXX", b'"xx"', b"0000\0", b"x.x.xx")),
        (Kind.NUMBER, b"000.000000"),
        (Kind.DATE, b"0000-00-00"),
        (Kind.DATE, b"19000101"),
        (Kind.SEX, b"O"),
        (Kind.UID, b"0.0.10.0.1000.0\0"),
        (Kind.BYTES, bytes(8)),
        (Kind.BASE64, b"AAAA=="),
    ],
)
def test_what_was_blanked_is_not_filled(kind: Kind, value: bytes) -> None:
    assert not is_filled(kind, value)
    assert list(patch("field", kind, 0, value)) == []


@given(kind=st.sampled_from(Kind), value=st.binary(max_size=40))
def test_blanking_keeps_the_length_and_is_done_once(kind: Kind, value: bytes) -> None:
    once = blank(kind, value)
    assert len(once) == len(value)
    assert blank(kind, once) == once
    assert not is_filled(kind, once)


@given(value=st.text(alphabet="abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ123456789", min_size=1, max_size=20))
def test_no_letter_is_left_of_a_text(value: str) -> None:
    assert not set(blank(Kind.TEXT, value.encode())) & set(value.encode())


def test_the_rule_file_explains_every_kind() -> None:
    assert set(rules()["kinds"]) - {"about"} == {str(kind) for kind in Kind}
