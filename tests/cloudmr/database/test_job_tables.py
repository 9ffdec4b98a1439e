from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from bench import NOON, Bench
from cloudmr.database.errors import AlreadyThere
from cloudmr.database.tables import job_events, jobs
from cloudmr.model.events import BRAIN, JobAction, JobEvent
from cloudmr.model.failures import JobFailure
from cloudmr.model.jobs import TRANSITIONS, Job, JobResult, JobState, Progress


@pytest.fixture
def job(bench: Bench) -> Job:
    return bench.job(bench.person())


def event_of(after: Job, before: Job | None = None) -> JobEvent:
    return JobEvent(
        job_id=after.id,
        number=after.version,
        at=NOON,
        actor=BRAIN,
        action=JobAction.DISPATCHED,
        reason="Its turn has come.",
        old=before.state if before else None,
        new=after.state if before else None,
    )


STEPS = [(old, new) for old, following in TRANSITIONS.items() for new in following]


def test_the_database_takes_the_steps_of_the_table_and_no_others(bench: Bench, job: Job) -> None:
    taken = set()
    with bench.brain.database.connect_to_write() as connection:
        for number, (old, new) in enumerate(itertools.product([None, *JobState], repeat=2), start=100):
            row = insert(job_events).values(
                job_id=job.id, number=number, at=NOON, actor=BRAIN, action=JobAction.ENDED, reason="", old=old, new=new
            )
            with contextlib.suppress(IntegrityError), connection.begin_nested():
                connection.execute(row)
                taken.add((old, new))
    assert taken == {*STEPS, (None, None), (None, JobState.QUEUED)}


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": JobState.CANCELLED}, "ck_jobs_ended"),
        ({"ended_at": NOON}, "ck_jobs_ended"),
        ({"state": JobState.SUCCEEDED, "ended_at": NOON}, "ck_jobs_result"),
        ({"result_manifest_sha256": "0"}, "ck_jobs_result"),
        ({"state": JobState.FAILED, "ended_at": NOON}, "ck_jobs_failure"),
        ({"failure_code": "c"}, "ck_jobs_failure"),
    ],
)
def test_the_database_refuses_impossible_jobs(
    bench: Bench, job: Job, values: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), bench.brain.database.connect_to_write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values))


def test_a_state_is_a_word_of_the_list(bench: Bench, job: Job) -> None:
    with pytest.raises(IntegrityError, match="ck_jobs_state"), bench.brain.database.connect_to_write() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET state = 'exploded' WHERE id = '{job.id}'")


def test_a_job_comes_back_as_it_was(bench: Bench, job: Job) -> None:
    assert bench.read(job) == job
    running = replace(
        job,
        state=JobState.FAILED,
        version=2,
        attempt=1,
        dispatched_at=NOON,
        started_at=NOON,
        ended_at=NOON,
        cancel_requested_at=NOON,
        claimed_at=NOON,
        waiting_reason="w",
        progress=Progress(sequence=0, step="", done=0, total=0, message="", at=NOON),
        failure=JobFailure(code="c", message="", next_step=""),
    )
    with bench.brain.database.write() as transaction:
        assert transaction.jobs.apply(job, running, event_of(running, job))
    assert bench.read(job) == running


def test_a_result_comes_back_as_it_was(bench: Bench, job: Job) -> None:
    result = JobResult(size_bytes=10**12, n_files=0, manifest_sha256="0" * 64)
    dispatched = job.becomes(JobState.DISPATCHED)
    ended = dispatched.becomes(JobState.SUCCEEDED, ended_at=NOON, result=result)
    with bench.brain.database.write() as transaction:
        transaction.jobs.apply(job, dispatched, event_of(dispatched, job))
        transaction.jobs.apply(dispatched, ended, event_of(ended, dispatched))
    assert bench.read(job).result == result


def test_a_change_of_what_a_job_no_longer_is_is_not_written(bench: Bench, job: Job) -> None:
    first, second = job.evolve(alias="first"), job.evolve(alias="second")
    with bench.brain.database.write() as transaction:
        assert transaction.jobs.apply(job, first, event_of(first))
        assert not transaction.jobs.apply(job, second, event_of(second))
        assert not transaction.jobs.note(job, check_at=NOON, waiting_reason="late", claimed_at=None)
        assert len(transaction.jobs.events(job.id)) == 2
    assert bench.read(job) == first


def test_a_change_is_the_next_version_and_its_event_has_that_number(bench: Bench, job: Job) -> None:
    after = job.evolve()
    with bench.brain.database.write() as transaction:
        with pytest.raises(ValueError, match="next version"):
            transaction.jobs.apply(job, replace(after, version=3), event_of(after))
        with pytest.raises(ValueError, match="next version"):
            transaction.jobs.apply(job, after, replace(event_of(after), number=1))


def test_a_change_does_not_undo_progress_that_was_made_meanwhile(bench: Bench, job: Job) -> None:
    dispatched = job.becomes(JobState.DISPATCHED, attempt=1)
    running = dispatched.becomes(JobState.RUNNING)
    progress = Progress(sequence=5, step="s", done=1, total=2, message="m", at=NOON)
    with bench.brain.database.write() as transaction:
        transaction.jobs.apply(job, dispatched, event_of(dispatched, job))
        transaction.jobs.apply(dispatched, running, event_of(running, dispatched))
        assert transaction.jobs.record_progress(running, progress)
        renamed = running.evolve(alias="renamed")
        assert transaction.jobs.apply(running, renamed, event_of(renamed))
    assert bench.read(job) == replace(renamed, progress=progress)


def test_progress_counts_for_the_attempt_that_runs_only(bench: Bench, job: Job) -> None:
    progress = Progress(sequence=5, step="s", done=1, total=2, message="m", at=NOON)
    with bench.brain.database.write() as transaction:
        assert not transaction.jobs.record_progress(job, progress)
        assert not transaction.jobs.record_progress(replace(job, attempt=1), progress)
    assert bench.read(job).progress is None


def test_an_idempotency_key_is_used_once_a_person(bench: Bench) -> None:
    ada, bob = bench.person(), bench.person()
    job = bench.job(ada, idempotency_key="k")
    bench.job(bob, idempotency_key="k")
    again = replace(job, id="job_other")
    with pytest.raises(AlreadyThere), bench.brain.database.write() as transaction:
        transaction.jobs.add(again, event_of(again))


def test_what_is_due_is_claimed_once(bench: Bench, job: Job) -> None:
    with bench.brain.database.write() as transaction:
        assert transaction.jobs.make_all_due(now=NOON) == 1
        assert transaction.jobs.claim_due(now=NOON, until=bench.clock.now, limit=10) == [job.id]
    later = bench.clock.now
    bench.clock.advance(minutes=1)
    with bench.brain.database.write() as transaction:
        assert transaction.jobs.claim_due(now=later, until=bench.clock.now, limit=10) == [job.id]
        assert transaction.jobs.claim_due(now=later, until=bench.clock.now, limit=10) == []


def test_no_more_is_claimed_than_asked_for_and_the_longest_due_first(bench: Bench) -> None:
    ada = bench.person()
    found = [bench.job(ada) for _ in range(3)]
    with bench.brain.database.connect_to_write() as connection:
        for minutes, each in enumerate(found):
            at = NOON.replace(minute=10 - minutes)
            connection.execute(update(jobs).where(jobs.c.id == each.id).values(check_at=at))
    with bench.brain.database.write() as transaction:
        claimed = transaction.jobs.claim_due(now=NOON.replace(hour=13), until=NOON.replace(hour=14), limit=2)
    assert set(claimed) == {found[2].id, found[1].id}


def test_a_job_is_of_somebody(bench: Bench, job: Job) -> None:
    with (
        pytest.raises(IntegrityError, match=r"(?i)foreign key"),
        bench.brain.database.connect_to_write() as connection,
    ):
        connection.execute(update(jobs).values(owner_id="user_nobody"))
