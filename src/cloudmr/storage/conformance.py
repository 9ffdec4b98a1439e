"""What every storage must do, as tests. A backend's test module subclasses `StorageConformance`, with two fixtures:

@pytest.fixture
def storage() -> ObjectStorage: …         an empty storage

@pytest.fixture
def send() -> Send: …                     carries signed requests to that storage

class TestThisStorage(StorageConformance): …
"""
# ruff: noqa: D102 - a test says by its name what it is about

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import pytest

from cloudmr.storage.base import PART_SIZE_BYTES, UNHURRIED_URL_LIFETIME_S, Bucket, ObjectStorage, SignedRequest
from cloudmr.storage.errors import (
    ChecksumMismatch,
    InvalidKey,
    ObjectNotFound,
    ObjectTooLarge,
    UploadIncomplete,
    UploadNotFound,
)

KEY = "uploads/data_01"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back from a signed request; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Send(Protocol):
    """Makes a signed request as a browser would: its method, URL and headers, with a body and headers of one's own."""

    def __call__(
        self, request: SignedRequest, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send the request and return the answer."""


@cache
def full_part(seed: int) -> bytes:
    """Return the bytes of a part that is not the last."""
    return random.Random(seed).randbytes(PART_SIZE_BYTES)  # noqa: S311 - any bytes will do


def encoded_sha256(content: bytes) -> str:
    """Return a SHA-256 as part URLs carry it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def composite_of(*parts: bytes) -> str:
    """Return the composite checksum of parts, from its definition."""
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return f"{base64.b64encode(hashlib.sha256(digests).digest()).decode()}-{len(parts)}"


class StorageConformance:
    """The contract of `ObjectStorage`."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """Return a path outside the storage for a file to put or fetch."""
        return tmp_path / "file"

    def put(self, storage: ObjectStorage, key: str, content: bytes, file: Path, bucket: Bucket = Bucket.DATA) -> None:
        """Put some bytes."""
        file.write_bytes(content)
        storage.put(bucket, key, file)

    def upload(self, storage: ObjectStorage, send: Send, upload_id: str, number: int, content: bytes) -> Answer:
        """Send one part."""
        request = storage.sign_part(Bucket.DATA, KEY, upload_id, number, encoded_sha256(content))
        return send(request, body=content)

    @pytest.mark.parametrize("content", [b"", b"a", b"SNR" * 1000], ids=["empty", "one byte", "some"])
    def test_what_was_put_is_there(self, storage: ObjectStorage, file: Path, content: bytes) -> None:
        self.put(storage, "results/job_1/1/data/snr.nii.gz", content, file, Bucket.RESULTS)
        info = storage.head(Bucket.RESULTS, "results/job_1/1/data/snr.nii.gz")
        assert info is not None
        assert (info.key, info.size_bytes) == ("results/job_1/1/data/snr.nii.gz", len(content))
        assert info.checksum == composite_of(content)
        assert storage.read(Bucket.RESULTS, info.key, limit_bytes=len(content)) == content
        storage.fetch(Bucket.RESULTS, info.key, file.with_suffix(".copy"))
        assert file.with_suffix(".copy").read_bytes() == content

    def test_put_returns_what_head_says(self, storage: ObjectStorage, file: Path) -> None:
        file.write_bytes(b"content")
        assert storage.put(Bucket.DATA, KEY, file) == storage.head(Bucket.DATA, KEY)

    def test_buckets_are_apart(self, storage: ObjectStorage, file: Path) -> None:
        self.put(storage, "x", b"data", file, Bucket.DATA)
        assert storage.head(Bucket.RESULTS, "x") is None
        assert list(storage.list(Bucket.FAILED, "")) == []

    def test_put_replaces_the_whole_object(self, storage: ObjectStorage, file: Path) -> None:
        self.put(storage, KEY, b"first, and longer", file)
        self.put(storage, KEY, b"second", file)
        assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"second"
        [info] = storage.list(Bucket.DATA, "")
        assert info.size_bytes == len(b"second")
        assert info.checksum in {None, composite_of(b"second")}

    def test_a_key_may_be_the_beginning_of_another(self, storage: ObjectStorage, file: Path) -> None:
        self.put(storage, "a/b", b"longer", file)
        self.put(storage, "a", b"shorter", file)
        assert storage.read(Bucket.DATA, "a", limit_bytes=100) == b"shorter"
        assert storage.read(Bucket.DATA, "a/b", limit_bytes=100) == b"longer"

    def test_absent_objects(self, storage: ObjectStorage, file: Path) -> None:
        assert storage.head(Bucket.DATA, KEY) is None
        with pytest.raises(ObjectNotFound):
            storage.read(Bucket.DATA, KEY, limit_bytes=1)
        with pytest.raises(ObjectNotFound):
            storage.fetch(Bucket.DATA, KEY, file)
        assert not file.exists()

    def test_a_large_object_is_not_read_whole(self, storage: ObjectStorage, file: Path) -> None:
        self.put(storage, KEY, b"12345", file)
        assert storage.read(Bucket.DATA, KEY, limit_bytes=5) == b"12345"
        with pytest.raises(ObjectTooLarge):
            storage.read(Bucket.DATA, KEY, limit_bytes=4)

    def test_delete(self, storage: ObjectStorage, file: Path) -> None:
        self.put(storage, KEY, b"content", file)
        storage.delete(Bucket.DATA, KEY)
        storage.delete(Bucket.DATA, KEY)
        assert storage.head(Bucket.DATA, KEY) is None
        assert list(storage.list(Bucket.DATA, "")) == []

    def test_list_is_by_key_and_by_prefix(self, storage: ObjectStorage, file: Path) -> None:
        keys = ["a", "a-b", "a.b", "a/b", "a/b/c", "a/c", "ab", "a_b", "b/a"]
        for key in reversed(keys):
            self.put(storage, key, key.encode(), file)
        assert [info.key for info in storage.list(Bucket.DATA, "")] == sorted(keys)
        for prefix in ("a", "a/", "a/b", "a/b/", "ab", "b", "c", "c/d"):
            expected = sorted(key for key in keys if key.startswith(prefix))
            assert [info.key for info in storage.list(Bucket.DATA, prefix)] == expected

    @pytest.mark.parametrize(
        "key", ["", "/a", "a/", "a//b", "../a", "a/..", "a/./b", "A", "a b", "ä", "a\n", "a\0", "a%2fb"]
    )
    def test_a_bad_key_is_refused_everywhere(self, storage: ObjectStorage, file: Path, key: str) -> None:
        file.write_bytes(b"")
        for attempt in (
            lambda: storage.start_upload(Bucket.DATA, key),
            lambda: storage.sign_get(Bucket.DATA, key),
            lambda: storage.head(Bucket.DATA, key),
            lambda: storage.read(Bucket.DATA, key, limit_bytes=1),
            lambda: storage.fetch(Bucket.DATA, key, file),
            lambda: storage.put(Bucket.DATA, key, file),
            lambda: storage.delete(Bucket.DATA, key),
        ):
            with pytest.raises(InvalidKey):
                attempt()

    def test_parts_become_the_object_whatever_their_order(self, storage: ObjectStorage, send: Send, file: Path) -> None:
        first, second, last = full_part(1), full_part(2), b"the end"
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        for number, content in ((3, last), (1, first), (2, second)):
            assert self.upload(storage, send, upload_id, number, content).status == 200
        assert storage.head(Bucket.DATA, KEY) is None
        info = storage.complete_upload(Bucket.DATA, KEY, upload_id)
        assert info == storage.head(Bucket.DATA, KEY)
        assert (info.size_bytes, info.checksum) == (2 * PART_SIZE_BYTES + 7, composite_of(first, second, last))
        storage.fetch(Bucket.DATA, KEY, file)
        assert file.read_bytes() == first + second + last

    def test_equal_bytes_have_equal_checksums_however_they_came(
        self, storage: ObjectStorage, send: Send, file: Path
    ) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        self.upload(storage, send, upload_id, 1, full_part(1))
        self.upload(storage, send, upload_id, 2, b"end")
        uploaded = storage.complete_upload(Bucket.DATA, KEY, upload_id)
        self.put(storage, "other", full_part(1) + b"end", file)
        put = storage.head(Bucket.DATA, "other")
        assert put is not None
        assert put.checksum == uploaded.checksum

    def test_what_arrived_is_listed_so_that_an_upload_can_go_on(self, storage: ObjectStorage, send: Send) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        assert list(storage.list_parts(Bucket.DATA, KEY, upload_id)) == []
        answer = self.upload(storage, send, upload_id, 2, b"two")
        self.upload(storage, send, upload_id, 1, full_part(1))
        first, second = storage.list_parts(Bucket.DATA, KEY, upload_id)
        assert (first.number, first.size_bytes, first.sha256) == (1, PART_SIZE_BYTES, encoded_sha256(full_part(1)))
        assert (second.number, second.size_bytes, second.sha256) == (2, 3, encoded_sha256(b"two"))
        assert second.etag == answer.headers["etag"]

    def test_other_bytes_than_were_signed_are_refused(self, storage: ObjectStorage, send: Send) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        request = storage.sign_part(Bucket.DATA, KEY, upload_id, 1, encoded_sha256(b"promised"))
        assert 400 <= send(request, body=b"delivered").status < 500
        assert list(storage.list_parts(Bucket.DATA, KEY, upload_id)) == []
        assert send(request, body=b"promised").status == 200

    def test_a_part_sent_again_takes_the_place_of_the_first(self, storage: ObjectStorage, send: Send) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        for content in (b"wrong", b"right", b"right"):
            self.upload(storage, send, upload_id, 1, content)
        [part] = storage.list_parts(Bucket.DATA, KEY, upload_id)
        assert part.sha256 == encoded_sha256(b"right")
        storage.complete_upload(Bucket.DATA, KEY, upload_id)
        assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"right"

    def test_an_upload_with_a_hole_is_not_completed_and_goes_on(self, storage: ObjectStorage, send: Send) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        with pytest.raises(UploadIncomplete):
            storage.complete_upload(Bucket.DATA, KEY, upload_id)
        self.upload(storage, send, upload_id, 2, b"end")
        with pytest.raises(UploadIncomplete):
            storage.complete_upload(Bucket.DATA, KEY, upload_id)
        assert storage.head(Bucket.DATA, KEY) is None
        self.upload(storage, send, upload_id, 1, full_part(1))
        assert storage.complete_upload(Bucket.DATA, KEY, upload_id).size_bytes == PART_SIZE_BYTES + 3

    def test_completing_again_gives_the_same_answer(self, storage: ObjectStorage, send: Send) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        self.upload(storage, send, upload_id, 1, b"all")
        first = storage.complete_upload(Bucket.DATA, KEY, upload_id)
        assert storage.complete_upload(Bucket.DATA, KEY, upload_id) == first
        assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"all"

    def test_after_its_end_an_upload_is_unknown(self, storage: ObjectStorage, send: Send) -> None:
        completed = storage.start_upload(Bucket.DATA, KEY)
        self.upload(storage, send, completed, 1, b"all")
        storage.complete_upload(Bucket.DATA, KEY, completed)
        aborted = storage.start_upload(Bucket.DATA, KEY)
        request = storage.sign_part(Bucket.DATA, KEY, aborted, 1, encoded_sha256(b"late"))
        storage.abort_upload(Bucket.DATA, KEY, aborted)
        storage.abort_upload(Bucket.DATA, KEY, aborted)
        for upload_id in (completed, aborted):
            with pytest.raises(UploadNotFound):
                storage.list_parts(Bucket.DATA, KEY, upload_id)
        with pytest.raises(UploadNotFound):
            storage.complete_upload(Bucket.DATA, KEY, aborted)
        assert send(request, body=b"late").status == 404
        assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"all"

    def test_an_upload_belongs_to_its_key(self, storage: ObjectStorage) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        with pytest.raises(UploadNotFound):
            storage.list_parts(Bucket.DATA, "uploads/data_02", upload_id)
        with pytest.raises(UploadNotFound):
            storage.complete_upload(Bucket.DATA, "uploads/data_02", upload_id)

    @pytest.mark.parametrize("sha256", ["", "abc", "=" * 44, encoded_sha256(b"")[:-4], encoded_sha256(b"")[:-1]])
    def test_a_part_is_announced_by_a_sha256(self, storage: ObjectStorage, sha256: str) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY)
        with pytest.raises(ChecksumMismatch):
            storage.sign_part(Bucket.DATA, KEY, upload_id, 1, sha256)

    def test_a_part_that_was_not_announced_may_be_any_bytes(self, storage: ObjectStorage, send: Send) -> None:
        upload_id = storage.start_upload(Bucket.DATA, KEY, announces_parts=False)
        request = storage.sign_part(Bucket.DATA, KEY, upload_id, 1, None, lifetime_s=UNHURRIED_URL_LIFETIME_S)
        assert send(request, body=b"whatever").status == 200
        [part] = storage.list_parts(Bucket.DATA, KEY, upload_id)
        assert part.sha256 in {None, encoded_sha256(b"whatever")}
        info = storage.complete_upload(Bucket.DATA, KEY, upload_id)
        assert info.size_bytes == len(b"whatever")
        assert info.checksum in {None, composite_of(b"whatever")}

    @pytest.mark.parametrize("sha256", [None, encoded_sha256(b"a mask")])
    def test_a_small_object_is_put_by_signed_url(self, storage: ObjectStorage, send: Send, sha256: str | None) -> None:
        request = storage.sign_put(Bucket.DATA, "regions/job_1/roi_1.nii.gz", sha256=sha256)
        assert (request.method, send(request, body=b"a mask").status) == ("PUT", 200)
        assert storage.read(Bucket.DATA, "regions/job_1/roi_1.nii.gz", limit_bytes=100) == b"a mask"

    def test_another_object_than_was_signed_is_refused(self, storage: ObjectStorage, send: Send, file: Path) -> None:
        self.put(storage, KEY, b"earlier", file)
        request = storage.sign_put(Bucket.DATA, KEY, sha256=encoded_sha256(b"promised"))
        assert 400 <= send(request, body=b"delivered").status < 500
        assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"earlier"
        assert send(request, body=b"promised").status == 200
        assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"promised"

    def test_a_put_is_good_for_its_own_key(self, storage: ObjectStorage, send: Send) -> None:
        request = storage.sign_put(Bucket.DATA, "regions/job_1/roi_1.nii.gz")
        elsewhere = replace(request, url=request.url.replace("job_1", "job_2"))
        assert send(elsewhere, body=b"a mask").status == 403
        assert storage.head(Bucket.DATA, "regions/job_2/roi_1.nii.gz") is None

    @pytest.mark.parametrize("sha256", ["", "abc"])
    def test_an_object_is_announced_by_a_sha256(self, storage: ObjectStorage, sha256: str) -> None:
        with pytest.raises(ChecksumMismatch):
            storage.sign_put(Bucket.DATA, KEY, sha256=sha256)

    def test_get_by_signed_url(self, storage: ObjectStorage, send: Send, file: Path) -> None:
        self.put(storage, KEY, b"0123456789", file)
        request = storage.sign_get(Bucket.DATA, KEY, filename='Müller "Kopf".dat')
        got = send(request)
        assert (got.status, got.body) == (200, b"0123456789")
        assert got.headers["content-disposition"].startswith("attachment")
        assert "filename*=UTF-8''M%C3%BCller%20%22Kopf%22.dat" in got.headers["content-disposition"]

    @pytest.mark.parametrize(
        ("header", "body", "content_range"),
        [
            ("bytes=0-0", b"0", "bytes 0-0/10"),
            ("bytes=2-4", b"234", "bytes 2-4/10"),
            ("bytes=7-", b"789", "bytes 7-9/10"),
            ("bytes=7-99", b"789", "bytes 7-9/10"),
            ("bytes=-3", b"789", "bytes 7-9/10"),
            ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ],
    )
    def test_a_range_of_an_object(
        self, storage: ObjectStorage, send: Send, file: Path, header: str, body: bytes, content_range: str
    ) -> None:
        self.put(storage, KEY, b"0123456789", file)
        got = send(storage.sign_get(Bucket.DATA, KEY), headers={"Range": header})
        assert (got.status, got.body, got.headers["content-range"]) == (206, body, content_range)

    def test_a_range_across_parts(self, storage: ObjectStorage, send: Send, file: Path) -> None:
        content = full_part(1) + full_part(2) + b"end"
        self.put(storage, KEY, content, file)
        for start, stop in (
            (PART_SIZE_BYTES - 2, PART_SIZE_BYTES + 2),
            (PART_SIZE_BYTES, PART_SIZE_BYTES + 1),
            (5, 2 * PART_SIZE_BYTES + 2),
        ):
            got = send(storage.sign_get(Bucket.DATA, KEY), headers={"Range": f"bytes={start}-{stop - 1}"})
            assert got.body == content[start:stop]

    def test_a_range_beyond_the_end(self, storage: ObjectStorage, send: Send, file: Path) -> None:
        self.put(storage, KEY, b"0123456789", file)
        assert send(storage.sign_get(Bucket.DATA, KEY), headers={"Range": "bytes=10-"}).status == 416

    def test_a_signed_url_of_an_absent_object(self, storage: ObjectStorage, send: Send) -> None:
        assert send(storage.sign_get(Bucket.DATA, KEY)).status == 404

    def test_a_signed_url_is_good_for_nothing_else(self, storage: ObjectStorage, send: Send, file: Path) -> None:
        self.put(storage, KEY, b"mine", file)
        self.put(storage, "uploads/data_02", b"not mine", file)
        request = storage.sign_get(Bucket.DATA, KEY)
        parts = urlsplit(request.url)
        elsewhere = urlunsplit(parts._replace(path=parts.path.replace("data_01", "data_02")))
        assert send(replace(request, url=elsewhere)).status == 403
        assert send(replace(request, method="PUT"), body=b"overwritten").status == 403
        assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"mine"
