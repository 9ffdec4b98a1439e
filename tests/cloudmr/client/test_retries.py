from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.client.errors import BrainUnreachable
from cloudmr.client.retries import BRIEF, PATIENT, RetryPolicy, Tries, asked_delay_s

POLICY = RetryPolicy(n_tries=4, first_delay_s=1, longest_delay_s=3)


def test_delays_double_up_to_the_longest_and_then_end() -> None:
    assert [POLICY.delay_s(n, jitter=0) for n in range(1, 6)] == [1, 2, 3, None, None]


def test_a_server_that_asks_for_time_gets_it() -> None:
    assert POLICY.delay_s(1, jitter=0, asked_s=2.5) == 2.5


def test_a_server_that_asks_for_more_than_the_longest_delay_ends_the_tries() -> None:
    assert POLICY.delay_s(1, jitter=0, asked_s=3.1) is None


@given(n_failed=st.integers(1, 20), jitter=st.floats(0, 1, exclude_max=True))
@pytest.mark.parametrize("policy", [BRIEF, PATIENT])
def test_jitter_adds_at_most_half(policy: RetryPolicy, n_failed: int, jitter: float) -> None:
    exact, spread = policy.delay_s(n_failed, jitter=0), policy.delay_s(n_failed, jitter=jitter)
    if exact is None or spread is None:
        assert n_failed >= policy.n_tries
        assert exact is spread
    else:
        assert exact <= spread <= 1.5 * exact


@pytest.mark.parametrize(("policy", "total_s"), [(BRIEF, 1.75), (PATIENT, 91.5)])
def test_how_long_a_policy_lasts_before_it_gives_up(policy: RetryPolicy, total_s: float) -> None:
    assert sum(policy.delay_s(n, jitter=0) or 0 for n in range(1, policy.n_tries + 1)) == total_s


def test_tries_pause_until_there_is_no_more_try_and_raise_the_last_error() -> None:
    pauses: list[float] = []
    tries = Tries(POLICY, pauses.append)
    for _ in range(3):
        tries.failed(BrainUnreachable("https://brain", "cut"))
    last = BrainUnreachable("https://brain", "the last one")
    with pytest.raises(BrainUnreachable) as caught:
        tries.failed(last)
    assert caught.value is last
    assert len(pauses) == 3


def test_what_got_somewhere_has_all_its_tries_again() -> None:
    pauses: list[float] = []
    tries = Tries(POLICY, pauses.append)
    for _ in range(10):
        tries.failed(BrainUnreachable("https://brain", "cut"))
        tries.got_somewhere()
    assert all(1 <= pause <= 1.5 for pause in pauses)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_retry_after_in_seconds_is_understood(header: str | None, seconds: float | None) -> None:
    assert asked_delay_s(header) == seconds
