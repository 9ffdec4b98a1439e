from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from bench import Bench
from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.errors import CallbackRefused, Conflict, InvalidRequest, NotFound
from cloudmr.model.callbacks import KEY_ID_HEADER, AttemptKey
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.reports import Report, ReportedEvent, ReportedProgress
from cloudmr.services.attempts import attempt_key
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.hear_unit import hand_out_document, hear_report
from cloudmr.services.settle_job import settle_job


def key_of(bench: Bench, job: Job) -> AttemptKey:
    return attempt_key(bench.brain, job.id, job.attempt)


def signed(bench: Bench, job: Job, body: bytes = b"") -> Mapping[str, str]:
    return key_of(bench, job).sign(body, now=bench.clock.now)


def report(job: Job, event: ReportedEvent, sequence: int = 1, step: str | None = None) -> bytes:
    progress = ReportedProgress(step=step, done=sequence, total=9) if step else None
    return Report(job_id=job.id, attempt=job.attempt, event=event, sequence=sequence, progress=progress).to_bytes()


def tell(bench: Bench, job: Job, body: bytes) -> Job:
    return hear_report(bench.brain, job.id, body, signed(bench, job, body))


def events(bench: Bench, job: Job) -> list[JobAction]:
    with bench.brain.database.read() as transaction:
        return [event.action for event in transaction.jobs.events(job.id)]


def test_the_document_says_all_and_the_job_runs_from_then_on(bench: Bench, ada: Caller) -> None:
    data_file = bench.data_file(ada, b"content", filename="meas.dat")
    job = bench.job(ada, data_file)
    dispatch_jobs(bench.brain)
    job = bench.read(job)
    document = hand_out_document(bench.brain, job.id, 1, signed(bench, job))
    assert document.job_id == job.id
    assert document.attempt == 1
    assert document.results_prefix == f"results/{job.id}/1"
    assert document.failed_prefix == f"failed/{job.id}/1"
    assert document.deadline_at == job.deadline_at
    assert [(file.key, file.size_bytes, file.checksum) for file in document.inputs] == [
        (f"uploads/{data_file.id}", 7, data_file.checksum)
    ]
    assert document.task["name"] == "ac"
    assert document.computing_unit.id == bench.local_unit.id
    assert bench.read(job).state is JobState.RUNNING


def test_the_document_is_the_same_however_often_it_is_fetched(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    first = hand_out_document(bench.brain, job.id, 1, signed(bench, job))
    assert hand_out_document(bench.brain, job.id, 1, signed(bench, job)) == first
    assert events(bench, job).count(JobAction.STARTED) == 1


def test_no_document_without_the_signature_of_that_attempt(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    with pytest.raises(CallbackRefused):
        hand_out_document(bench.brain, job.id, 1, {})
    with pytest.raises(CallbackRefused):
        hand_out_document(bench.brain, job.id, 2, signed(bench, job))
    other = bench.running_job(ada)
    with pytest.raises(CallbackRefused):
        hand_out_document(bench.brain, job.id, 1, signed(bench, other))


def test_an_attempt_that_is_over_gets_no_document(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.KILLED)
    settle_job(bench.brain, job.id)
    dispatch_jobs(bench.brain)
    with pytest.raises(Conflict, match="no longer counts"):
        hand_out_document(bench.brain, job.id, 1, signed(bench, job))
    cancel_job(bench.brain, ada, job.id)
    with pytest.raises(Conflict, match="no longer counts"):
        hand_out_document(bench.brain, job.id, 2, signed(bench, bench.read(job)))


def test_progress_is_the_latest_whatever_order_it_comes_in(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    for sequence in (1, 3, 2, 3):
        tell(bench, job, report(job, ReportedEvent.PROGRESS, sequence, step=f"step {sequence}"))
    heard = bench.read(job)
    assert heard.state is JobState.RUNNING
    assert heard.progress is not None
    assert (heard.progress.sequence, heard.progress.step, heard.progress.total) == (3, "step 3", 9)
    assert events(bench, job) == [JobAction.SUBMITTED, JobAction.DISPATCHED, JobAction.STARTED]


def test_progress_never_ends_a_job_nor_reopens_one(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    tell(bench, job, report(job, ReportedEvent.SUCCEEDED, 9))
    ended = bench.read(job)
    tell(bench, job, report(job, ReportedEvent.PROGRESS, 10, step="again"))
    assert bench.read(job) == ended


def test_a_callback_settles_the_job_and_may_be_repeated(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    body = report(job, ReportedEvent.SUCCEEDED)
    assert {tell(bench, job, body).state for _ in range(3)} == {JobState.SUCCEEDED}
    assert events(bench, job)[-1] is JobAction.ENDED


def test_a_lie_about_the_end_changes_nothing(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    assert tell(bench, job, report(job, ReportedEvent.SUCCEEDED)).state is JobState.RUNNING
    assert tell(bench, job, report(job, ReportedEvent.FAILED)).state is JobState.RUNNING


def test_late_news_that_contradicts_is_written_down_once(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.fail(job, {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."})
    tell(bench, job, report(job, ReportedEvent.FAILED))
    for _ in range(3):
        assert tell(bench, job, report(job, ReportedEvent.SUCCEEDED)).state is JobState.FAILED
        assert tell(bench, job, report(job, ReportedEvent.FAILED)).state is JobState.FAILED
    assert events(bench, job).count(JobAction.LATE_REPORT) == 1


def test_an_attempt_that_was_given_up_is_not_listened_to(bench: Bench, ada: Caller) -> None:
    first = bench.running_job(ada)
    bench.unit.end(first.execution_name, ExecutionState.FAILED, cause=Cause.KILLED)
    settle_job(bench.brain, first.id)
    dispatch_jobs(bench.brain)
    second = bench.read(first)
    assert second.attempt == 2
    assert tell(bench, first, report(first, ReportedEvent.PROGRESS, 7, step="still here")) == second
    tell(bench, first, report(first, ReportedEvent.SUCCEEDED))
    assert events(bench, first)[-1] is JobAction.LATE_REPORT
    heard = bench.read(first)
    assert (heard.state, heard.progress, heard.claimed_at) == (JobState.DISPATCHED, None, None)


def test_a_report_is_of_the_job_it_is_sent_to(bench: Bench, ada: Caller) -> None:
    job, other = bench.running_job(ada), bench.running_job(ada)
    body = report(job, ReportedEvent.SUCCEEDED)
    with pytest.raises(InvalidRequest, match="another job"):
        hear_report(bench.brain, other.id, body, signed(bench, job, body))


def test_a_forged_an_old_and_a_foreign_report_are_refused(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    body = report(job, ReportedEvent.SUCCEEDED)
    headers = dict(signed(bench, job, body))
    with pytest.raises(CallbackRefused):
        hear_report(bench.brain, job.id, body + b" ", headers)
    with pytest.raises(CallbackRefused, match="does not have"):
        hear_report(bench.brain, job.id, body, headers | {KEY_ID_HEADER: "other"})
    bench.clock.advance(minutes=6)
    with pytest.raises(CallbackRefused, match="clock"):
        hear_report(bench.brain, job.id, body, headers)
    assert bench.read(job).state is JobState.DISPATCHED


def test_a_report_of_a_job_that_never_was_is_not_found(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    body = report(job, ReportedEvent.SUCCEEDED).replace(job.id.encode(), b"job_none")
    headers = attempt_key(bench.brain, "job_none", 1).sign(body, now=bench.clock.now)
    with pytest.raises(NotFound):
        hear_report(bench.brain, "job_none", body, headers)


def test_a_worker_with_a_slow_clock_is_still_heard(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.succeed(job)
    body = report(job, ReportedEvent.SUCCEEDED)
    headers = key_of(bench, job).sign(body, now=bench.clock.now - timedelta(minutes=4))
    assert hear_report(bench.brain, job.id, body, headers).state is JobState.SUCCEEDED
