"""Looking at somebody's job, by their leave, over HTTP: by a link without signing in, or as the person they named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from asgi import TestClient
from bench import BRAIN_URL, Bench
from cloudmr.model.people import Caller
from cloudmr.services.get_profile import get_profile
from cloudmr.services.settle_job import settle_job

Person = tuple[TestClient, Caller]


@pytest.fixture
def job_id(bench: Bench, ada: Person) -> str:
    job = bench.running_job(ada[1])
    bench.succeed(job)
    return settle_job(bench.brain, job.id).id


def test_a_link_shows_the_job_to_anybody_and_nothing_else(
    bench: Bench, ada: Person, client: TestClient, job_id: str
) -> None:
    made = ada[0].post(f"/api/job/{job_id}/shares", json={"days": 3})
    assert made.status_code == 201
    link = made.json()["link"]
    assert link.startswith(f"{bench.brain.public_url}/shared/cmrshare_")
    path = f"/api{link.removeprefix(bench.brain.public_url)}"
    job = client.get(path).json()
    assert (job["jobId"], job["isOwn"], job["dataIds"]) == (job_id, False, [])
    assert "meas.dat" not in str(job)
    assert "uploads/" not in str(job)
    assert [event["action"] for event in client.get(f"{path}/events").json()["events"]][-1] == "ended"
    assert client.get(f"/Prod{path}/log").json()["isAvailable"]
    assert client.get(f"{path}/regions").json() == {"regions": []}
    result = client.get(f"{path}/result").json()
    got = client.get(result["package"]["url"].removeprefix(BRAIN_URL))
    assert (got.status_code, got.content) == (200, b"PK")
    for method in ("POST", "PATCH", "DELETE"):
        assert client.request(method, path).status_code == 405
    assert ada[0].delete(f"/api/job/{job_id}/shares").status_code == 204
    assert client.get(path).status_code == client.get(f"{path}/result").status_code == 404


def test_a_link_is_shown_once_and_its_secret_kept_nowhere(bench: Bench, ada: Person, job_id: str) -> None:
    link = ada[0].post(f"/api/job/{job_id}/shares", json={}).json()["link"]
    secret = link.rpartition("/")[2]
    assert secret not in ada[0].get(f"/api/job/{job_id}/shares").text
    assert secret not in ada[0].get(f"/api/job/{job_id}/log").text


def test_the_named_person_follows_the_job_as_their_own(
    bench: Bench, ada: Person, sign_in: Callable[[], Person], job_id: str
) -> None:
    bob = sign_in()
    email = get_profile(bench.brain, bob[1]).email
    made = ada[0].post(f"/api/job/{job_id}/shares", json={"email": email}).json()
    assert (made["email"], made["link"]) == (email, None)
    for part in ("", "/events", "/log", "/result"):
        assert bob[0].get(f"/api/job/{job_id}{part}").status_code == 200
    [shared] = bob[0].get("/api/job/shared").json()["jobs"]
    assert (shared["job"]["jobId"], shared["sharedBy"]) == (job_id, get_profile(bench.brain, ada[1]).email)
    assert ada[0].delete(f"/api/job/{job_id}/shares/{made['shareId']}").status_code == 204
    assert bob[0].get(f"/api/job/{job_id}").status_code == 404


def test_lists_are_filtered_and_exported(bench: Bench, ada: Person, job_id: str) -> None:
    client, caller = ada
    other = bench.job(caller, alias="50 % of\n100_")
    assert [job["jobId"] for job in client.get("/api/job", params={"text": "50 %"}).json()["jobs"]] == [other.id]
    assert client.get("/api/job", params={"text": "5_ %"}).json()["jobs"] == []
    later = {"created_from": bench.clock.now.isoformat()}
    assert [job["jobId"] for job in client.get("/api/job", params=later).json()["jobs"]] == [other.id]
    earlier = {"created_to": bench.clock.now.isoformat(), "computing_unit_id": bench.local_unit.id}
    assert [job["jobId"] for job in client.get("/api/job", params=earlier).json()["jobs"]] == [job_id]
    assert client.get("/api/job", params={"created_from": "2026-11-22T12:00:00"}).status_code == 422

    table = client.get("/api/job/export")
    assert table.headers["content-disposition"] == 'attachment; filename="jobs.csv"'
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["jobId"], row["status"]) for row in rows] == [(other.id, "queued"), (job_id, "succeeded")]
    exported = client.get("/api/job/export", params={"format": "json", "state": "succeeded"}).json()
    assert [row["jobId"] for row in exported] == [job_id]
    assert client.get("/api/job/export", params={"format": "json", "text": "none"}).json() == []
    files = client.get("/api/data/export", params={"format": "json"}).json()
    assert {file["filename"] for file in files} == {"meas.dat"}


def test_a_refusal_names_the_limit_its_reset_and_the_way_out(bench: Bench, ada: Person) -> None:
    for _ in range(20):
        bench.job(ada[1])
    refused = ada[0].post("/api/job", json={"task": {}})
    assert refused.status_code == 422
    quota = ada[0].get("/api/quota").json()
    assert (quota["queued"], quota["jobs_this_month"]) == ({"used": 20, "limit": 20}, {"used": 20, "limit": 100})
    assert quota["month_ends_at"] == "2026-12-01T00:00:00Z"
