from __future__ import annotations

from typing import Any

import pytest

from asgi import TestClient
from bench import Bench, task_of
from cloudmr.model.people import Caller
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.settle_job import settle_job

FIELDS = {
    "jobId",
    "alias",
    "appName",
    "status",
    "version",
    "attempt",
    "computingUnit",
    "reason",
    "waitingReason",
    "queuePlace",
    "kind",
    "platform",
    "estimate",
    "forecast",
    "actual",
    "rerunOf",
    "isOwn",
    "dataIds",
    "createdAt",
    "deadlineAt",
    "dispatchedAt",
    "startedAt",
    "endedAt",
    "cancelRequestedAt",
    "expiresAt",
    "expiresBy",
    "restorableUntil",
    "deletedAt",
    "progress",
    "failure",
    "result",
}


@pytest.fixture
def order(ada: tuple[TestClient, Caller], bench: Bench) -> dict[str, Any]:
    return {"task": task_of(bench.data_file(ada[1])), "alias": "knee"}


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_a_job_from_order_to_result(
    ada: tuple[TestClient, Caller], bench: Bench, order: dict[str, Any], prefix: str
) -> None:
    client, _ = ada
    submitted = client.post(f"{prefix}/api/job", json=order)
    assert submitted.status_code == 201
    job = submitted.json()
    assert job.keys() == FIELDS | {"price"}
    assert (job["status"], job["alias"], job["reason"]) == ("queued", "knee", "The data are there.")
    assert job["computingUnit"] == {
        "computingUnitId": bench.local_unit.id,
        "mode": "mode_1",
        "provider": "cloudmrhub",
        "alias": bench.local_unit.alias,
    }
    assert job["estimate"].keys() == {"memoryBytes", "cpuTimeS", "diskBytes", "deadlineS", "basis"}

    address = f"{prefix}/api/job/{job['jobId']}"
    too_early = client.get(f"{address}/result")
    assert (too_early.status_code, too_early.json()["code"]) == (409, "job_not_ended")
    dispatch_jobs(bench.brain)
    name = f"{job['jobId']}-1"
    bench.unit.progress(name, step="reconstruct", sequence=1, done=1, total=3)
    bench.unit.outbox.deliver()
    running = client.get(address).json()
    assert running.keys() == FIELDS | {"task", "output"}
    assert running["status"] == "running"
    assert running["progress"] == {
        "step": "reconstruct",
        "done": 1,
        "total": 3,
        "message": "",
        "at": running["startedAt"],
    }
    assert running["task"]["name"] == "ac"

    with bench.brain.database.read() as transaction:
        stored = transaction.jobs.get(job["jobId"])
    assert stored is not None
    bench.succeed(stored)
    bench.unit.outbox.deliver()
    ended = client.get(address).json()
    assert (ended["status"], ended["failure"], ended["result"]["nFiles"]) == ("succeeded", None, 3)

    result = client.get(f"{address}/result").json()
    assert result.keys() == {"jobId", "status", "attempt", "manifestSha256", "package", "files"}
    assert result["manifestSha256"] == ended["result"]["manifestSha256"]
    assert [file["name"] for file in result["files"]] == ["info.json", "manifest.json"]
    assert result["package"].keys() == {"name", "sizeBytes", "method", "url", "headers"}
    assert client.get(result["package"]["url"]).content == b"PK"

    log = client.get(f"{address}/log").json()
    assert log.keys() == {"jobId", "attempt", "isAvailable", "lines", "events"}
    assert [line["message"] for line in log["lines"]] == ["reconstruct"]
    assert log["lines"][0].keys() == {"at", "level", "message"}
    assert [event["action"] for event in log["events"]] == ["submitted", "dispatched", "started", "ended"]


def test_a_failure_is_told_in_the_three_fields(
    ada: tuple[TestClient, Caller], bench: Bench, order: dict[str, Any]
) -> None:
    client, caller = ada
    job = bench.running_job(caller)
    bench.fail(job, {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."})
    settle_job(bench.brain, job.id)
    answer = client.get(f"/api/job/{job.id}").json()
    assert answer["status"] == "failed"
    assert answer["failure"] == {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."}
    assert [file["name"] for file in client.get(f"/api/job/{job.id}/result").json()["files"]] == [
        "error.json",
        "manifest.json",
    ]


def test_a_double_click_is_one_job(ada: tuple[TestClient, Caller], order: dict[str, Any]) -> None:
    client, _ = ada
    key = {"Idempotency-Key": "click"}
    first, second = (client.post("/api/job", json=order, headers=key) for _ in range(2))
    assert first.json() == second.json()
    assert len(client.get("/api/job").json()["jobs"]) == 1
    other = client.post("/api/job", json=order | {"alias": "hip"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_the_list_in_pages_and_by_state(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    jobs = [bench.job(caller) for _ in range(3)]
    client.post(f"/api/job/{jobs[0].id}/cancel")

    def ids(query: str) -> list[str]:
        answer = client.get(f"/api/job?{query}").json()
        assert answer.keys() == {"jobs", "next"}
        return [job["jobId"] for job in answer["jobs"]]

    assert ids("state=cancelled") == [jobs[0].id]
    assert ids("state=queued&state=cancelled") == [job.id for job in reversed(jobs)]
    page = client.get("/api/job?limit=2").json()
    assert page["next"] == jobs[1].id
    assert ids(f"limit=2&before={page['next']}") == [jobs[0].id]
    assert client.get("/api/job?state=exploded").status_code == 422
    assert client.get("/api/job?limit=0").status_code == 422


def test_a_cancel(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    job = bench.running_job(caller)
    answer = client.post(f"/api/job/{job.id}/cancel")
    assert answer.status_code == 200
    assert answer.json()["cancelRequestedAt"] is not None
    bench.unit.outbox.deliver()
    assert client.get(f"/api/job/{job.id}").json()["status"] == "cancelled"
    assert client.post(f"/api/job/{job.id}/cancel").status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"task": {}}, 422, "invalid_task"),
        ({"task": []}, 422, "invalid_request"),
        ({"mode": "mode_2"}, 409, "data_in_other_unit"),
        ({"computingUnitId": "unit_none"}, 404, "not_found"),
        ({"computing_unit_id": "unit_none"}, 404, "not_found"),
        ({"appName": "Another"}, 400, "invalid_request"),
        ({"app_name": "Another"}, 400, "invalid_request"),
        ({"output": {"colour": True}}, 422, "invalid_task"),
        ({"alias": "x" * 256}, 422, "invalid_request"),
    ],
)
def test_what_is_refused(
    ada: tuple[TestClient, Caller],
    bench: Bench,
    order: dict[str, Any],
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    client, caller = ada
    bench.own_unit(caller)
    refused = client.post("/api/job", json=order | change)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert client.get("/api/job").json()["jobs"] == []
