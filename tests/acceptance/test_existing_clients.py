"""A client from before this release, on a real Brain: it knows plain HTTP, and the fields that are listed here."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from real_brain import PASSWORD, RealBrain
from small_job import raw_data
from waiting import wait_until

PART_BYTES = 10 * 1024 * 1024
USED = {
    "login": {"id_token", "access_token", "refresh_token", "token_type", "expires_in", "user_id"},
    "file": {"id", "filename", "link", "md5", "size", "status", "created_at", "updated_at", "database", "location"},
    "initiate": {"uploadId", "partUrls", "Key", "response"},
    "queued": {"executionArn", "pipelineId", "computingUnit"},
    "job": {"id", "alias", "status", "pipeline_id", "createdAt", "updatedAt", "setup", "files"},
    "job file": {"id", "fileName", "link", "status", "database", "location"},
    "entry": {"filename", "id", "dim", "name", "type", "link"},
    "region": {"id", "filename", "link", "size", "md5", "status", "database", "location", "type", "pivot"},
}


@dataclass(frozen=True, kw_only=True)
class Client:
    """What such a client can do; it asserts that what it looks for is there."""

    http: httpx.Client

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def post(self, path: str, body: object) -> Any:
        return self.http.post(path, json=body).raise_for_status().json()

    def upload(self, path: Path, alias: str) -> dict[str, Any]:
        content = path.read_bytes()
        about = {"name": path.name, "lastModified": 0, "size": len(content), "type": ""}
        body = {"filename": alias, "filetype": "", "filesize": str(len(content)), "filemd5": "", "file": about}
        begun = self.post("/api/upload_initiate", body)
        assert begun.keys() >= USED["initiate"]
        assert begun["response"].keys() >= {"id", "filename", "link", "status", "md5", "location"}
        parts = []
        for number, url in enumerate(begun["partUrls"]):
            # No token goes to the storage; an empty content type, as browsers are told to send.
            part = content[number * PART_BYTES : (number + 1) * PART_BYTES]
            etag = httpx.put(url, content=part, headers={"Content-Type": ""}).raise_for_status().headers["etag"]
            parts.append({"partNumber": number + 1, "etag": etag.replace('"', "")})
        end = {"uploadId": begun["uploadId"], "parts": parts, "Key": begun["Key"]}
        self.post("/api/upload_finalize", end)
        [file] = [file for file in self.get("/api/data/read") if file["id"] == begun["response"]["id"]]
        assert file.keys() >= USED["file"]
        return dict(file)

    def jobs(self) -> list[dict[str, Any]]:
        jobs = self.get("/api/pipeline/list")["jobs"]
        for job in jobs:
            assert job.keys() >= USED["job"]
            assert job["status"] in {"pending", "completed", "failed"}
        return list(jobs)


@pytest.fixture(params=["", "/Prod"])
def client(real_brain: RealBrain, request: pytest.FixtureRequest) -> Iterator[Client]:
    url = f"{real_brain.url}{request.param}"
    credentials = {"email": real_brain.new_email(), "password": PASSWORD}
    login = httpx.post(f"{url}/api/auth/login", json=credentials).json()
    assert login.keys() >= USED["login"]
    headers = {"Authorization": f"Bearer {login['id_token']}"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as http:
        yield Client(http=http)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a raw file of more than one part."""
    path = raw_data(tmp_path_factory.mktemp("raw") / "meas.npz", np.random.default_rng(1))
    with np.load(path) as arrays:
        larger = dict(arrays)
    larger["noise"] = np.tile(larger["noise"], (45, 1, 1))
    with path.open("wb") as file:
        np.savez(file, **larger)
    assert PART_BYTES < path.stat().st_size < 2 * PART_BYTES
    return path


def task_on(file: dict[str, Any]) -> dict[str, Any]:
    """Return a task as these clients write it: numbers and links of files and all."""
    place = json.loads(file["location"])
    options = {
        "type": "s3",
        "filename": file["filename"],
        "options": {},
        "bucket": place["Bucket"],
        "key": place["Key"],
    }
    signal = {"type": "file", "id": file["id"], "link": file["link"], "options": options}
    reconstructor = {"type": "recon", "name": "RSS", "id": 3, "options": {"signal": signal}}
    return {
        "version": "v0",
        "acquisition": 2,
        "type": "SNR",
        "id": 0,
        "name": "AC",
        "files": ["signal"],
        "options": {"reconstructor": reconstructor},
    }


def finished(client: Client, pipeline: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        [job] = [job for job in client.jobs() if job["pipeline_id"] == pipeline]
        return job if job["status"] != "pending" else None

    return wait_until(look, what="the end of the job")


@pytest.mark.slow
def test_from_sign_in_to_deletion(client: Client, raw: Path) -> None:
    assert client.get("/api/profile")["email"].endswith("@example.org")
    assert [app["name"] for app in client.get("/api/cloudapp/list")["apps"]] == ["MR Optimum"]

    file = client.upload(raw, "scan one.npz")
    assert (file["status"], file["size"]) == ("available", str(raw.stat().st_size))
    assert httpx.get(file["link"]).content == raw.read_bytes()
    client.post("/api/data/update", {"fileid": file["id"], "filename": "scan 1.npz"})

    body = {
        "cloudapp_name": "MR Optimum",
        "alias": "old but fine",
        "computing_unit_mode": "mode_1",
        "task": task_on(file),
        "output": {"coilsensitivity": False, "gfactor": True, "matlab": False},
    }
    queued = client.post("/api/pipeline/queue_job", body)
    assert queued.keys() >= USED["queued"]
    assert queued["computingUnit"]["mode"] == "mode_1"
    assert client.get("/api/pipeline/count_calculations", cloudapp_name="MR Optimum", mode="mode_1")["count"] == 1

    job = finished(client, queued["pipelineId"])
    assert (job["status"], job["alias"], job["setup"]["task"]["name"]) == ("completed", "old but fine", "ac")
    assert client.get(f"/api/pipeline/status/{queued['pipelineId']}")["status"] == "completed"
    assert client.get(f"/api/pipeline/{queued['pipelineId']}")["id"] == job["id"]

    [package] = job["files"]
    assert package.keys() >= USED["job file"]
    with zipfile.ZipFile(io.BytesIO(httpx.get(package["link"]).content)) as archive:
        assert "info.json" in archive.namelist()
    opened = client.post("/api/unzip", json.loads(package["location"]))
    assert {"options", "log"} <= opened["headers"].keys()
    snr = next(entry for entry in opened["data"] if entry["name"] == "SNR")
    assert snr.keys() >= USED["entry"]
    assert httpx.get(snr["link"]).content[:2] == b"\x1f\x8b"

    mask = {"filename": "left.nii.gz", "pipeline_id": job["pipeline_id"], "type": "image"}
    place = client.post("/api/roi/upload", {**mask, "contentType": "application/octet-stream"})
    octets = {"Content-Type": "application/octet-stream"}
    httpx.put(place["upload_url"], content=b"a mask", headers=octets).raise_for_status()
    assert httpx.get(place["access_url"]).content == b"a mask"
    [region] = client.get("/api/roi/list", pipeline_id=job["pipeline_id"])
    assert region.keys() >= USED["region"]
    assert (region["filename"], region["pivot"]["pipeline_id"]) == ("left.nii.gz", job["pipeline_id"])
    client.post(f"/api/roi/delete/{region['id']}", {})
    assert client.get("/api/roi/list", pipeline_id=job["pipeline_id"]) == []

    client.http.delete("/api/pipeline/delete", params={"id": job["id"]}).raise_for_status()
    assert client.jobs() == []
    client.post(f"/api/data/delete/{file['id']}", {})
    assert client.get("/api/data/read") == []


@pytest.mark.slow
def test_a_job_that_cannot_be_done_says_so_in_their_words(client: Client, tmp_path: Path) -> None:
    text = tmp_path / "notes.dat"
    text.write_bytes(b"these are no raw data" * 10)
    file = client.upload(text, "notes.dat")
    announced = client.post("/api/pipeline/request", {"cloudapp_id": "app_mroptimum", "name": "try"})
    body = {"pipeline": announced["pipeline"], "cloudapp_id": "app_mroptimum", "task": task_on(file)}
    queued = [client.post("/api/pipeline/queue_job", body) for _ in range(2)]
    assert queued[0]["pipelineId"] == queued[1]["pipelineId"], "said twice, it is one job"
    job = finished(client, queued[0]["pipelineId"])
    assert (job["status"], job["files"]) == ("failed", [])
    assert client.get(f"/api/pipeline/{announced['pipeline']}")["id"] == job["id"]


def test_what_is_refused_is_told_in_the_field_they_look_at(client: Client) -> None:
    answer = client.http.post("/api/pipeline/queue_job", json={"cloudapp_name": "CAMRIE", "task": {}})
    assert answer.status_code == 400
    assert answer.json()["error"] == "There is no such application."
    answer = client.http.request("DELETE", "/api/computing-unit/delete", json={"computingUnitId": "unit_x"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
