"""The disk of the unit on the Brain's machine is full while a file comes in."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from collections.abc import Sequence

import pytest

from asgi import TestClient
from bench import Bench
from cloudmr.storage.base import Bucket
from cloudmr.storage.part_files import PartWriter

CONTENT = b"raw data"


def test_an_upload_is_told_of_it_and_goes_on_when_there_is_room(
    bench: Bench, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = client.post("/api/data/upload", json={"filename": "m", "size": len(CONTENT)}).json()
    sha256 = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    parts = f"/api/data/{started['data']['id']}/parts"
    [link] = client.post(parts, json={"parts": [{"number": 1, "sha256": sha256}]}).json()["links"]

    def no_room(self: PartWriter, pieces: Sequence[bytes]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(PartWriter, "write", no_room)
        refused = client.put(link["url"], content=CONTENT)
    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert client.get(parts).json()["parts"] == []
    assert client.put(link["url"], content=CONTENT).status_code == 200
    assert client.post(f"/api/data/{started['data']['id']}/complete").status_code == 200
    [stored] = bench.storage.list(Bucket.DATA, "uploads/")
    assert stored.size_bytes == len(CONTENT)
