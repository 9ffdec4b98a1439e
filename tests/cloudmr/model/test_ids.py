from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloudmr.model.ids import Kind, is_id, new_id

INSTANT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
INSTANTS = st.integers(min_value=10**5, max_value=2 * 10**11).map(lambda t: datetime.fromtimestamp(t, tz=UTC))


def test_a_name_is_the_ulid_of_its_specification() -> None:
    # The example of the ULID specification: 1469918176385 ms is 01ARYZ6S41; 80 bits of ones are sixteen z.
    instant = datetime.fromtimestamp(1469918176.385, tz=UTC)
    name = new_id(Kind.JOB, now=instant, entropy=lambda count: b"\xff" * count)
    assert name == "job_01aryz6s41zzzzzzzzzzzzzzzz"


@given(kind=st.sampled_from(Kind), instant=INSTANTS)
def test_a_name_fits_keys_and_execution_names(kind: Kind, instant: datetime) -> None:
    name = new_id(kind, now=instant)
    assert len(name) <= 32
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert is_id(kind, name)
    assert not any(is_id(other, name) for other in Kind if other is not kind)


@given(earlier=INSTANTS, milliseconds=st.integers(min_value=1, max_value=10**9))
def test_names_sort_by_time(earlier: datetime, milliseconds: int) -> None:
    later = earlier + timedelta(milliseconds=milliseconds + 1)
    assert new_id(Kind.DATA, now=earlier) < new_id(Kind.DATA, now=later)


def test_names_of_one_instant_differ() -> None:
    assert len({new_id(Kind.JOB, now=INSTANT) for _ in range(1000)}) == 1000


def test_what_is_not_a_name() -> None:
    name = new_id(Kind.JOB, now=INSTANT)
    for text in ("", "job_", name.upper(), name + "0", name[:-1], name[:-1] + "u", f"{name}\n", "../" + name[3:]):
        assert not is_id(Kind.JOB, text)
