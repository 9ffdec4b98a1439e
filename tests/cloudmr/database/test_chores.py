from __future__ import annotations

from datetime import timedelta

from bench import NOON, Bench

HOUR = timedelta(hours=1)


def claim(bench: Bench, name: str, *, after: timedelta = timedelta(0)) -> bool:
    with bench.brain.database.write() as transaction:
        return transaction.chores.claim(name, now=NOON + after, until=NOON + after + HOUR)


def test_a_chore_is_claimed_once_until_it_is_due_again(bench: Bench) -> None:
    assert claim(bench, "tidy")
    assert not claim(bench, "tidy")
    assert not claim(bench, "tidy", after=HOUR - timedelta(microseconds=1))
    assert claim(bench, "tidy", after=HOUR)
    assert not claim(bench, "tidy", after=HOUR)


def test_chores_do_not_wait_for_each_other(bench: Bench) -> None:
    assert claim(bench, "tidy")
    assert claim(bench, "sweep")
