from __future__ import annotations

import pytest

from asgi import TestClient
from bench import Bench
from cloudmr.model.callbacks import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from cloudmr.model.documents import JobDocument
from cloudmr.model.jobs import Job
from cloudmr.model.reports import MAX_BODY_BYTES, Report, ReportedEvent, ReportedProgress
from cloudmr.services.attempts import attempt_key


@pytest.fixture
def job(bench: Bench) -> Job:
    return bench.running_job(bench.person())


def sign(bench: Bench, job: Job, body: bytes = b"") -> dict[str, str]:
    return attempt_key(bench.brain, job.id, job.attempt).sign(body, now=bench.clock.now)


def report(job: Job, event: ReportedEvent, sequence: int = 1) -> bytes:
    progress = ReportedProgress(step="reading") if event is ReportedEvent.PROGRESS else None
    return Report(job_id=job.id, attempt=job.attempt, event=event, sequence=sequence, progress=progress).to_bytes()


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_a_worker_fetches_reports_and_ends(client: TestClient, bench: Bench, job: Job, prefix: str) -> None:
    address = f"{prefix}/api/job/{job.id}"
    fetched = client.get(f"{address}/document?attempt=1", headers=sign(bench, job))
    assert fetched.status_code == 200
    assert JobDocument.parse(fetched.content).results_prefix == f"results/{job.id}/1"
    assert {"job_id", "schema_version", "computing_unit", "deadline_at"} <= fetched.json().keys()
    body = report(job, ReportedEvent.PROGRESS)
    heard = client.post(f"{address}/progress", content=body, headers=sign(bench, job, body))
    assert (heard.status_code, heard.json()) == (200, {"jobId": job.id, "status": "running"})
    bench.succeed(job)
    body = report(job, ReportedEvent.SUCCEEDED, 2)
    for _ in range(2):
        heard = client.post(f"{address}/callback", content=body, headers=sign(bench, job, body))
        assert (heard.status_code, heard.json()["status"]) == (200, "succeeded")
    over = client.get(f"{address}/document?attempt=1", headers=sign(bench, job))
    assert (over.status_code, over.json()["code"]) == (409, "attempt_over")


def test_header_names_are_read_in_any_case(client: TestClient, bench: Bench, job: Job) -> None:
    headers = {name.upper(): value for name, value in sign(bench, job).items()}
    assert client.get(f"/api/job/{job.id}/document?attempt=1", headers=headers).status_code == 200


@pytest.mark.parametrize("missing", [KEY_ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER])
def test_without_a_signature_nothing_is_heard_and_nothing_given(
    client: TestClient, bench: Bench, job: Job, missing: str
) -> None:
    body = report(job, ReportedEvent.SUCCEEDED)
    signed = {name: value for name, value in sign(bench, job, body).items() if name != missing}
    for answer in (
        client.post(f"/api/job/{job.id}/callback", content=body, headers=signed),
        client.post(f"/api/job/{job.id}/progress", content=body, headers=signed),
        client.get(f"/api/job/{job.id}/document?attempt=1", headers=signed),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "callback_refused")


def test_a_person_cannot_speak_for_a_unit(client: TestClient, bench: Bench, job: Job) -> None:
    headers = {"Authorization": "Bearer cmr_x"}
    assert client.get(f"/api/job/{job.id}/document?attempt=1", headers=headers).status_code == 401


def test_a_clock_that_is_wrong_is_told_so(client: TestClient, bench: Bench, job: Job) -> None:
    headers = sign(bench, job)
    bench.clock.advance(hours=1)
    refused = client.get(f"/api/job/{job.id}/document?attempt=1", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "callback_out_of_time")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"schema": 1}', b"\xff\xfe"])
def test_what_is_no_report(client: TestClient, bench: Bench, job: Job, body: bytes) -> None:
    refused = client.post(f"/api/job/{job.id}/callback", content=body, headers=sign(bench, job, body))
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")


def test_a_report_has_a_size(client: TestClient, bench: Bench, job: Job) -> None:
    body = report(job, ReportedEvent.SUCCEEDED) + b" " * MAX_BODY_BYTES
    refused = client.post(f"/api/job/{job.id}/callback", content=body, headers=sign(bench, job, body))
    assert refused.status_code == 400
    assert "at most" in refused.json()["message"]
