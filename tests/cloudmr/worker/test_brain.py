from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from cloudmr.compute.base import ExecutionRequest, Resources
from cloudmr.compute.launch import RetryPolicy
from cloudmr.compute.reporting import attempt_key
from cloudmr.model.reports import Report, ReportedEvent
from cloudmr.storage.local_objects import LocalObjects
from cloudmr.worker.brain import Brain
from cloudmr.worker.errors import Unheard
from listener import Listener
from mroptimum.errors import Cancelled
from mroptimum.run import Progress
from small_job import document_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = "/document?attempt=2"


class Waits:
    """Notes how long it should have waited; asked to stop after so many waits."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.waited_s: list[float] = []
        self._stop_after = stop_after

    def __call__(self, seconds: float) -> bool:
        self.waited_s.append(seconds)
        return len(self.waited_s) == self._stop_after


@pytest.fixture
def request_(brain: Listener) -> ExecutionRequest:
    return ExecutionRequest(
        job_id="job_x",
        attempt=2,
        document_url=brain.url + DOCUMENT,
        callback_url=f"{brain.url}/callback",
        progress_url=f"{brain.url}/progress",
        key_id="key",
        secret="secret",
        resources=Resources(memory_bytes=1, cpu_time_s=1, disk_bytes=1, deadline_s=1),
    )


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def seen_by(request: ExecutionRequest, client: httpx.Client, waits: Waits) -> Brain:
    retry = RetryPolicy(first_wait_s=1, longest_wait_s=4, give_up_after_s=10)
    return Brain(request, client, clock=lambda: NOW, wait=waits, retry=retry)


def test_the_document_is_asked_for_with_the_signature_of_nothing(
    brain: Listener, request_: ExecutionRequest, client: httpx.Client, storage: LocalObjects
) -> None:
    document = document_for(storage)
    brain.answers[DOCUMENT] = (200, document.model_dump_json().encode())
    assert seen_by(request_, client, Waits()).fetch_document() == document
    heard = brain.next()
    assert heard.method == "GET"
    attempt_key(request_).verify(b"", heard.headers, now=NOW)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_brain_that_is_not_ready_is_asked_again_for_a_while(
    brain: Listener, request_: ExecutionRequest, client: httpx.Client, status: int
) -> None:
    brain.answers[DOCUMENT] = (status, b"")
    waits = Waits()
    with pytest.raises(Unheard, match=str(status)):
        seen_by(request_, client, waits).fetch_document()
    assert waits.waited_s == [1, 2, 4]


@pytest.mark.parametrize("answer", [(404, b""), (403, b""), (409, b""), (200, b"{}"), (200, b"<html>")])
def test_a_brain_that_refuses_is_not_asked_again(
    brain: Listener, request_: ExecutionRequest, client: httpx.Client, answer: tuple[int, bytes]
) -> None:
    brain.answers[DOCUMENT] = answer
    waits = Waits()
    with pytest.raises(Unheard):
        seen_by(request_, client, waits).fetch_document()
    assert waits.waited_s == []


def test_asked_to_stop_it_does_not_wait_any_longer(
    brain: Listener, request_: ExecutionRequest, client: httpx.Client
) -> None:
    brain.answers[DOCUMENT] = (503, b"")
    waits = Waits(stop_after=2)
    with pytest.raises(Cancelled):
        seen_by(request_, client, waits).fetch_document()
    assert waits.waited_s == [1, 2]


def test_progress_is_signed_and_numbered(brain: Listener, request_: ExecutionRequest, client: httpx.Client) -> None:
    seen = seen_by(request_, client, Waits())
    for done in (3, 4):
        seen.tell_progress(Progress(step="reconstruct", done=done, total=9, message="slice"))
    for sequence, done in ((1, 3), (2, 4)):
        heard = brain.next("/progress")
        attempt_key(request_).verify(heard.body, heard.headers, now=NOW)
        report = Report.parse(heard.body)
        assert (report.event, report.sequence, report.attempt) == (ReportedEvent.PROGRESS, sequence, 2)
        assert report.progress is not None
        assert (report.progress.step, report.progress.done, report.progress.total) == ("reconstruct", done, 9)


def test_endless_words_are_cut(brain: Listener, request_: ExecutionRequest, client: httpx.Client) -> None:
    seen_by(request_, client, Waits()).tell_progress(Progress(step="s" * 999, done=0, total=0, message="m" * 9999))
    report = Report.parse(brain.next("/progress").body)
    assert report.progress is not None
    assert (len(report.progress.step), len(report.progress.message)) == (64, 500)


def test_progress_that_is_not_heard_is_said(brain: Listener, request_: ExecutionRequest, client: httpx.Client) -> None:
    brain.answers["/progress"] = (500, b"")
    with pytest.raises(httpx.HTTPStatusError):
        seen_by(request_, client, Waits()).tell_progress(Progress(step="s", done=0, total=0, message=""))
