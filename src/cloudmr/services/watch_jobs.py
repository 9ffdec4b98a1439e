"""Whether there is news of jobs that somebody follows: asked of all of them at once, however many those are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cloudmr.database.jobs import Glance
from cloudmr.model.fair_share import QueuePlace, Waiting
from cloudmr.model.ids import Kind, is_id
from cloudmr.services.brain import Brain
from cloudmr.services.queue_places import places_in_queues


@dataclass(frozen=True, kw_only=True)
class JobSign:
    """What changes when a job does, as its owner sees it."""

    job_id: str
    version: int
    attempt: int
    progress_sequence: int | None
    waiting_reason: str | None


Sign = frozenset[JobSign]
"""Of a job, or of all jobs of a person that have not ended. The same sign means that there is no news."""


def signs_of(brain: Brain, followed: Collection[str]) -> dict[str, Sign]:
    """Return the signs of jobs and people, by their ids, all of one moment. What is not there has an empty one."""
    people = [each for each in followed if is_id(Kind.USER, each)]
    with brain.database.read() as transaction:
        glances = transaction.jobs.glances([each for each in followed if is_id(Kind.JOB, each)], of=people)
        waiting: dict[str, list[Waiting]] = {}
        for glance in glances:
            if glance.is_waiting:
                waiting.setdefault(glance.unit_id, []).append(Waiting(job_id=glance.id, owner_id=glance.owner_id))
        units = {unit.id: unit for unit in transaction.units.by_ids(waiting)} if waiting else {}
        places = places_in_queues(brain, transaction, waiting, units)
    found: dict[str, set[JobSign]] = {each: set() for each in followed}
    for glance in glances:
        sign = _sign(glance, places.get(glance.id))
        if glance.id in found:
            found[glance.id].add(sign)
        if glance.owner_id in found and glance.is_open:
            found[glance.owner_id].add(sign)
    return {each: frozenset(signs) for each, signs in found.items()}


def _sign(glance: Glance, place: QueuePlace | None) -> JobSign:
    reason = glance.waiting_reason
    if reason is None and place is not None:
        reason = place.reason
    return JobSign(
        job_id=glance.id,
        version=glance.version,
        attempt=glance.attempt,
        progress_sequence=glance.progress_sequence,
        waiting_reason=reason,
    )
