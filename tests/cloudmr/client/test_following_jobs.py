"""The news of a job over a line that is cut, and lists that come in pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudmr.client.answers import Job, JobEvent, Progress
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import BrainUnreachable, Refused, StrangeAnswer

JOB: dict[str, Any] = {
    "jobId": "job_1",
    "alias": "AC RSS",
    "status": "running",
    "attempt": 1,
    "computingUnit": {"computingUnitId": "unit_1", "mode": "mode_1", "alias": "here"},
    "reason": "It is the shared unit.",
    "createdAt": "2026-11-22T12:00:00Z",
}
EVENT = {"at": "2026-11-22T12:00:00Z", "actor": "brain", "action": "started", "reason": "Its unit works at it."}
PROGRESS = {"step": "slice", "done": 1, "total": 3, "message": "slice 1", "at": "2026-11-22T12:00:00Z"}


def sse(name: str, data: object, number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class Line(httpx.SyncByteStream):
    """What comes over the line until it ends, or is cut."""

    def __init__(self, *chunks: bytes, is_cut: bool = False) -> None:
        self._chunks = chunks
        self._is_cut = is_cut

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        if self._is_cut:
            raise httpx.ReadError("cut")


class Brain:
    """Gives one line after another; keeps the requests."""

    def __init__(self, *lines: Line | httpx.Response | type[httpx.TransportError]) -> None:
        self._lines = iter(lines)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        line = next(self._lines)
        if isinstance(line, httpx.Response):
            return line
        if isinstance(line, Line):
            return httpx.Response(200, stream=line, headers={"Content-Type": "text/event-stream"})
        raise line("gone", request=request)


def client_of(brain: Brain, folder: Path) -> BrainClient:
    return BrainClient(
        "https://brain.example.org", token="cmr_t", folder=folder, transport=httpx.MockTransport(brain), pause=_no_pause
    )


def _no_pause(_: float) -> None:
    """Waste no time."""


def test_news_are_values_until_the_end(tmp_path: Path) -> None:
    brain = Brain(
        Line(
            sse("state", JOB),
            b": ping\n\n",
            sse("event", EVENT | {"number": 1}, 1),
            sse("progress", PROGRESS),
            sse("something new", {}),
            sse("end", {"status": "succeeded"}),
        )
    )
    news = list(client_of(brain, tmp_path).follow("job_1"))
    assert [type(told) for told in news] == [Job, JobEvent, Progress]


def test_a_line_that_is_cut_is_taken_up_where_it_was(tmp_path: Path) -> None:
    brain = Brain(
        Line(sse("state", JOB), sse("event", EVENT | {"number": 1}, 1), sse("event", EVENT | {"number": 2}, 2)[:-1]),
        Line(is_cut=True),
        httpx.ConnectError,
        httpx.Response(503, json={"code": "busy", "message": "Busy.", "next_step": "Wait."}),
        httpx.Response(502, text="Bad gateway"),
        Line(sse("event", EVENT | {"number": 2}, 2), sse("end", {})),
    )
    news = list(client_of(brain, tmp_path).follow("job_1"))
    assert [told.number for told in news if isinstance(told, JobEvent)] == [1, 2]
    assert [request.headers.get("Last-Event-ID") for request in brain.requests] == [None, *["1"] * 5]


def test_a_line_that_says_something_each_time_is_never_given_up(tmp_path: Path) -> None:
    brain = Brain(*(Line(sse("state", JOB), is_cut=True) for _ in range(30)), Line(sse("end", {})))
    assert len(list(client_of(brain, tmp_path).follow("job_1"))) == 30


def test_a_line_that_stays_dead_is_given_up(tmp_path: Path) -> None:
    brain = Brain(*[httpx.ConnectError] * 20)
    with pytest.raises(BrainUnreachable):
        list(client_of(brain, tmp_path).follow("job_1"))
    assert len(brain.requests) == 9


def test_a_job_that_is_not_there_is_not_asked_for_again(tmp_path: Path) -> None:
    brain = Brain(httpx.Response(404, json={"code": "not_found", "message": "No.", "next_step": "Check."}))
    with pytest.raises(Refused):
        list(client_of(brain, tmp_path).follow("job_1"))


def test_news_that_mean_nothing_are_no_news_of_a_brain(tmp_path: Path) -> None:
    brain = Brain(Line(sse("state", {"jobId": "job_1"})))
    with pytest.raises(StrangeAnswer):
        list(client_of(brain, tmp_path).follow("job_1"))


def test_all_pages_are_listed(tmp_path: Path) -> None:
    brain = Brain(
        httpx.Response(200, json={"jobs": [JOB, JOB | {"jobId": "job_0"}], "next": "job_0"}),
        httpx.Response(200, json={"jobs": [JOB | {"jobId": "job_00"}], "next": None}),
    )
    jobs = client_of(brain, tmp_path).jobs()
    assert [job.job_id for job in jobs] == ["job_1", "job_0", "job_00"]
    assert [request.url.params.get("before") for request in brain.requests] == [None, "job_0"]


def test_no_more_pages_are_asked_for_than_are_looked_at(tmp_path: Path) -> None:
    brain = Brain(httpx.Response(200, json={"jobs": [JOB], "next": "job_1"}))
    assert next(client_of(brain, tmp_path).jobs()).job_id == "job_1"
    assert len(brain.requests) == 1
