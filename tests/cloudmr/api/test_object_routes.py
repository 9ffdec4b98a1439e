from __future__ import annotations

import base64
import hashlib

import pytest

from asgi import TestClient
from bench import Bench
from cloudmr.api.objects import SAFE_HEADERS
from cloudmr.model.data_files import DataFile
from cloudmr.services.upload_data import start_upload
from cloudmr.storage.base import PART_SIZE_BYTES, URL_LIFETIME_S, Bucket

CONTENT = b"<script>alert(1)</script>"


@pytest.fixture
def stored(bench: Bench) -> DataFile:
    return bench.data_file(bench.person(), CONTENT, filename='k"nee<é>.html')


def link(bench: Bench, stored: DataFile) -> str:
    return bench.storage.sign_get(Bucket.DATA, stored.key, filename=stored.filename).url


def part_link(bench: Bench, size_bytes: int, content: bytes) -> str:
    upload = start_upload(bench.brain, bench.person(), filename="m", size_bytes=size_bytes).view.data_file
    sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return bench.storage.sign_part(Bucket.DATA, upload.key, upload.upload_id, 1, sha256).url


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_an_object_is_saved_and_never_shown(client: TestClient, bench: Bench, stored: DataFile, prefix: str) -> None:
    answer = client.get(link(bench, stored).replace("/objects", f"{prefix}/objects", 1))
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert {name: answer.headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_a_range_of_it(client: TestClient, bench: Bench, stored: DataFile) -> None:
    url = link(bench, stored)
    part = client.get(url, headers={"Range": "bytes=1-6"})
    assert (part.status_code, part.content) == (206, CONTENT[1:7])
    assert part.headers["Content-Range"] == f"bytes 1-6/{len(CONTENT)}"
    beyond = client.get(url, headers={"Range": "bytes=1000-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    stale = client.get(url, headers={"Range": "bytes=1-6", "If-Range": '"another"'})
    assert (stale.status_code, stale.content) == (200, CONTENT)


def test_its_head(client: TestClient, bench: Bench, stored: DataFile) -> None:
    head = client.head(link(bench, stored))
    assert head.status_code == 200
    assert head.headers["Content-Length"] == str(len(CONTENT))
    assert head.content == b""


def test_a_link_is_good_for_what_it_says_and_for_minutes(client: TestClient, bench: Bench, stored: DataFile) -> None:
    url = link(bench, stored)
    other = bench.data_file(bench.person())
    for changed in (
        url.replace(stored.id, other.id),
        url.replace("objects/data", "objects/results"),
        url.replace("filename=k", "filename=j"),
        url.partition("?")[0],
        url.replace("objects/data/", "objects/data/../"),
    ):
        refused = client.get(changed)
        assert refused.status_code in {403, 404}
        assert refused.json().keys() == {"code", "message", "next_step", "error", "request_id"}
    assert client.put(url, content=b"x").status_code == 403
    assert client.delete(url).status_code == 405
    bench.clock.advance(seconds=URL_LIFETIME_S)
    expired = client.get(url)
    assert (expired.status_code, expired.json()["code"]) == (403, "link_expired")


def test_what_was_deleted_is_not_found(client: TestClient, bench: Bench, stored: DataFile) -> None:
    url = link(bench, stored)
    bench.storage.delete(Bucket.DATA, stored.key)
    gone = client.get(url)
    assert (gone.status_code, gone.json()["code"]) == (404, "object_not_found")


def test_other_bytes_than_announced_are_refused(client: TestClient, bench: Bench) -> None:
    url = part_link(bench, 8, b"raw data")
    refused = client.put(url, content=b"RAW DATA")
    assert (refused.status_code, refused.json()["code"]) == (400, "checksum_mismatch")
    accepted = client.put(url, content=b"raw data")
    assert accepted.status_code == 200
    assert accepted.headers["ETag"] == f'"{hashlib.sha256(b"raw data").hexdigest()}"'


def test_a_part_is_no_larger_than_a_part(client: TestClient, bench: Bench) -> None:
    content = b"x" * (PART_SIZE_BYTES + 1)
    refused = client.put(part_link(bench, len(content), content), content=content)
    assert (refused.status_code, refused.json()["code"]) == (413, "object_too_large")


def test_a_link_to_a_part_is_good_for_that_part_only(client: TestClient, bench: Bench) -> None:
    url = part_link(bench, 8, b"raw data")
    assert client.put(url.replace("part=1", "part=2"), content=b"raw data").status_code == 403
    assert client.get(url).status_code == 403


def test_nobody_is_asked_to_sign_in_and_no_token_helps(client: TestClient, bench: Bench, stored: DataFile) -> None:
    url = link(bench, stored)
    assert client.get(url).status_code == 200
    assert client.get(url.partition("?")[0], headers={"Authorization": "Bearer x"}).status_code == 403
