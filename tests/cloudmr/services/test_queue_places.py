from __future__ import annotations

from bench import Bench
from cloudmr.model.people import Caller
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.jobs import get_job, list_jobs


def places(bench: Bench, owner: Caller) -> list[int | None]:
    views = list_jobs(bench.brain, owner, limit=10)
    return [view.queue_place.place if view.queue_place else None for view in reversed(views)]


def test_places_are_the_order_in_which_turns_come(bench: Bench, ada: Caller, bob: Caller) -> None:
    for _ in range(3):
        bench.job(ada)
    bench.job(bob)
    assert places(bench, ada) == [1, 3, 4]
    assert places(bench, bob) == [2]
    jobs = {view.job.id: view.job for owner in (ada, bob) for view in list_jobs(bench.brain, owner, limit=9)}
    turns: list[str] = []
    while dispatch_jobs(bench.brain):
        started = [request.job_id for request in bench.unit.requests.values() if request.job_id not in turns]
        turns += started
        for job_id in started:
            bench.succeed(bench.read(jobs[job_id]))
            bench.unit.outbox.deliver_all()
    assert [jobs[job_id].owner_id for job_id in turns] == [ada.id, bob.id, ada.id, ada.id]


def test_why_a_job_waits_is_said_in_words(bench: Bench, ada: Caller, bob: Caller) -> None:
    mine = [bench.job(ada) for _ in range(3)]
    assert get_job(bench.brain, ada, mine[0].id).waiting_reason == "It is about to begin."
    dispatch_jobs(bench.brain)
    assert get_job(bench.brain, ada, mine[0].id).queue_place is None
    third = get_job(bench.brain, ada, mine[2].id)
    assert third.waiting_reason == "2 of its owner's jobs run at this unit, which is the most for one person."
    his = get_job(bench.brain, bob, bench.job(bob).id)
    assert his.queue_place is not None
    assert (his.queue_place.place, his.queue_place.n_waiting) == (1, 2)
    assert his.waiting_reason == "All 2 places of the unit are taken, and no other job has its turn before it."


def test_at_ones_own_unit_nobody_is_before_one(bench: Bench, ada: Caller, bob: Caller) -> None:
    for _ in range(3):
        bench.job(bob)
    bench.own_unit(ada, is_default=True)
    view = get_job(bench.brain, ada, bench.job(ada).id)
    assert view.queue_place is not None
    assert (view.queue_place.place, view.waiting_reason) == (1, "It is about to begin.")
