from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bench import NOON
from cloudmr.model.fair_share import Use, Waiting, is_room_left, next_turns, places

OWNERS = st.sampled_from(["ada", "bob", "cyd"])
QUEUES = st.lists(OWNERS, max_size=12).map(
    lambda owners: [Waiting(job_id=f"job_{place:02}", owner_id=owner) for place, owner in enumerate(owners)]
)
USES = st.dictionaries(
    OWNERS,
    st.builds(
        Use,
        n_active=st.integers(min_value=0, max_value=3),
        last_turn_at=st.none() | st.integers(min_value=0, max_value=100).map(lambda h: NOON - timedelta(hours=h)),
    ),
)
LIMITS = st.integers(min_value=1, max_value=5)


def turns(queue: list[Waiting], use: dict[str, Use], n_slots: int, n_each: int) -> list[Waiting]:
    return list(next_turns(queue, use, n_slots=n_slots, n_each=lambda _: n_each))


@given(queue=QUEUES, use=USES, n_slots=LIMITS, n_each=LIMITS)
def test_no_limit_is_exceeded_and_no_slot_is_wasted(
    queue: list[Waiting], use: dict[str, Use], n_slots: int, n_each: int
) -> None:
    chosen = turns(queue, use, n_slots, n_each)
    assert len(set(chosen)) == len(chosen)
    active = Counter({owner: person.n_active for owner, person in use.items()})
    free = max(0, n_slots - active.total())
    assert len(chosen) <= free
    active.update(waiting.owner_id for waiting in chosen)
    assert all(active[waiting.owner_id] <= n_each for waiting in chosen)
    left = [waiting for waiting in queue if waiting not in chosen and active[waiting.owner_id] < n_each]
    assert len(chosen) == free or not left


@given(queue=QUEUES, use=USES, n_slots=LIMITS, n_each=LIMITS)
def test_ones_own_jobs_keep_their_order(queue: list[Waiting], use: dict[str, Use], n_slots: int, n_each: int) -> None:
    chosen = turns(queue, use, n_slots, n_each)
    for owner in ("ada", "bob", "cyd"):
        mine = [waiting.job_id for waiting in chosen if waiting.owner_id == owner]
        assert mine == [waiting.job_id for waiting in queue if waiting.owner_id == owner][: len(mine)]


def with_queue(use: dict[str, Use], queue: list[Waiting]) -> dict[str, Use]:
    """Return who has how much of a unit, as the database tells it: with what they have in the queue."""
    found = dict(use)
    for owner in {waiting.owner_id for waiting in queue}:
        mine = [waiting.job_id for waiting in queue if waiting.owner_id == owner]
        before = use.get(owner, Use(n_active=0, last_turn_at=None))
        found[owner] = replace(before, n_waiting=len(mine), first_job_id=mine[0])
    return found


@given(queue=QUEUES, use=USES, n_slots=LIMITS, n_each=LIMITS)
def test_a_place_is_how_many_turns_come_first_if_everybody_may_have_as_many_as_there_are(
    queue: list[Waiting], use: dict[str, Use], n_slots: int, n_each: int
) -> None:
    in_line = {
        waiting.job_id: [each.owner_id for each in queue[: number + 1]].count(waiting.owner_id)
        for number, waiting in enumerate(queue)
    }
    found = places(queue, in_line, with_queue(use, queue), n_slots=n_slots, n_each=lambda _: n_each)
    endless = turns(queue, {owner: replace(person, n_active=0) for owner, person in use.items()}, 99, 99)
    assert [found[waiting.job_id].place for waiting in endless] == list(range(1, len(queue) + 1))
    assert {place.n_waiting for place in found.values()} <= {len(queue)}


@given(queue=QUEUES, use=USES, n_slots=LIMITS, n_each=LIMITS)
def test_there_is_room_where_somebody_has_a_turn(
    queue: list[Waiting], use: dict[str, Use], n_slots: int, n_each: int
) -> None:
    has_turns = bool(turns(queue, use, n_slots, n_each))
    assert is_room_left(with_queue(use, queue), n_slots=n_slots, n_each=lambda _: n_each) == has_turns


def test_the_least_recent_user_is_first_and_then_everybody_in_turn() -> None:
    queue = [Waiting(job_id=f"job_{n}", owner_id=owner) for n, owner in enumerate("aaabbbcc")]
    use = {
        "a": Use(n_active=0, last_turn_at=NOON),
        "b": Use(n_active=0, last_turn_at=NOON - timedelta(hours=1)),
        "c": Use(n_active=0, last_turn_at=None),
    }
    assert [waiting.owner_id for waiting in turns(queue, use, 8, 8)] == list("cbacbaba")


def test_who_never_had_a_turn_is_served_in_order_of_arrival() -> None:
    queue = [Waiting(job_id=f"job_{n}", owner_id=owner) for n, owner in enumerate("babc")]
    assert [waiting.owner_id for waiting in turns(queue, {}, 3, 1)] == list("bac")
