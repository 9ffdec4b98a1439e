"""The routes of existing clients, one by one: who is let in, what they accept, and what they never give away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.routing import APIRoute

from applications import application
from asgi import TestClient
from bench import BRAIN_URL, Bench, task_of
from cloudmr.api.compatibility import router
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.services.settle_job import settle_job
from cloudmr.storage.base import Bucket

INFO = {
    "headers": {"options": {"task": {}}, "log": []},
    "data": [
        {"filename": "data/snr.nii.gz", "name": "SNR", "id": 0, "dim": 3, "type": "output"},
        {"filename": "../../secret-key", "name": "not in the package", "id": 1},
        {"filename": ["odd"], "name": "odd"},
        "odd",
    ],
    "info": {"slices": 1},
}


def succeeded(bench: Bench, caller: Caller, info: bytes = json.dumps(INFO).encode()) -> Job:
    job = bench.running_job(caller)
    bench.leave_results(job, info=info)
    source = bench.folder / "map"
    source.write_bytes(b"a map")
    bench.storage.put(Bucket.RESULTS, f"results/{job.id}/{job.attempt}/data/snr.nii.gz", source)
    bench.unit.end(job.execution_name)
    return settle_job(bench.brain, job.id)


ROUTES = sorted(
    (method, route.path) for route in router.routes if isinstance(route, APIRoute) for method in route.methods or ()
)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_is_let_in_without_a_token(client: TestClient, method: str, path: str) -> None:
    for prefix in ("", "/Prod"):
        answer = client.request(method, f"{prefix}{path}", json={})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_each_is_one_that_clients_use_and_none_is_taken_for_an_id(bench: Bench) -> None:
    paths = [route.path for route in application(bench).router.routes if isinstance(route, APIRoute)]
    for _, path in ROUTES:
        fixed = [known for known in paths if known.startswith(("/api/data/{", "/api/computing-unit/{"))]
        assert all(paths.index(path) < paths.index(other) for other in fixed)
    assert {path for _, path in ROUTES} == {
        "/api/profile",
        "/api/data/read",
        "/api/data/create",
        "/api/data/update",
        "/api/data/delete/{data_id}",
        "/api/upload_initiate",
        "/api/upload_finalize",
        "/api/pipeline/request",
        "/api/pipeline/queue_job",
        "/api/pipeline/list",
        "/api/pipeline/count_calculations",
        "/api/pipeline/status/{pipeline}",
        "/api/pipeline/update",
        "/api/pipeline/delete",
        "/api/pipeline/delete/{pipeline}",
        "/api/pipeline/{pipeline}",
        "/api/unzip",
        "/api/roi/list",
        "/api/roi/upload",
        "/api/roi/delete",
        "/api/roi/delete/{region_id}",
        "/api/cloudapp/list",
        "/api/cloudapp/create",
        "/api/computing-unit/delete",
    }


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (JobState.QUEUED, "pending"),
        (JobState.RUNNING, "pending"),
        (JobState.SUCCEEDED, "completed"),
        (JobState.CANCELLED, "failed"),
    ],
)
def test_three_words_for_seven_states(
    ada: tuple[TestClient, Caller], bench: Bench, state: JobState, status: str
) -> None:
    client, caller = ada
    job = {
        JobState.QUEUED: lambda: bench.job(caller),
        JobState.RUNNING: lambda: bench.running_job(caller),
        JobState.SUCCEEDED: lambda: succeeded(bench, caller),
        JobState.CANCELLED: lambda: bench.job(caller),
    }[state]()
    if state is JobState.CANCELLED:
        client.post(f"/api/job/{job.id}/cancel")
    assert client.get(f"/api/pipeline/status/{job.id}").json()["status"] == status
    [listed] = client.get("/api/pipeline/list").json()["jobs"]
    assert (listed["status"], len(listed["files"])) == (status, int(status == "completed"))
    assert listed == client.get(f"/api/pipeline/{job.id}").json()


def test_a_package_is_opened_without_unpacking_anything(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    job = succeeded(bench, caller)
    [package] = client.get(f"/api/pipeline/{job.id}").json()["files"]
    opened = client.post("/api/unzip", json=json.loads(package["location"])).json()
    assert (opened["headers"], opened["info"]) == (INFO["headers"], INFO["info"])
    [entry] = opened["data"]
    assert (entry["name"], entry["dim"]) == ("SNR", 3)
    assert client.get(entry["link"].removeprefix(BRAIN_URL)).content == b"a map"


@pytest.mark.parametrize("info", [b"", b"[]", b"null", b'{"data": 7, "headers": [], "info": "x"}', b"\xff\xfe"])
def test_a_package_that_says_nonsense_is_opened_all_the_same(
    ada: tuple[TestClient, Caller], bench: Bench, info: bytes
) -> None:
    client, caller = ada
    job = succeeded(bench, caller, info or b" ")
    key = f"results/{job.id}/{job.attempt}/package.zip"
    assert client.post("/api/unzip", json={"Bucket": "results", "Key": key}).json() == {
        "headers": {},
        "data": [],
        "info": {},
    }


def test_only_packages_of_ones_own_jobs_are_opened(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    theirs = succeeded(bench, bench.person())
    mine = succeeded(bench, caller)
    prefix = f"results/{mine.id}/{mine.attempt}"
    for bucket, key in (
        ("results", f"results/{theirs.id}/{theirs.attempt}/package.zip"),
        ("data", f"{prefix}/package.zip"),
        ("results", f"{prefix}/info.json"),
        ("results", f"{prefix}/../../{theirs.id}/{theirs.attempt}/package.zip"),
        ("results", f"results/{mine.id}/99/package.zip"),
        ("results", f"uploads/{mine.data_ids[0]}"),
        ("results", "/etc/passwd"),
        ("another", f"{prefix}/package.zip"),
    ):
        answer = client.post("/api/unzip", json={"Bucket": bucket, "Key": key})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_what_is_somebody_elses_is_not_there(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, _ = ada
    owner = bench.person()
    job, data_file = succeeded(bench, owner), bench.data_file(owner)
    unit = bench.own_unit(owner)
    tries: list[tuple[str, str, Any]] = [
        ("POST", "/api/data/update", {"fileid": data_file.id, "filename": "mine"}),
        ("POST", f"/api/data/delete/{data_file.id}", None),
        ("POST", "/api/upload_finalize", {"uploadId": data_file.upload_id, "Key": data_file.key, "parts": []}),
        ("POST", "/api/pipeline/queue_job", {"task": task_of(data_file)}),
        ("GET", f"/api/pipeline/{job.id}", None),
        ("GET", f"/api/pipeline/status/{job.id}", None),
        ("POST", "/api/pipeline/update", {"id": job.id, "alias": "mine"}),
        ("DELETE", f"/api/pipeline/delete?id={job.id}", None),
        ("POST", "/api/pipeline/delete", {"id": job.id}),
        ("GET", f"/api/roi/list?pipeline_id={job.id}", None),
        ("POST", "/api/roi/upload", {"filename": "x", "pipeline_id": job.id}),
        ("POST", "/api/roi/delete/roi_00000000000000000000000000", None),
        ("DELETE", "/api/computing-unit/delete", {"computingUnitId": unit.id}),
    ]
    for method, path, body in tries:
        answer = client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert client.get("/api/data/read").json() == []
    assert client.get("/api/pipeline/list").json() == {"jobs": []}


def test_another_part_than_was_sent_does_not_finish_an_upload(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    begun = client.post("/api/upload_initiate", json={"filename": "a.dat", "filesize": 3}).json()
    etag = client.put(begun["partUrls"][0].removeprefix(BRAIN_URL), content=b"abc").headers["etag"]
    end = {"uploadId": begun["uploadId"], "Key": begun["Key"]}
    wrong = client.post("/api/upload_finalize", json=end | {"parts": [{"partNumber": 1, "etag": "0" * 32}]})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "part_changed")
    for _ in range(2):
        right = client.post("/api/upload_finalize", json=end | {"parts": [{"PartNumber": 1, "ETag": etag}]})
        assert (right.status_code, right.json()["status"]) == (200, "available")
    assert client.post("/api/upload_finalize", json=end | {"uploadId": "0" * 32, "parts": []}).status_code == 404


def test_an_upload_of_several_parts_has_a_url_for_each(ada: tuple[TestClient, Caller]) -> None:
    body = {"filename": "a.dat", "filesize": str(25 * 1024 * 1024)}
    begun = ada[0].post("/api/upload_initiate", json=body).json()
    assert len(begun["partUrls"]) == len(set(begun["partUrls"])) == 3
    assert begun["response"]["status"] == "notavailable"


def test_an_object_in_ones_own_unit_becomes_a_data_file(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    bench.own_unit(caller, data_bucket="mine-data")
    source = bench.folder / "object"
    source.write_bytes(b"raw")
    bench.storage.put(Bucket.DATA, "uploads/scan.dat", source)
    place = {"Bucket": "mine-data", "Key": "uploads/scan.dat"}
    made = client.post("/api/data/create", json={"filename": "scan.dat", "location": json.dumps(place)})
    assert (made.status_code, json.loads(made.json()["location"])) == (200, place)
    shared = client.post("/api/data/create", json={"location": {"Bucket": "data", "Key": "uploads/scan.dat"}})
    assert (shared.status_code, shared.json()["code"]) == (400, "not_your_unit")
    assert client.post("/api/data/create", json={"location": "{"}).status_code == 422


def test_a_unit_is_removed_under_any_name_of_its_id(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    for name in ("computingUnitId", "computing_unit_id", "id"):
        unit = bench.own_unit(caller)
        assert client.post("/api/computing-unit/delete", json={name: unit.id}).json()["success"] is True
        assert client.get(f"/api/computing-unit/{unit.id}").status_code == 404


def test_there_is_one_application(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    made = client.post("/api/cloudapp/create", json={"name": "MR Optimum", "launchUrl": "https://example.org"}).json()
    [app] = client.get("/api/cloudapp/list").json()["apps"]
    assert made["appId"] == made["data"]["app"]["appId"] == app["appId"]
    assert client.post("/api/cloudapp/create", json={"name": "CAMRIE"}).status_code == 409


def test_the_mode_has_two_names(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    file = bench.data_file(caller)
    for name in ("mode", "computing_unit_mode"):
        body = {name: "mode_2", "task": task_of(file)}
        answer = client.post("/api/pipeline/queue_job", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_such_unit")
    answer = client.post("/api/pipeline/queue_job", json={"mode": "", "computing_unit_id": None, "task": task_of(file)})
    assert answer.json()["computingUnit"]["mode"] == "mode_1"
