from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.storage.byte_range import ByteRange, choose_range
from cloudmr.storage.errors import RangeNotSatisfiable

SIZES = st.integers(min_value=0, max_value=30)
OFFSETS = st.integers(min_value=0, max_value=40)


def chosen(content: bytes, header: str | None, if_range: str | None = None) -> bytes | None:
    """Return the bytes a header selects, None for a range that is refused."""
    try:
        found = choose_range(header, size_bytes=len(content), etag='"e"', if_range=if_range)
    except RangeNotSatisfiable:
        return None
    return content if found is None else content[found.start : found.stop]


@given(size=SIZES, first=OFFSETS, length=OFFSETS)
def test_first_and_last_are_a_slice(size: int, first: int, length: int) -> None:
    content = bytes(range(size))
    expected = content[first : first + length + 1] or None
    assert chosen(content, f"bytes={first}-{first + length}") == expected


@given(size=SIZES, first=OFFSETS)
def test_without_last_it_goes_to_the_end(size: int, first: int) -> None:
    content = bytes(range(size))
    assert chosen(content, f"bytes={first}-") == (content[first:] or None)


@given(size=SIZES, length=OFFSETS)
def test_without_first_it_is_the_end(size: int, length: int) -> None:
    content = bytes(range(size))
    expected = content[max(size - length, 0) :] if length else b""
    assert chosen(content, f"bytes=-{length}") == (expected or None)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=4-2", "bytes=0-1,3-4", "lines=0-1", "bytes=٣-٤"],
)
def test_what_cannot_be_understood_is_answered_with_everything(header: str | None) -> None:
    assert choose_range(header, size_bytes=10, etag='"e"') is None


def test_a_refusal_tells_the_size() -> None:
    with pytest.raises(RangeNotSatisfiable) as refusal:
        choose_range("bytes=10-", size_bytes=10, etag='"e"')
    assert refusal.value.size_bytes == 10


def test_if_range_asks_for_the_rest_of_the_same_object_only() -> None:
    assert choose_range("bytes=5-", size_bytes=10, etag='"e"', if_range='"e"') == ByteRange(start=5, stop=10)
    assert choose_range("bytes=5-", size_bytes=10, etag='"e"', if_range='"other"') is None
    assert choose_range("bytes=5-", size_bytes=10, etag='"e"', if_range="Thu, 01 Jan 2026 00:00:00 GMT") is None
