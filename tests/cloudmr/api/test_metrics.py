from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from asgi import TestClient
from bench import BRAIN_URL, Bench
from cloudmr.api.app import build_app
from cloudmr.model.people import Caller
from cloudmr.model.units import UnitStatus
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.settle_job import settle_job

TOKEN = "0123456789abcdef0123456789abcdef"


def here(bench: Bench, host: str = "127.0.0.1", token: str | None = None) -> TestClient:
    app = build_app(bench.brain, local_storage=bench.storage, metrics_token=token)
    return TestClient(app, base_url=BRAIN_URL, client=(host, 50_000))


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_of_a_brain(bench: Bench) -> None:
    ada = bench.person()
    bench.own_unit(ada, status=UnitStatus.UNWELL)
    done = bench.running_job(ada)
    bench.succeed(done)
    settle_job(bench.brain, done.id)
    waiting = bench.job(ada)
    bench.clock.advance(seconds=90)
    with here(bench) as client:
        client.post(f"/api/job/{waiting.id}/callback", content=b'{"schema":1,"job_id":"x","attempt":1}')
        client.post(
            f"/api/job/{waiting.id}/callback",
            json={"schema": 1, "job_id": waiting.id, "attempt": 1, "event": "succeeded", "sequence": 1},
        )
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
    found = samples(answer.text)
    assert found["cloudmr_jobs", "queued"] == 1
    assert found["cloudmr_jobs", "running"] == 0
    assert found["cloudmr_queue_age_seconds",] == 90
    assert found["cloudmr_jobs_ended_total", "succeeded"] == 1
    assert found["cloudmr_job_wait_seconds_count",] == 1
    assert found["cloudmr_units", "mode_1", "ready"] == 1
    assert found["cloudmr_units", "mode_2", "unwell"] == 1
    assert found["cloudmr_callbacks_refused_total", "callback_refused"] == 1
    assert found["cloudmr_uploads_completed_total",] == 2
    assert found["cloudmr_upload_bytes_total",] == 2 * len(b"raw data")
    assert found["cloudmr_uploads_under_way",] == 0
    assert found["cloudmr_outbox_messages",] >= 0
    assert found["cloudmr_http_request_seconds_count", "POST", "/api/job/{job_id}/callback", "401"] == 1


def test_waiting_is_counted_once_for_each_job(bench: Bench) -> None:
    ada = bench.person()
    bench.job(ada)
    bench.clock.advance(seconds=5)
    dispatch_jobs(bench.brain)
    found = samples(bench.brain.metrics.exposition().decode())
    assert (found["cloudmr_job_wait_seconds_count",], found["cloudmr_job_wait_seconds_sum",]) == (1, 5)


def test_counts_are_of_one_process_and_not_of_all(bench: Bench) -> None:
    bench.brain.metrics.job_ended("failed")
    bench.restart()
    assert "cloudmr_jobs_ended_total{" not in bench.brain.metrics.exposition().decode()


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 403),
        ("unix", {}, 403),
    ],
)
def test_without_a_token_they_are_for_this_machine(
    bench: Bench, host: str, headers: dict[str, str], status: int
) -> None:
    with here(bench, host) as client:
        assert client.get("/metrics", headers=headers).status_code == status
        assert client.get("/Prod/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("shown", "status"), [(None, 403), ("", 403), ("x" * 32, 403), (TOKEN[:-1], 403), (TOKEN, 200)]
)
def test_with_a_token_they_are_for_whoever_shows_it(bench: Bench, shown: str | None, status: int) -> None:
    headers = {} if shown is None else {"Authorization": f"Bearer {shown}"}
    for host in ("127.0.0.1", "192.0.2.7"):
        with here(bench, host, TOKEN) as client:
            assert client.get("/metrics", headers=headers).status_code == status


def test_a_persons_token_does_not_read_them(ada: tuple[TestClient, Caller]) -> None:
    assert ada[0].get("/metrics").json()["code"] == "operator_needed"
