"""The callback function: the Brain hears each end, signed as it asks; what it does not hear comes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from cloudmr.model.callbacks import AttemptKey
from cloudmr.model.reports import Report, ReportedEvent
from listener import Heard, Listener, listening

PATH = "/Prod/api/job/job_1/callback"
KEY = AttemptKey(job_id="job_1", attempt=2, key_id="0123456789ab", secret="5" * 64)
DIGEST = "7" * 64


@pytest.fixture
def brain() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


def test_a_success_is_told_with_the_digest_of_the_manifest(brain: Listener, callback: ModuleType) -> None:
    callback.handler(_events(_end(brain, "SUCCEEDED", output=json.dumps({"manifest_sha256": DIGEST}))), None)
    report = _verified(brain.next())
    assert report.event is ReportedEvent.SUCCEEDED
    assert (report.job_id, report.attempt, report.sequence) == ("job_1", 2, 2**31 - 1)
    assert report.manifest_sha256 == DIGEST


@pytest.mark.parametrize("output", [None, "", "{}", "[]", "no JSON"])
def test_a_success_without_a_digest_is_told_without(brain: Listener, callback: ModuleType, output: str | None) -> None:
    callback.handler(_events(_end(brain, "SUCCEEDED", output=output)), None)
    assert _verified(brain.next()).manifest_sha256 is None


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_every_other_end_is_told_as_a_failure(brain: Listener, callback: ModuleType, status: str) -> None:
    callback.handler(_events(_end(brain, status, cause="with the secret in it")), None)
    report = _verified(brain.next())
    assert report.event is ReportedEvent.FAILED
    assert report.error is not None
    assert report.error.code == status.lower()


def test_every_record_of_a_batch_is_told(brain: Listener, callback: ModuleType) -> None:
    callback.handler(_events(_end(brain, "FAILED"), _end(brain, "SUCCEEDED")), None)
    assert [_verified(brain.next()).event for _ in range(2)] == [ReportedEvent.FAILED, ReportedEvent.SUCCEEDED]


@pytest.mark.parametrize("status", [401, 408, 425, 429, 500, 503])
def test_what_may_be_heard_later_goes_back_into_the_queue(brain: Listener, callback: ModuleType, status: int) -> None:
    brain.answers[PATH] = (status, b"")
    with pytest.raises(callback.NotHeard):
        callback.handler(_events(_end(brain, "FAILED")), None)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422])
def test_what_the_brain_refuses_for_good_is_given_up(
    brain: Listener, callback: ModuleType, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    brain.answers[PATH] = (status, b"")
    callback.handler(_events(_end(brain, "FAILED")), None)
    assert f"answered {status}; it is not told again" in capsys.readouterr().out


def test_a_brain_that_is_down_is_told_later(callback: ModuleType) -> None:
    with listening() as listener:
        gone = _end(listener, "FAILED")
    with pytest.raises(callback.NotHeard):
        callback.handler(_events(gone), None)


@pytest.mark.parametrize("given", [None, "", "[]", '{"job_id": "job_1"}', '{"comment": "started by hand"}'])
def test_an_execution_that_somebody_started_by_hand_is_told_to_nobody(callback: ModuleType, given: str | None) -> None:
    callback.handler(_events({"status": "FAILED", "executionArn": "by-hand", "input": given}), None)


def test_a_report_goes_over_tls_only(callback: ModuleType, brain: Listener) -> None:
    end = _end(brain, "FAILED")
    end["input"] = end["input"].replace(brain.url, "http://brain.example.org")
    callback.handler(_events(end), None)


def test_nothing_of_the_secret_is_printed(
    brain: Listener, callback: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    for status in (200, 404):
        brain.answers[PATH] = (status, b"")
        callback.handler(_events(_end(brain, "FAILED")), None)
    assert KEY.secret not in "".join(capsys.readouterr())


def _end(brain: Listener, status: str, **more: Any) -> dict[str, Any]:
    job = {
        "job_id": KEY.job_id,
        "attempt": KEY.attempt,
        "key_id": KEY.key_id,
        "secret": KEY.secret,
        "callback_url": brain.url + PATH,
    }
    return {"status": status, "executionArn": "an-execution", "input": json.dumps(job), **more}


def _events(*ends: dict[str, Any]) -> dict[str, Any]:
    return {"Records": [{"body": json.dumps({"detail": end})} for end in ends]}


def _verified(heard: Heard) -> Report:
    """Return the report in a message whose signature the Brain accepts."""
    headers = {name.title().replace("Cloudmr", "CloudMR"): value for name, value in heard.headers.items()}
    KEY.verify(heard.body, headers, now=datetime.now(UTC))
    assert (heard.method, heard.path) == ("POST", PATH)
    return Report.parse(heard.body)
