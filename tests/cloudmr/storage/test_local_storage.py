from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from cloudmr.storage.base import PART_SIZE_BYTES, UNHURRIED_URL_LIFETIME_S, URL_LIFETIME_S, Bucket, SignedRequest
from cloudmr.storage.conformance import KEY, Answer, Send, StorageConformance, composite_of, encoded_sha256, full_part
from cloudmr.storage.errors import (
    ChecksumMismatch,
    ObjectNotFound,
    ObjectTooLarge,
    RangeNotSatisfiable,
    SignatureRefused,
    StorageError,
    UploadIncomplete,
    UploadNotFound,
)
from cloudmr.storage.local import LocalStorage
from cloudmr.storage.local_objects import LocalObjects

BASE_URL = "http://127.0.0.1:8000/objects"
STATUS: dict[type[StorageError], int] = {
    SignatureRefused: 403,
    UploadNotFound: 404,
    ObjectNotFound: 404,
    ObjectTooLarge: 413,
    ChecksumMismatch: 400,
    RangeNotSatisfiable: 416,
}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(tmp_path: Path, clock: Clock) -> LocalStorage:
    return LocalStorage(tmp_path / "storage", base_url=BASE_URL, secret_key=b"secret", clock=clock)


async def chunks_of(body: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


Place = tuple[str, str, dict[str, str]]


def place_of(request: SignedRequest) -> Place:
    """Return bucket, key and query of a URL, as a router would."""
    parts = urlsplit(request.url)
    bucket, _, key = parts.path.removeprefix("/objects/").partition("/")
    return bucket, key, dict(parse_qsl(parts.query))


def carry(storage: LocalStorage, request: SignedRequest, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Do what the Brain's routes do with a signed request."""
    bucket, key, query = place_of(request)
    try:
        if request.method == "PUT":
            if "part" not in query:
                put = storage.receive_object(bucket, key, query, chunks_of(body), content_length=len(body))
                return Answer(status=200, headers={"etag": f'"{asyncio.run(put).checksum}"'})
            receiving = storage.receive_part(bucket, key, query, chunks_of(body), content_length=len(body))
            return Answer(status=200, headers={"etag": asyncio.run(receiving).etag})
        download = storage.open_download(bucket, key, query, range_header=headers.get("Range"))
    except StorageError as error:
        return Answer(status=STATUS[type(error)])
    content = b"" if request.method == "HEAD" else b"".join(download.chunks)
    return Answer(
        status=download.status, headers={name.lower(): value for name, value in download.headers.items()}, body=content
    )


@pytest.fixture
def send(storage: LocalStorage) -> Send:
    def send(request: SignedRequest, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return carry(storage, request, body, headers or {})

    return send


class TestLocalStorage(StorageConformance):
    """The contract of every storage."""


def started(storage: LocalStorage, content: bytes, number: int = 1) -> tuple[str, Place]:
    """Start an upload and sign one part; return the upload's id and where the part's URL points."""
    upload_id = storage.start_upload(Bucket.DATA, KEY)
    request = storage.sign_part(Bucket.DATA, KEY, upload_id, number, encoded_sha256(content))
    return upload_id, place_of(request)


def names(folder: Path) -> Iterator[str]:
    return (path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("way", ["put", "upload", "small object"])
def test_a_power_cut_leaves_an_object_whole_or_none(
    storage: LocalStorage, send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    on_disk: dict[int, frozenset[str]] = {}
    """By inode: files whose bytes are there, and folders with the names that are."""
    not_on_disk: list[Path] = []
    fsync, replace = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        fsync(descriptor)
        status = os.fstat(descriptor)
        on_disk[status.st_ino] = frozenset(os.listdir(descriptor)) if stat.S_ISDIR(status.st_mode) else frozenset()

    def publish(self: Path, target: Path) -> Path:
        contents = tmp_path / "storage" / "contents"
        parts_of = {path.name for path in contents.iterdir() if path.is_dir()}
        if not parts_of <= on_disk.get(contents.stat().st_ino, frozenset()):
            not_on_disk.append(contents)
        for path in (*contents.glob("*"), *contents.glob("*/*")):
            names = frozenset(each.name for each in path.iterdir()) if path.is_dir() else frozenset()
            if on_disk.get(path.stat().st_ino) != names:
                not_on_disk.append(path)
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", publish)
    first, last = full_part(1), b"end"
    content = first + last
    match way:
        case "put":
            (tmp_path / "file").write_bytes(content)
            storage.put(Bucket.DATA, KEY, tmp_path / "file")
        case "upload":
            upload_id = storage.start_upload(Bucket.DATA, KEY)
            for number, part in enumerate((first, last), start=1):
                send(storage.sign_part(Bucket.DATA, KEY, upload_id, number, encoded_sha256(part)), body=part)
            storage.complete_upload(Bucket.DATA, KEY, upload_id)
        case _:
            content = last
            send(storage.sign_put(Bucket.DATA, KEY), body=content)
    assert storage.read(Bucket.DATA, KEY, limit_bytes=len(content)) == content
    assert not_on_disk == []
    [record] = (path for path in (tmp_path / "storage" / "records").rglob("*") if path.is_file())
    assert record.name in on_disk[record.parent.stat().st_ino]


def test_what_a_write_leaves_over_is_written_too(
    storage: LocalStorage, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_a_little(descriptor: int, pieces: list[bytes]) -> int:
        return os.write(descriptor, b"".join(pieces)[:3])

    monkeypatch.setattr(os, "writev", write_a_little)
    send(storage.sign_put(Bucket.DATA, KEY), body=b"all of it")
    assert storage.read(Bucket.DATA, KEY, limit_bytes=9) == b"all of it"


def test_parts_that_are_missing_where_they_were_moved_to_are_noticed(
    storage: LocalStorage, send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = storage.start_upload(Bucket.DATA, KEY)
    for number, part in enumerate((full_part(1), b"end"), start=1):
        send(storage.sign_part(Bucket.DATA, KEY, upload_id, number, encoded_sha256(part)), body=part)
    with monkeypatch.context() as ended:
        ended.setattr(LocalStorage, "_publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            storage.complete_upload(Bucket.DATA, KEY, upload_id)
    [first] = (tmp_path / "storage" / "contents").rglob("00001.*")
    first.unlink()
    with pytest.raises(UploadIncomplete):
        storage.complete_upload(Bucket.DATA, KEY, upload_id)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_urls_live_for_a_quarter_of_an_hour(storage: LocalStorage, clock: Clock, send: Send, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    storage.put(Bucket.DATA, KEY, tmp_path / "file")
    request = storage.sign_get(Bucket.DATA, KEY)
    clock.now += timedelta(seconds=URL_LIFETIME_S - 1)
    assert send(request).status == 200
    clock.now += timedelta(seconds=1)
    assert send(request).status == 403
    with pytest.raises(SignatureRefused) as refusal:
        storage.open_download(*place_of(request))
    assert refusal.value.explain()["code"] == "link_expired"


def test_all_urls_of_an_upload_may_be_had_at_once_for_half_a_day(
    storage: LocalStorage, clock: Clock, send: Send
) -> None:
    upload_id = storage.start_upload(Bucket.DATA, KEY)
    request = storage.sign_part(Bucket.DATA, KEY, upload_id, 1, None, lifetime_s=UNHURRIED_URL_LIFETIME_S)
    clock.now += timedelta(seconds=UNHURRIED_URL_LIFETIME_S - 1)
    assert send(request, body=b"late").status == 200
    clock.now += timedelta(seconds=1)
    assert send(request, body=b"too late").status == 403


def test_a_right_to_send_a_part_is_none_to_put_an_object(storage: LocalStorage, send: Send) -> None:
    upload_id, (bucket, key, query) = started(storage, b"x")
    bare = {name: value for name, value in query.items() if name not in {"part", "upload"}}
    with pytest.raises(SignatureRefused):
        asyncio.run(storage.receive_object(bucket, key, bare, chunks_of(b"x"), content_length=1))
    put = place_of(storage.sign_put(Bucket.DATA, KEY))[2] | {"part": "1", "upload": upload_id}
    with pytest.raises(SignatureRefused):
        asyncio.run(storage.receive_part(bucket, key, put, chunks_of(b"x"), content_length=1))


def test_a_put_that_is_too_large_leaves_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    bucket, key, query = place_of(storage.sign_put(Bucket.DATA, KEY))
    body = bytes(PART_SIZE_BYTES + 1)
    with pytest.raises(ObjectTooLarge):
        asyncio.run(storage.receive_object(bucket, key, query, chunks_of(body), content_length=None))
    assert storage.head(Bucket.DATA, KEY) is None
    assert list((tmp_path / "storage" / "contents").iterdir()) == []


def test_another_secret_key_makes_other_urls(storage: LocalStorage, tmp_path: Path, clock: Clock) -> None:
    stranger = LocalStorage(tmp_path / "storage", base_url=BASE_URL, secret_key=b"guessed", clock=clock)
    with pytest.raises(SignatureRefused):
        storage.open_download(*place_of(stranger.sign_get(Bucket.DATA, KEY)))


def test_a_body_longer_than_declared_is_refused_before_it_is_whole(storage: LocalStorage) -> None:
    seen = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal seen
        while seen < 2 * PART_SIZE_BYTES:
            seen += 1024 * 1024
            yield bytes(1024 * 1024)

    upload_id, place = started(storage, bytes(1024))
    with pytest.raises(ObjectTooLarge):
        asyncio.run(storage.receive_part(*place, endless(), content_length=1024))
    assert seen == 1024 * 1024
    assert list(storage.list_parts(Bucket.DATA, KEY, upload_id)) == []


@pytest.mark.parametrize("content_length", [None, PART_SIZE_BYTES + 1])
def test_no_part_is_larger_than_a_part(storage: LocalStorage, content_length: int | None) -> None:
    content = full_part(1) + b"x"
    _, place = started(storage, content)
    with pytest.raises(ObjectTooLarge):
        asyncio.run(storage.receive_part(*place, chunks_of(content), content_length=content_length))


def test_a_sender_who_hangs_up_leaves_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    async def breaks_off() -> AsyncIterator[bytes]:
        yield full_part(1)[: PART_SIZE_BYTES // 2]
        raise ConnectionResetError

    upload_id, place = started(storage, full_part(1))
    before = set(names(tmp_path))
    with pytest.raises(ConnectionResetError):
        asyncio.run(storage.receive_part(*place, breaks_off(), content_length=PART_SIZE_BYTES))
    assert set(names(tmp_path)) == before
    assert list(storage.list_parts(Bucket.DATA, KEY, upload_id)) == []


def test_a_request_that_is_cancelled_leaves_nothing(storage: LocalStorage, tmp_path: Path) -> None:
    async def cancelled_in_the_middle() -> None:
        has_begun = asyncio.Event()

        async def stalls() -> AsyncIterator[bytes]:
            yield full_part(1)[: 3 * 1024 * 1024]
            has_begun.set()
            await asyncio.Event().wait()

        receiving = asyncio.create_task(storage.receive_part(*place, stalls(), content_length=PART_SIZE_BYTES))
        await has_begun.wait()
        receiving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receiving

    _, place = started(storage, full_part(1))
    before = set(names(tmp_path))
    asyncio.run(cancelled_in_the_middle())
    assert set(names(tmp_path)) == before


def test_a_part_that_comes_twice_at_once_is_there_once(storage: LocalStorage, tmp_path: Path) -> None:
    async def both() -> None:
        await asyncio.gather(
            *(storage.receive_part(*place, chunks_of(full_part(1)), content_length=None) for _ in range(2))
        )

    upload_id, place = started(storage, full_part(1))
    asyncio.run(both())
    assert len(storage.list_parts(Bucket.DATA, KEY, upload_id)) == 1
    assert sum(name.startswith("00001.") for name in names(tmp_path)) == 1


def test_a_part_that_comes_when_the_upload_was_completed_changes_nothing(storage: LocalStorage) -> None:
    upload_id, place = started(storage, b"late")
    first = storage.sign_part(Bucket.DATA, KEY, upload_id, 1, encoded_sha256(b"in time"))

    async def completed_meanwhile() -> AsyncIterator[bytes]:
        yield b"la"
        await storage.receive_part(*place_of(first), chunks_of(b"in time"), content_length=None)
        storage.complete_upload(Bucket.DATA, KEY, upload_id)
        yield b"te"

    with pytest.raises(UploadNotFound):
        asyncio.run(storage.receive_part(*place, completed_meanwhile(), content_length=None))
    assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"in time"


def test_a_part_between_must_be_of_full_size(storage: LocalStorage, send: Send) -> None:
    upload_id = storage.start_upload(Bucket.DATA, KEY)
    for number, content in ((1, b"short"), (2, b"end")):
        send(storage.sign_part(Bucket.DATA, KEY, upload_id, number, encoded_sha256(content)), body=content)
    with pytest.raises(UploadIncomplete, match="part 1 has 5 bytes"):
        storage.complete_upload(Bucket.DATA, KEY, upload_id)


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_part_numbers_have_limits(storage: LocalStorage, number: int) -> None:
    upload_id = storage.start_upload(Bucket.DATA, KEY)
    with pytest.raises(UploadIncomplete):
        storage.sign_part(Bucket.DATA, KEY, upload_id, number, encoded_sha256(b""))


@pytest.mark.parametrize("upload_id", ["", "..", "../contents", "0" * 31, "A" * 32, "0" * 32])
def test_an_upload_id_is_never_a_path(storage: LocalStorage, upload_id: str) -> None:
    with pytest.raises(UploadNotFound):
        storage.list_parts(Bucket.DATA, KEY, upload_id)


def test_completing_goes_on_where_a_crash_ended_it(storage: LocalStorage, tmp_path: Path, send: Send) -> None:
    upload_id = storage.start_upload(Bucket.DATA, KEY)
    send(storage.sign_part(Bucket.DATA, KEY, upload_id, 1, encoded_sha256(b"all")), body=b"all")
    # As after a crash between the two steps: the folder has moved, and nothing points at it.
    (tmp_path / "storage/uploads" / upload_id).rename(tmp_path / "storage/contents" / upload_id)
    assert storage.head(Bucket.DATA, KEY) is None
    assert storage.complete_upload(Bucket.DATA, KEY, upload_id).size_bytes == 3
    assert storage.read(Bucket.DATA, KEY, limit_bytes=3) == b"all"


def test_a_put_that_fails_leaves_nothing_and_the_earlier_object(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"first")
    storage.put(Bucket.DATA, KEY, tmp_path / "file")
    before = set(names(tmp_path))
    with pytest.raises(IsADirectoryError):
        storage.put(Bucket.DATA, KEY, tmp_path)
    assert set(names(tmp_path)) == before
    assert storage.read(Bucket.DATA, KEY, limit_bytes=100) == b"first"


PUT_FOR_EVER = """
import sys
from itertools import cycle
from pathlib import Path
from cloudmr.storage.base import Bucket
from cloudmr.storage.local_objects import LocalObjects

storage = LocalObjects(Path(sys.argv[1]))
for file in cycle(sys.argv[2:]):
    storage.put(Bucket.DATA, "uploads/data_01", Path(file))
    print("put", flush=True)
"""


@pytest.mark.parametrize("n_puts", range(1, 5))
def test_killed_in_the_middle_of_a_put_there_is_one_whole_object(tmp_path: Path, n_puts: int) -> None:
    contents = (b"a" * 3_000_000, b"b" * 2_000_000)
    files = [tmp_path / str(number) for number in range(2)]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    command = [sys.executable, "-c", PUT_FOR_EVER, str(tmp_path / "storage"), *map(str, files)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(n_puts):
            assert process.stdout.readline()
        process.kill()
    storage = LocalObjects(tmp_path / "storage")
    [info] = storage.list(Bucket.DATA, "")
    content = storage.read(Bucket.DATA, KEY, limit_bytes=10**7)
    assert content in contents
    assert (info.size_bytes, info.checksum) == (len(content), composite_of(content))


def test_leftovers_are_removed_and_nothing_else(storage: LocalStorage, send: Send, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    (tmp_path / "file").write_bytes(b"kept")
    storage.put(Bucket.RESULTS, "kept", tmp_path / "file")
    forsaken = storage.start_upload(Bucket.DATA, "forsaken")
    on_its_way = storage.start_upload(Bucket.DATA, KEY)
    orphan = tmp_path / "storage/contents" / ("0" * 32)
    orphan.mkdir()
    a_week_ago = (now - timedelta(days=7)).timestamp()
    for path in (*(tmp_path / "storage/contents").iterdir(), tmp_path / "storage/uploads" / forsaken):
        os.utime(path, (a_week_ago, a_week_ago))
    assert storage.remove_leftovers(before=now - timedelta(days=1)) == 2
    assert not orphan.exists()
    assert storage.read(Bucket.RESULTS, "kept", limit_bytes=4) == b"kept"
    assert list(storage.list_parts(Bucket.DATA, KEY, on_its_way)) == []
    with pytest.raises(UploadNotFound):
        storage.list_parts(Bucket.DATA, "forsaken", forsaken)


def test_objects_are_private_to_their_user(storage: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    storage.put(Bucket.DATA, KEY, tmp_path / "file")
    folders = [path for path in (tmp_path / "storage").rglob("*") if path.is_dir()]
    assert {path.stat().st_mode & 0o077 for path in folders} == {0}


def test_another_instance_sees_the_same(storage: LocalStorage, tmp_path: Path) -> None:
    upload_id, place = started(storage, b"all")
    again = LocalStorage(tmp_path / "storage", base_url=BASE_URL, secret_key=b"secret", clock=Clock())
    asyncio.run(again.receive_part(*place, chunks_of(b"all"), content_length=3))
    assert again.complete_upload(Bucket.DATA, KEY, upload_id) == storage.head(Bucket.DATA, KEY)
