from __future__ import annotations

from datetime import timedelta

import pytest

from bench import NOON
from cloudmr.errors import LimitReached
from cloudmr.model.throttle import Throttle, Tries

THROTTLE = Throttle(limit=3, window=timedelta(minutes=15))


def test_so_many_tries_within_a_window_and_no_more() -> None:
    tries = None
    for expected in (1, 2, 3):
        tries = THROTTLE.count(tries, now=NOON + timedelta(minutes=expected))
        assert tries == Tries(count=expected, since=NOON + timedelta(minutes=1))
    with pytest.raises(LimitReached, match="3 tries within 15 minutes") as refused:
        THROTTLE.count(tries, now=NOON + timedelta(minutes=15, seconds=59.5))
    assert refused.value.retry_after_s == 1
    assert refused.value.instance_code == "too_many_tries"


def test_after_the_time_it_named_it_lets_one_try() -> None:
    full = Tries(count=3, since=NOON)
    with pytest.raises(LimitReached) as refused:
        THROTTLE.count(full, now=NOON + timedelta(minutes=2))
    again = NOON + timedelta(minutes=2, seconds=refused.value.retry_after_s)
    assert THROTTLE.count(full, now=again) == Tries(count=1, since=again)
