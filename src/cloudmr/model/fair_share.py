"""Whose job is next at a shared place: the person's who used it least recently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A job in the queue of a unit, as far as its turn is concerned."""

    job_id: str
    owner_id: str


@dataclass(frozen=True, kw_only=True)
class Use:
    """How much a person has of a unit: jobs there now, and when the last one got its turn (None: never)."""

    n_active: int
    last_turn_at: datetime | None


def next_turns(queue: Sequence[Waiting], use: Mapping[str, Use], *, n_slots: int, n_each: int) -> Iterator[Waiting]:
    """Yield the jobs whose turn it is, in order, until the unit's `n_slots` are full.

    `queue` is in order of arrival; `use` tells of the people in it and of those with jobs at the unit. Nobody gets more
    than `n_each` at once. The least recent user is first, and among those who never had a turn the earliest to come.
    """
    free = n_slots - sum(person.n_active for person in use.values())
    n_active = {owner_id: person.n_active for owner_id, person in use.items()}
    turn = {
        owner_id: (1, person.last_turn_at) if person.last_turn_at else (0, None) for owner_id, person in use.items()
    }
    rest = list(queue)
    for round_number in range(free):
        able = [waiting for waiting in rest if n_active.get(waiting.owner_id, 0) < n_each]
        if not able:
            return
        chosen = min(able, key=lambda waiting: _rank(turn.get(waiting.owner_id, (0, None))))
        yield chosen
        rest.remove(chosen)
        n_active[chosen.owner_id] = n_active.get(chosen.owner_id, 0) + 1
        turn[chosen.owner_id] = (2 + round_number, None)


def _rank(turn: tuple[int, datetime | None]) -> tuple[int, float]:
    kind, at = turn
    return (kind, at.timestamp() if at else 0.0)
