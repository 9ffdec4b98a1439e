from __future__ import annotations

from dataclasses import replace

import pytest

from bench import Bench
from cloudmr.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from cloudmr.model.events import JobAction
from cloudmr.model.findings import Check, Outcome
from cloudmr.model.jobs import JobState
from cloudmr.model.people import Caller
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.list_units import list_units
from cloudmr.services.reconcile_jobs import reconcile_jobs
from cloudmr.services.remove_unit import remove_unit
from cloudmr.services.units import choose_default, get_unit, rename_unit, unit_permissions, unit_report


def defaults(bench: Bench, caller: Caller) -> list[str]:
    return [unit.id for unit in list_units(bench.brain, caller, app_name=None) if unit.is_default]


def test_a_unit_is_named_by_its_owner(bench: Bench, ada: Caller, bob: Caller) -> None:
    unit = bench.own_unit(ada)
    assert rename_unit(bench.brain, ada, unit.id, alias="  the \x1b[31mnew\n one ").alias == "the [31mnew one"
    with pytest.raises(NotFound):
        rename_unit(bench.brain, bob, unit.id, alias="mine now")
    with pytest.raises(InvalidRequest):
        rename_unit(bench.brain, ada, unit.id, alias=" \n ")
    with pytest.raises(NotAllowed):
        rename_unit(bench.brain, ada, bench.local_unit.id, alias="mine now")
    assert rename_unit(bench.brain, replace(ada, is_admin=True), bench.local_unit.id, alias="here").alias == "here"


def test_one_default_at_a_time(bench: Bench, ada: Caller, bob: Caller) -> None:
    first, second, theirs = bench.own_unit(ada), bench.own_unit(ada), bench.own_unit(bob, is_default=True)
    assert choose_default(bench.brain, ada, first.id).is_default
    assert choose_default(bench.brain, ada, second.id).is_default
    assert defaults(bench, ada) == [second.id]
    assert not choose_default(bench.brain, ada, bench.local_unit.id).is_default
    assert defaults(bench, ada) == []
    assert defaults(bench, bob) == [theirs.id]
    with pytest.raises(NotFound):
        choose_default(bench.brain, ada, theirs.id)


def test_a_unit_that_is_gone_becomes_nobodys_default(bench: Bench, ada: Caller) -> None:
    gone = bench.own_unit(ada, status=UnitStatus.GONE)
    with pytest.raises(Conflict) as refused:
        choose_default(bench.brain, ada, gone.id)
    assert refused.value.instance_code == "unit_gone"


def test_what_may_be_done_there_is_for_its_owner_to_see(bench: Bench, ada: Caller, bob: Caller) -> None:
    unit = bench.own_unit(ada)
    _, permissions = unit_permissions(bench.brain, ada, unit.id)
    assert {permission.action for permission in permissions} == {"run", "read", "delete"}
    for ask in (unit_permissions, unit_report):
        with pytest.raises(NotFound):
            ask(bench.brain, bob, unit.id)
        with pytest.raises(NotAllowed):
            ask(bench.brain, bob, bench.local_unit.id)


def test_a_removed_unit_is_there_no_longer(bench: Bench, ada: Caller) -> None:
    unit = bench.own_unit(ada, is_default=True)
    remove_unit(bench.brain, ada, unit.id)
    assert unit.id not in [each.id for each in list_units(bench.brain, ada, app_name=None)]
    with pytest.raises(NotFound):
        get_unit(bench.brain, ada, unit.id)
    with pytest.raises(NotFound):
        remove_unit(bench.brain, ada, unit.id)
    assert bench.job(ada).unit_id == bench.local_unit.id


def test_what_is_not_ones_own_is_not_removed(bench: Bench, ada: Caller, bob: Caller) -> None:
    with pytest.raises(NotFound):
        remove_unit(bench.brain, bob, bench.own_unit(ada).id)
    with pytest.raises(NotAllowed):
        remove_unit(bench.brain, bob, bench.local_unit.id)
    with pytest.raises(Conflict) as refused:
        remove_unit(bench.brain, replace(bob, is_admin=True), bench.local_unit.id)
    assert refused.value.instance_code == "unit_built_in"


def test_jobs_in_flight_keep_a_unit_unless_they_are_to_end_with_it(bench: Bench, ada: Caller) -> None:
    unit = bench.own_unit(ada, is_default=True)
    running = bench.running_job(ada)
    waiting = bench.job(ada)
    with pytest.raises(Conflict, match="have not ended: 2") as refused:
        remove_unit(bench.brain, ada, unit.id)
    assert refused.value.instance_code == "unit_in_use"
    assert get_unit(bench.brain, ada, unit.id) == unit

    remove_unit(bench.brain, ada, unit.id, cancels_jobs=True)
    for _ in range(2):
        bench.clock.advance(seconds=10)
        reconcile_jobs(bench.brain)
    assert bench.read(waiting).state is JobState.CANCELLED
    assert bench.read(running).state is JobState.CANCELLED
    assert bench.unit.stops == [running.execution_name]
    with bench.brain.database.read() as transaction:
        reasons = {event.action: event.reason for event in transaction.jobs.events(running.id)}
    assert reasons[JobAction.CANCEL_REQUESTED] == "Its computing unit was removed."


def test_jobs_of_a_unit_whose_stack_is_gone_end_all_the_same(bench: Bench, ada: Caller) -> None:
    unit = bench.own_unit(ada, is_default=True)
    running = bench.running_job(ada)
    bench.unit.is_reachable = False
    bench.probe.trouble[Check.REACHABLE] = Outcome.GONE
    remove_unit(bench.brain, ada, unit.id, cancels_jobs=True)
    reconcile_jobs(bench.brain)
    assert not bench.read(running).has_ended
    bench.clock.advance(hours=1, seconds=30)
    reconcile_jobs(bench.brain)
    assert bench.read(running).state is JobState.CANCELLED


def test_a_job_that_was_queued_when_its_unit_was_removed_is_never_started(bench: Bench, ada: Caller) -> None:
    unit: ComputingUnit = bench.own_unit(ada, is_default=True)
    bench.job(ada)
    remove_unit(bench.brain, ada, unit.id, cancels_jobs=True)
    assert dispatch_jobs(bench.brain) == 0
    assert bench.unit.starts == []
