from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import QueryParams

from asgi import TestClient
from bench import Bench
from cloudmr.model.people import Caller
from cloudmr.storage.base import PART_SIZE_BYTES

CONTENT = b"raw data"
SHA256 = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()


def sign(client: TestClient, address: str, number: int, sha256: str) -> dict[str, Any]:
    answer = client.post(f"{address}/parts", json={"parts": [{"number": number, "sha256": sha256}]}).json()
    link: dict[str, Any]
    [link] = answer["links"]
    return link


def upload(client: TestClient, content: bytes = CONTENT, *, prefix: str = "") -> dict[str, Any]:
    started = client.post(f"{prefix}/api/data/upload", json={"filename": "meas.dat", "size": len(content)})
    assert started.status_code == 201
    address = f"{prefix}/api/data/{started.json()['data']['id']}"
    for number in range(1, started.json()["n_parts"] + 1):
        part = content[(number - 1) * PART_SIZE_BYTES : number * PART_SIZE_BYTES]
        sha256 = base64.b64encode(hashlib.sha256(part).digest()).decode()
        signed = sign(client, address, number, sha256)
        assert client.request(signed["method"], signed["url"], headers=signed["headers"], content=part).is_success
    completed = client.post(f"{address}/complete")
    assert completed.status_code == 200
    answer: dict[str, Any] = completed.json()
    return answer


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_an_upload_and_its_download(ada: tuple[TestClient, Caller], bench: Bench, prefix: str) -> None:
    client, _ = ada
    data = upload(client, prefix=prefix)
    assert data.keys() == {
        "id",
        "filename",
        "size_bytes",
        "state",
        "computing_unit_id",
        "bucket",
        "key",
        "checksum",
        "created_at",
        "completed_at",
        "acquisition",
        "expires_at",
        "expires_by",
        "deleted_at",
        "restorable_until",
        "cleaned_at",
    }
    assert (data["filename"], data["size_bytes"], data["state"]) == ("meas.dat", len(CONTENT), "ready")
    assert (data["bucket"], data["key"]) == ("data", f"uploads/{data['id']}")
    assert data["computing_unit_id"] == bench.local_unit.id
    link = client.get(f"{prefix}/api/data/{data['id']}/download").json()
    assert link.keys() == {"method", "url", "headers"}
    assert client.get(link["url"]).content == CONTENT


def test_an_upload_of_several_parts(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    content = bytes(range(256)) * (PART_SIZE_BYTES // 256) + b"the rest"
    data = upload(client, content)
    assert data["checksum"].endswith("-2")
    assert client.get(client.get(f"/api/data/{data['id']}/download").json()["url"]).content == content


def test_the_start_says_how_to_cut_the_file(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    answer = client.post("/api/data/upload", json={"filename": "m", "size": 3 * PART_SIZE_BYTES}).json()
    assert answer.keys() == {"data", "part_size_bytes", "n_parts", "reason"}
    assert (answer["part_size_bytes"], answer["n_parts"]) == (PART_SIZE_BYTES, 3)
    assert answer["data"]["state"] == "uploading"
    assert answer["reason"] == "It is the shared unit."


def test_the_unit_is_asked_for_in_either_spelling(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    own = bench.own_unit(caller)
    for choice in ({"computing_unit_id": own.id}, {"computingUnitId": own.id}, {"mode": "mode_2"}):
        answer = client.post("/api/data/upload", json={"filename": "m", "size_bytes": 1, **choice})
        assert answer.json()["data"]["computing_unit_id"] == own.id


def test_the_list_of_parts_is_where_to_go_on(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    data = client.post("/api/data/upload", json={"filename": "m", "size": len(CONTENT)}).json()["data"]
    address = f"/api/data/{data['id']}"
    assert client.get(f"{address}/parts").json() == {"part_size_bytes": PART_SIZE_BYTES, "parts": []}
    signed = sign(client, address, 1, SHA256)
    client.put(signed["url"], content=CONTENT)
    assert client.get(f"{address}/parts").json()["parts"] == [
        {"number": 1, "size_bytes": len(CONTENT), "sha256": SHA256}
    ]
    assert client.post(f"{address}/abort").status_code == 204
    ended = client.get(f"{address}/parts")
    assert (ended.status_code, ended.json()["code"]) == (409, "upload_ended")


def test_list_rename_delete(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, _ = ada
    ids = []
    for _ in range(3):
        bench.clock.advance(seconds=1)
        ids.append(upload(client)["id"])
    page = client.get("/api/data?limit=2").json()
    assert page.keys() == {"data", "next"}
    assert [file["id"] for file in page["data"]] == [ids[2], ids[1]]
    rest = client.get(f"/api/data?limit=2&before={page['next']}").json()
    assert ([file["id"] for file in rest["data"]], rest["next"]) == ([ids[0]], None)
    assert client.get(f"/api/data/{ids[0]}").json() == rest["data"][0]
    renamed = client.patch(f"/api/data/{ids[0]}", json={"filename": "knee.dat"}).json()
    assert renamed == rest["data"][0] | {"filename": "knee.dat"}
    assert client.delete(f"/api/data/{ids[0]}").status_code == 204
    assert client.get(f"/api/data/{ids[0]}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"filename": "m", "size": 0}, 400, "file_size"),
        ({"filename": "..", "size": 1}, 400, "invalid_request"),
        ({"filename": "m"}, 422, "invalid_request"),
        ({"filename": "m", "size": "many"}, 422, "invalid_request"),
        ({"filename": "m", "size": 1, "mode": "mode_3"}, 422, "invalid_request"),
        ({"filename": "m", "size": 1, "mode": "mode_2"}, 409, "no_such_unit"),
        ({"filename": "m", "size": 1, "computing_unit_id": "unit_none"}, 404, "not_found"),
        ({"filename": "m", "size": 1, "computing_unit_id": "\x00"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_uploaded(
    ada: tuple[TestClient, Caller], body: dict[str, object], status: int, code: str
) -> None:
    refused = ada[0].post("/api/data/upload", json=body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


@pytest.mark.parametrize("number", [0, -1, "x", 2])
def test_a_part_that_the_file_does_not_have(ada: tuple[TestClient, Caller], number: object) -> None:
    client, _ = ada
    data = client.post("/api/data/upload", json={"filename": "m", "size": len(CONTENT)}).json()["data"]
    parts = [{"number": 1, "sha256": SHA256}, {"number": number, "sha256": SHA256}]
    refused = client.post(f"/api/data/{data['id']}/parts", json={"parts": parts})
    assert refused.status_code in {400, 422}


def test_parts_are_signed_together_in_the_order_they_are_asked_for(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    size = 3 * PART_SIZE_BYTES
    data = client.post("/api/data/upload", json={"filename": "m", "size": size}).json()["data"]
    parts = [{"number": number, "sha256": SHA256} for number in (3, 1)]
    links = client.post(f"/api/data/{data['id']}/parts", json={"parts": parts}).json()["links"]
    assert [QueryParams(urlsplit(link["url"]).query)["part"] for link in links] == ["3", "1"]


@pytest.mark.parametrize("n_parts", [0, 101])
def test_some_parts_are_signed_at_once_but_not_any_number(ada: tuple[TestClient, Caller], n_parts: int) -> None:
    client, _ = ada
    data = client.post("/api/data/upload", json={"filename": "m", "size": len(CONTENT)}).json()["data"]
    parts = [{"number": 1, "sha256": SHA256}] * n_parts
    refused = client.post(f"/api/data/{data['id']}/parts", json={"parts": parts})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


def test_a_part_is_announced_with_its_digest(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    data = client.post("/api/data/upload", json={"filename": "m", "size": len(CONTENT)}).json()["data"]
    refused = client.post(f"/api/data/{data['id']}/parts", json={"parts": [{"number": 1, "sha256": "abc"}]})
    assert (refused.status_code, refused.json()["code"]) == (400, "checksum_mismatch")


def test_what_is_missing_is_said_at_completion(ada: tuple[TestClient, Caller]) -> None:
    client, _ = ada
    data = client.post("/api/data/upload", json={"filename": "m", "size": len(CONTENT)}).json()["data"]
    refused = client.post(f"/api/data/{data['id']}/complete")
    assert (refused.status_code, refused.json()["code"]) == (409, "upload_size")
    assert refused.json()["message"] == "0 of 8 bytes have arrived."
