"""Whose job is next at a shared place: the person's who used it least recently."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A job in the queue of a unit, as far as its turn is concerned."""

    job_id: str
    owner_id: str


@dataclass(frozen=True, kw_only=True)
class Use:
    """How much a person has of a unit: jobs there now, and when the last one got its turn (None: never).

    Of their jobs `n_waiting` are in the queue, `first_job_id` the first of them (None: there is none).
    """

    n_active: int
    last_turn_at: datetime | None
    n_waiting: int = 0
    first_job_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class QueuePlace:
    """Where a job stands in the queue of its unit, 1 being next, and in words why it is not its turn yet."""

    place: int
    n_waiting: int
    reason: str


_NEVER_USED = Use(n_active=0, last_turn_at=None)


def next_turns(
    queue: Sequence[Waiting], use: Mapping[str, Use], *, n_slots: int, n_each: Callable[[str], int]
) -> Iterator[Waiting]:
    """Yield the jobs whose turn it is, in order, until the unit's `n_slots` are full.

    `queue` is in order of arrival; `use` tells of the people in it and of those with jobs at the unit. Nobody gets more
    than `n_each(owner_id)` at once. The least recent user is first, and among those who never had a turn the earliest
    to come.
    """
    free = n_slots - sum(person.n_active for person in use.values())
    room = {owner_id: n_each(owner_id) - use.get(owner_id, _NEVER_USED).n_active for owner_id in _owners(queue)}
    yield from _in_turn(queue, use, free=free, room=room)


def is_room_left(use: Mapping[str, Use], *, n_slots: int, n_each: Callable[[str], int]) -> bool:
    """Tell whether anybody's job can have its turn now."""
    if sum(person.n_active for person in use.values()) >= n_slots:
        return False
    return any(person.n_waiting and person.n_active < n_each(owner_id) for owner_id, person in use.items())


def places(
    wanted: Collection[Waiting],
    in_line: Mapping[str, int],
    use: Mapping[str, Use],
    *,
    n_slots: int,
    n_each: Callable[[str], int],
) -> dict[str, QueuePlace]:
    """Return the places of some jobs in a queue, by their ids: the order in which turns come if nobody else does.

    `in_line` says of each which of its owner's jobs in the queue it is. One's `k`-th job comes after `k` of whoever is
    before one in the first round, and `k - 1` of everybody else, as far as they have so many.
    """
    order = sorted((_rank(person), person.first_job_id, owner) for owner, person in use.items() if person.first_job_id)
    n_waiting_of = [use[owner].n_waiting for _, _, owner in order]
    round_place = {owner: place for place, (_, _, owner) in enumerate(order)}
    n_waiting = sum(n_waiting_of)
    n_free = n_slots - sum(person.n_active for person in use.values())
    found = {}
    for waiting in wanted:
        owner, k = waiting.owner_id, in_line[waiting.job_id]
        mine = round_place[owner]
        place = k + sum(min(n, k if other < mine else k - 1) for other, n in enumerate(n_waiting_of) if other != mine)
        n_active, n_most = use[owner].n_active, n_each(owner)
        if n_active >= n_most:
            reason = f"{n_active} of its owner's jobs run at this unit, which is the most for one person."
        elif place <= n_free:
            reason = "It is about to begin."
        else:
            reason = f"{_places(n_slots)} taken, and {_jobs(place - 1)} its turn before it."
        found[waiting.job_id] = QueuePlace(place=place, n_waiting=n_waiting, reason=reason)
    return found


def _in_turn(
    queue: Sequence[Waiting], use: Mapping[str, Use], *, free: int, room: Mapping[str, int]
) -> Iterator[Waiting]:
    """Yield at most `free` jobs in the order of their turns, at most `room` of each owner."""
    waiting_of: dict[str, deque[tuple[int, Waiting]]] = {}
    for arrival, waiting in enumerate(queue):
        if room[waiting.owner_id] > 0:
            waiting_of.setdefault(waiting.owner_id, deque()).append((arrival, waiting))
    left = dict(room)
    heads = [(_rank(use.get(owner_id, _NEVER_USED)), jobs[0][0], owner_id) for owner_id, jobs in waiting_of.items()]
    heapify(heads)
    for round_number in range(free):
        if not heads:
            return
        _, _, owner_id = heappop(heads)
        _, waiting = waiting_of[owner_id].popleft()
        yield waiting
        left[owner_id] -= 1
        if left[owner_id] > 0 and waiting_of[owner_id]:
            heappush(heads, ((2 + round_number, 0.0), waiting_of[owner_id][0][0], owner_id))


def _owners(queue: Sequence[Waiting]) -> set[str]:
    return {waiting.owner_id for waiting in queue}


def _rank(use: Use) -> tuple[int, float]:
    return (1, use.last_turn_at.timestamp()) if use.last_turn_at else (0, 0.0)


def _places(n_slots: int) -> str:
    return "The unit's only place is" if n_slots == 1 else f"All {n_slots} places of the unit are"


def _jobs(n_ahead: int) -> str:
    return {0: "no other job has", 1: "one job has"}.get(n_ahead, f"{n_ahead} jobs have")
