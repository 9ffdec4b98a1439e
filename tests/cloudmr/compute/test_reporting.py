from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState, Resources
from cloudmr.compute.launch import RetryPolicy
from cloudmr.compute.outcome import Outcome
from cloudmr.compute.reporting import LAST_SEQUENCE, attempt_key, end_report, tell
from cloudmr.model.callbacks import TIMESTAMP_HEADER
from cloudmr.model.reports import MAX_BODY_BYTES, Report, ReportedEvent
from listener import Listener, listening
from mroptimum.errors import Explanation

REQUEST = ExecutionRequest(
    job_id="job_x",
    attempt=2,
    document_url="",
    callback_url="",
    progress_url="",
    key_id="key",
    secret="secret",
    resources=Resources(memory_bytes=1, cpu_time_s=1, disk_bytes=1, deadline_s=1),
)
RETRY = RetryPolicy(first_wait_s=10, longest_wait_s=40, give_up_after_s=100)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Time:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    def __call__(self) -> datetime:
        return START + timedelta(seconds=sum(self.slept_s))

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)


@pytest.fixture
def time() -> Time:
    return Time()


def told(url: str, time: Time) -> bool:
    return tell(url, b"{}", attempt_key(REQUEST), retry=RETRY, clock=time, sleep=time.sleep)


def test_heard_at_once(brain: Listener, time: Time) -> None:
    assert told(f"{brain.url}/callback", time)
    heard = brain.next()
    attempt_key(REQUEST).verify(heard.body, heard.headers, now=START)
    assert time.slept_s == []


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 401])
def test_told_again_until_it_is_vain(brain: Listener, time: Time, status: int) -> None:
    brain.answers["/callback"] = (status, b"")
    assert not told(f"{brain.url}/callback", time)
    assert time.slept_s == [10, 20, 40]


def test_signed_anew_at_each_try(brain: Listener, time: Time) -> None:
    brain.answers["/callback"] = (503, b"")
    told(f"{brain.url}/callback", time)
    timestamps = [int(brain.next().headers[TIMESTAMP_HEADER]) - int(START.timestamp()) for _ in range(4)]
    assert timestamps == [0, 10, 30, 70]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 413, 422])
def test_a_refusal_is_an_answer(brain: Listener, time: Time, status: int) -> None:
    brain.answers["/callback"] = (status, b"")
    assert not told(f"{brain.url}/callback", time)
    assert time.slept_s == []


def test_nobody_there(time: Time) -> None:
    with listening() as gone:
        url = f"{gone.url}/callback"
    assert not told(url, time)
    assert time.slept_s == [10, 20, 40]


def end(state: ExecutionState, cause: Cause | None = None) -> Execution:
    return Execution(name=REQUEST.name, state=state, cause=cause, detail="It had 2.0 GB.")


def test_the_report_of_a_success_names_the_manifest() -> None:
    report = Report.parse(end_report(REQUEST, end(ExecutionState.SUCCEEDED), Outcome(manifest_sha256="0" * 64)))
    assert (report.job_id, report.attempt, report.event) == ("job_x", 2, ReportedEvent.SUCCEEDED)
    assert (report.sequence, report.manifest_sha256, report.error) == (LAST_SEQUENCE, "0" * 64, None)


def test_the_report_of_a_failure_has_the_workers_own_words() -> None:
    error = Explanation(code="no_noise", message="No noise.", next_step="Give some.")
    body = end_report(REQUEST, end(ExecutionState.FAILED, Cause.TASK_FAILED), Outcome(error=error))
    report = Report.parse(body)
    assert report.event is ReportedEvent.FAILED
    assert report.error is not None
    assert report.error.model_dump() == error


def test_the_report_of_a_death_has_its_cause_in_words() -> None:
    report = Report.parse(end_report(REQUEST, end(ExecutionState.FAILED, Cause.OUT_OF_MEMORY), Outcome()))
    assert report.error is not None
    assert report.error.code == "out_of_memory"
    assert "It had 2.0 GB." in report.error.message
    assert report.error.next_step


def test_no_report_is_too_large() -> None:
    endless = Explanation(code="c" * 10**6, message="ü" * 10**6, next_step="n" * 10**6)
    body = end_report(REQUEST, end(ExecutionState.FAILED, Cause.TASK_FAILED), Outcome(error=endless))
    assert len(body) <= MAX_BODY_BYTES
