"""Who waits at a unit, and when whose turn comes: the facts for the dispatcher, and in words for those who wait."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from cloudmr.database.base import Transaction
from cloudmr.model.fair_share import QueuePlace, Use, Waiting, places
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.units import ComputingUnit, Mode, UnitStatus
from cloudmr.services.brain import Brain
from cloudmr.services.limits import limits_of_each

_ACCOUNT_SLOTS = 1000
"""Beyond what any AWS account runs at once; the account itself has the last word."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many jobs run at a unit at once, of one person and of all, and who has how much of it now."""

    n_slots: int
    n_each: Callable[[str], int]
    use: Mapping[str, Use]


def room_at(brain: Brain, transaction: Transaction, unit: ComputingUnit, people: Collection[str]) -> Room:
    """Return the room that these people share at a unit."""
    use = transaction.jobs.use_of_unit(unit.id)
    if unit.mode is Mode.MODE_2:
        return Room(n_slots=_ACCOUNT_SLOTS, n_each=lambda _: _ACCOUNT_SLOTS, use=use)
    limits = limits_of_each(brain, transaction, people)
    n_slots = brain.limits.n_slots if unit.is_this_machine else _ACCOUNT_SLOTS
    return Room(n_slots=n_slots, n_each=lambda person: limits[person].n_running_each, use=use)


def place_if_submitted(brain: Brain, transaction: Transaction, unit: ComputingUnit, person_id: str) -> QueuePlace:
    """Return the place that a job would have which a person submitted to a unit at this moment."""
    not_yet = Waiting(job_id="", owner_id=person_id)
    queue = [*transaction.jobs.queue(unit.id).get(unit.id, []), not_yet]
    room = room_at(brain, transaction, unit, {waiting.owner_id for waiting in queue})
    place = places(queue, room.use, n_slots=room.n_slots, n_each=room.n_each)[not_yet.job_id]
    if unit.status is UnitStatus.READY:
        return place
    why = f" {unit.status_reason}" if unit.status_reason else ""
    return replace(place, reason=f"The computing unit is {unit.status}; jobs wait until it is ready.{why}")


def queue_places(
    brain: Brain, transaction: Transaction, jobs: Collection[Job], units: Mapping[str, ComputingUnit]
) -> dict[str, QueuePlace]:
    """Return the places of those jobs that wait for their turn, by their ids."""
    wanted = {job.unit_id for job in jobs if job.state is JobState.QUEUED}
    found: dict[str, QueuePlace] = {}
    for unit_id in wanted:
        queue = transaction.jobs.queue(unit_id).get(unit_id, [])
        room = room_at(brain, transaction, units[unit_id], {waiting.owner_id for waiting in queue})
        found |= places(queue, room.use, n_slots=room.n_slots, n_each=room.n_each)
    return {job.id: found[job.id] for job in jobs if job.id in found}
