from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudmr.cli.following import watch
from cloudmr.cli.views import job_record, job_table, log_lines, progress_text
from cloudmr.client.answers import Job, JobLog
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import BrainUnreachable

JOB: dict[str, Any] = {
    "jobId": "job_1",
    "alias": "AC RSS",
    "status": "queued",
    "attempt": 0,
    "computingUnit": {"computingUnitId": "unit_1", "mode": "mode_1", "alias": "here"},
    "reason": "It is the shared unit.",
    "createdAt": "2026-11-22T12:00:00Z",
}
RUNNING = JOB | {"status": "running", "attempt": 1, "waitingReason": None}
PROGRESS = {"step": "slice", "done": 1, "total": 3, "message": "slice 1 of 3"}
FAILED = RUNNING | {
    "status": "failed",
    "endedAt": "2026-11-22T12:01:00Z",
    "progress": PROGRESS,
    "failure": {"code": "no_noise", "message": "Nothing says what the noise is.", "next_step": "Give a noise scan."},
}


def job(values: dict[str, Any]) -> Job:
    return Job.model_validate(values)


def test_a_job_that_failed_says_why_and_what_to_do() -> None:
    fields = dict(job_record(job(FAILED)).fields)
    assert fields["error"] == "no_noise"
    assert fields["what happened"] == "Nothing says what the noise is."
    assert fields["next"] == "Give a noise scan."
    assert fields["step"] == ""


def test_a_job_that_runs_says_how_far_it_is_and_one_that_waits_why() -> None:
    assert dict(job_record(job(RUNNING | {"progress": PROGRESS})).fields)["step"] == "1 of 3: slice 1 of 3"
    waiting = dict(job_record(job(JOB | {"waitingReason": "Two jobs are before it."})).fields)
    assert waiting["waits because"] == "Two jobs are before it."
    assert waiting["attempt"] == ""


def test_jobs_are_rows() -> None:
    [row] = job_table([job(FAILED)]).rows
    assert row[:4] == ("job_1", "AC RSS", "failed", "here")


@pytest.mark.parametrize(
    ("done", "total", "text"), [(1, 3, "1 of 3: slice"), (3, 3, "slice"), (0, 0, "slice"), (0, 3, "0 of 3: slice")]
)
def test_progress_is_counted_while_there_is_something_to_count(done: int, total: int, text: str) -> None:
    assert progress_text(done, total, "slice") == text


def test_what_happened_and_what_was_said_are_in_the_order_of_time() -> None:
    event = {"number": 1, "actor": "brain", "action": "started", "reason": "It began."}
    log = JobLog.model_validate(
        {
            "jobId": "job_1",
            "attempt": 1,
            "isAvailable": False,
            "lines": [{"at": "2026-11-22T12:00:01Z", "level": "info", "message": "reading the signal"}],
            "events": [
                event | {"at": "2026-11-22T12:00:00Z"},
                event | {"at": "2026-11-22T12:00:02Z", "reason": "It ended."},
            ],
        }
    )
    lines = list(log_lines(log))
    assert [line.rpartition("  ")[2] for line in lines[:3]] == ["It began.", "reading the signal", "It ended."]
    assert "does not show" in lines[3]


def sse(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def test_a_job_is_watched_line_by_line_and_nothing_is_said_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = b"".join(
        (
            sse("state", JOB | {"waitingReason": "Two jobs are before it."}),
            sse("state", RUNNING),
            sse("state", RUNNING),
            sse("progress", PROGRESS),
            sse("progress", PROGRESS),
            sse("progress", PROGRESS | {"done": 3, "message": "writing"}),
            sse("state", FAILED),
            sse("end", {"status": "failed"}),
        )
    )
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=stream))
    with BrainClient("https://brain.example.org", token="cmr_t", folder=tmp_path, transport=transport) as brain:
        ended = watch(brain, "job_1")
    assert ended == job(FAILED)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "queued: Two jobs are before it.",
        "running",
        "1 of 3: slice 1 of 3",
        "writing",
        "failed",
    ]


def test_a_job_that_cannot_be_watched_any_more_is_no_ended_job(tmp_path: Path) -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone", request=request)

    transport = httpx.MockTransport(gone)
    with (
        BrainClient(
            "https://brain.example.org", token="cmr_t", folder=tmp_path, transport=transport, pause=lambda _: None
        ) as brain,
        pytest.raises(BrainUnreachable),
    ):
        watch(brain, "job_1")
