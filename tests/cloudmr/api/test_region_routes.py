from __future__ import annotations

import base64
import hashlib

import pytest

from asgi import TestClient
from bench import BRAIN_URL, Bench
from cloudmr.model.people import Caller
from cloudmr.services.settle_job import settle_job

MASK = b"\x1f\x8b a mask"


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_a_region_from_announcement_to_removal(ada: tuple[TestClient, Caller], bench: Bench, prefix: str) -> None:
    client, caller = ada
    job = bench.running_job(caller)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    address = f"{prefix}/api/job/{job.id}/regions"
    sha256 = base64.b64encode(hashlib.sha256(MASK).digest()).decode()
    announced = client.post(address, json={"name": "white matter", "description": {"a": 1}, "sha256": sha256})
    assert announced.status_code == 201
    upload = announced.json()["upload"]
    assert client.put(upload["url"].removeprefix(BRAIN_URL), content=b"another").status_code == 400
    put = client.put(upload["url"].removeprefix(BRAIN_URL), content=MASK)
    assert (put.status_code, put.headers["etag"][0]) == (200, '"')

    [region] = client.get(address).json()["regions"]
    assert (region["name"], region["description"], region["sizeBytes"]) == ("white matter", {"a": 1}, len(MASK))
    assert region["key"] == f"regions/{job.id}/{region['regionId']}.nii.gz"
    assert client.get(region["download"]["url"].removeprefix(BRAIN_URL)).content == MASK

    changed = client.patch(f"{address}/{region['regionId']}", json={"name": "grey matter"})
    assert changed.json()["name"] == "grey matter"
    assert client.delete(f"{address}/{region['regionId']}").status_code == 204
    assert client.get(address).json() == {"regions": []}
    assert client.delete(f"{address}/{region['regionId']}").status_code == 404
