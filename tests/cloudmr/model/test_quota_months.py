from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.errors import LimitReached
from cloudmr.model.limits import Limits
from cloudmr.model.quotas import check_submission, month_end, month_start

MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them naive


@given(now=MOMENTS)
def test_a_moment_is_in_its_month_and_months_follow_each_other(now: datetime) -> None:
    start, end = month_start(now), month_end(now)
    assert start <= now < end
    assert start.month == now.month
    assert month_start(end) == end
    assert timedelta(days=28) <= end - start <= timedelta(days=31)


def test_years_end() -> None:
    assert month_end(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)


def test_the_last_one_is_let_in_and_the_next_is_not() -> None:
    now = datetime(2026, 11, 30, 23, 59, 30, tzinfo=UTC)
    check_submission(n_this_month=99, n_queued=19, limits=Limits(), now=now)
    with pytest.raises(LimitReached, match="100 of 100") as refused:
        check_submission(n_this_month=100, n_queued=0, limits=Limits(), now=now)
    assert refused.value.retry_after_s == 30
    with pytest.raises(LimitReached, match="20 is the limit") as refused:
        check_submission(n_this_month=0, n_queued=20, limits=Limits(), now=now)
    assert refused.value.instance_code == "queue_full"
