"""Who waits at a unit, and when whose turn comes: the facts for the dispatcher, and in words for those who wait."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from cloudmr.database.base import Transaction
from cloudmr.model.fair_share import QueuePlace, Use, Waiting, is_room_left, places
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.units import ComputingUnit, Mode, UnitStatus
from cloudmr.services.brain import Brain
from cloudmr.services.limits import limits_of_each
from cloudmr.services.views import JobView

_ACCOUNT_SLOTS = 1000
"""Beyond what any AWS account runs at once; the account itself has the last word."""
_LAST = "~"
"""The id of a job that is not there yet: it comes after every other."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """How many jobs run at a unit at once, of one person and of all, and who has how much of it now."""

    n_slots: int
    n_each: Callable[[str], int]
    use: Mapping[str, Use]

    @property
    def is_full(self) -> bool:
        """Whether every place is taken."""
        return sum(person.n_active for person in self.use.values()) >= self.n_slots

    @property
    def is_left(self) -> bool:
        """Whether anybody's job can have its turn now."""
        return is_room_left(self.use, n_slots=self.n_slots, n_each=self.n_each)


def room_at(brain: Brain, transaction: Transaction, unit: ComputingUnit, *, others: Collection[str] = ()) -> Room:
    """Return the room that everybody shares who has jobs at a unit, and maybe others."""
    use = transaction.jobs.use_of_unit(unit.id)
    if unit.mode is Mode.MODE_2:
        return Room(n_slots=_ACCOUNT_SLOTS, n_each=lambda _: _ACCOUNT_SLOTS, use=use)
    limits = limits_of_each(brain, transaction, {*use, *others})
    n_slots = brain.limits.n_slots if unit.is_this_machine else _ACCOUNT_SLOTS
    return Room(n_slots=n_slots, n_each=lambda person: limits[person].n_running_each, use=use)


def place_if_submitted(brain: Brain, transaction: Transaction, unit: ComputingUnit, person_id: str) -> QueuePlace:
    """Return the place that a job would have which a person submitted to a unit at this moment."""
    not_yet = Waiting(job_id=_LAST, owner_id=person_id)
    room = room_at(brain, transaction, unit, others=(person_id,))
    mine = room.use.get(person_id) or Use(n_active=0, last_turn_at=transaction.jobs.last_turn_at(unit.id, person_id))
    mine = replace(mine, n_waiting=mine.n_waiting + 1, first_job_id=mine.first_job_id or _LAST)
    use = {**room.use, person_id: mine}
    place = places([not_yet], {_LAST: mine.n_waiting}, use, n_slots=room.n_slots, n_each=room.n_each)[_LAST]
    if unit.status is UnitStatus.READY:
        return place
    why = f" {unit.status_reason}" if unit.status_reason else ""
    return replace(place, reason=f"The computing unit is {unit.status}; jobs wait until it is ready.{why}")


def queue_places(
    brain: Brain, transaction: Transaction, jobs: Collection[Job], units: Mapping[str, ComputingUnit]
) -> dict[str, QueuePlace]:
    """Return the places of those jobs that wait for their turn, by their ids."""
    waiting: dict[str, list[Waiting]] = {}
    for job in jobs:
        if job.state is JobState.QUEUED and job.cancel_requested_at is None:
            waiting.setdefault(job.unit_id, []).append(Waiting(job_id=job.id, owner_id=job.owner_id))
    return places_in_queues(brain, transaction, waiting, units)


def places_in_queues(
    brain: Brain,
    transaction: Transaction,
    waiting: Mapping[str, Collection[Waiting]],
    units: Mapping[str, ComputingUnit],
) -> dict[str, QueuePlace]:
    """Return the places of jobs that wait, given by unit, by their ids."""
    found: dict[str, QueuePlace] = {}
    for unit_id, wanted in waiting.items():
        room = room_at(brain, transaction, units[unit_id])
        in_line = transaction.jobs.in_line([each.job_id for each in wanted])
        # A job that got its turn since it was read has no place any more.
        left = [each for each in wanted if each.job_id in in_line]
        found |= places(left, in_line, room.use, n_slots=room.n_slots, n_each=room.n_each)
    return found


def views_of(
    brain: Brain, transaction: Transaction, jobs: Collection[Job], *, known: Collection[ComputingUnit] = ()
) -> list[JobView]:
    """Return jobs with their units, as far as not `known`, and their places in the queues there."""
    units = {unit.id: unit for unit in known}
    if unknown := {job.unit_id for job in jobs} - set(units):
        units |= {unit.id: unit for unit in transaction.units.by_ids(unknown)}
    places = queue_places(brain, transaction, jobs, units)
    return [JobView(job=job, unit=units[job.unit_id], queue_place=places.get(job.id)) for job in jobs]
