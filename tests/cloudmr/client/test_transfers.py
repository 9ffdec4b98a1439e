"""Uploads and downloads at their border with the storage: what is cut, refused or damaged on the way."""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import itertools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloudmr.client.answers import SignedLink
from cloudmr.client.connection import Connection
from cloudmr.client.download import Expected, fetch
from cloudmr.client.errors import DamagedTransfer, LocalFileError, StrangeAnswer, TransferFailed
from cloudmr.client.source_file import Part, SourceFile
from cloudmr.client.upload import N_PARTS_AHEAD, N_PARTS_AT_ONCE, send_file
from cloudmr.storage.checksums import composite

BRAIN = "https://brain.example.org"
STORE = "https://store.example.org"
PART_SIZE_BYTES = 100
CONTENT = bytes(range(256)) * 2
DATA_ID = "data_1"

Fault = Callable[[httpx.Request], httpx.Response | None]
"""Answers in place of the storage, or raises, or lets the request through by None."""


@dataclass
class Border:
    """A Brain that signs URLs and a storage that takes parts and gives objects, with faults on the way."""

    faults: list[Fault] = field(default_factory=list)
    parts: dict[int, bytes] = field(default_factory=dict)
    n_put: Counter[int] = field(default_factory=Counter)
    n_signed: Counter[int] = field(default_factory=Counter)
    before_put: Callable[[], None] = lambda: None
    n_links: int | None = None
    """More than so many are not signed at once, whatever was asked for."""
    is_completed: bool = False
    tokens_at_store: set[str] = field(default_factory=set)
    ranges: list[str | None] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def connection(self) -> Connection:
        return Connection(BRAIN, token="cmr_token", transport=httpx.MockTransport(self.answer), pause=lambda _: None)

    def answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.method == "PUT":
            self.before_put()
        with self.lock:
            if request.url.host == "brain.example.org":
                return self._brain(request)
            self.tokens_at_store.add(request.headers.get("Authorization", ""))
            if request.method == "PUT":
                self.n_put[int(request.url.path.rpartition("/")[2])] += 1
            else:
                self.ranges.append(request.headers.get("Range"))
            if self.faults and (refusal := self.faults.pop(0)(request)) is not None:
                return refusal
            return self._put(request) if request.method == "PUT" else self._get(request)

    def _brain(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path.split("/")[4:]:
            case "GET", ["parts"]:
                parts = [
                    {"number": n, "size_bytes": len(part), "sha256": sha256(part)} for n, part in self.parts.items()
                ]
                return httpx.Response(200, json={"part_size_bytes": PART_SIZE_BYTES, "parts": parts})
            case "POST", ["parts"]:
                wanted = json.loads(request.content)["parts"]
                self.n_signed.update(part["number"] for part in wanted)
                return httpx.Response(200, json={"links": [signed(part) for part in wanted][: self.n_links]})
            case "POST", ["complete"]:
                self.is_completed = True
                digests = [hashlib.sha256(part).digest() for _, part in sorted(self.parts.items())]
                return httpx.Response(200, json=data_file(composite(digests)))
        raise AssertionError(request.url)

    def _put(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["x-signed"] == "yes"
        assert int(request.headers["Content-Length"]) == len(request.content)
        self.parts[int(request.url.path.rpartition("/")[2])] = request.content
        return httpx.Response(200)

    def _get(self, request: httpx.Request) -> httpx.Response:
        wanted = request.headers.get("Range")
        if wanted is None:
            return httpx.Response(200, stream=Body(CONTENT))
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(CONTENT):
            return httpx.Response(416, headers={"Content-Range": f"bytes */{len(CONTENT)}"})
        return httpx.Response(206, stream=Body(CONTENT[start:]))


class Body(httpx.SyncByteStream):
    """A body that comes in pieces and may be cut."""

    def __init__(self, content: bytes, *, cut_at: int | None = None) -> None:
        self._content = content
        self._cut_at = cut_at

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[: self._cut_at]
        if self._cut_at is not None:
            raise httpx.ReadError("cut")


def sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def signed(part: dict[str, Any]) -> dict[str, object]:
    url = f"{STORE}/{part['number']}?sha256={part['sha256']}"
    return {"method": "PUT", "url": url, "headers": {"x-signed": "yes"}}


def data_file(checksum: str) -> dict[str, object]:
    return {
        "id": DATA_ID,
        "filename": "meas.dat",
        "size_bytes": len(CONTENT),
        "state": "ready",
        "computing_unit_id": "unit_1",
        "bucket": "data",
        "key": f"uploads/{DATA_ID}",
        "checksum": checksum,
    }


def passes(_: httpx.Request) -> None:
    return None


def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.WriteError("cut", request=request)


def status(code: int) -> Fault:
    return lambda _: httpx.Response(code)


@pytest.fixture
def source(tmp_path: Path) -> SourceFile:
    path = tmp_path / "meas.dat"
    path.write_bytes(CONTENT)
    return SourceFile.of(path)


def send(border: Border, source: SourceFile) -> list[int]:
    told: list[int] = []
    with border.connection() as connection:
        send_file(connection, source, DATA_ID, advance=told.append)
    return told


def test_a_file_arrives_whole_and_its_way_is_told(source: SourceFile) -> None:
    border = Border()
    told = send(border, source)
    assert b"".join(part for _, part in sorted(border.parts.items())) == CONTENT
    assert sum(told) == len(CONTENT)
    assert set(border.n_put.values()) == {1}


@pytest.mark.parametrize("fault", [cut, status(403), status(503), status(400)])
def test_a_part_that_fails_is_sent_again_by_a_new_url(source: SourceFile, fault: Fault) -> None:
    border = Border(faults=[fault])
    told = send(border, source)
    assert sorted(border.n_put.values()) == [1, 1, 1, 1, 1, 2]
    assert sorted(border.n_signed.values()) == [1, 1, 1, 1, 1, 2]
    assert sum(told) == len(CONTENT)


def test_a_brain_that_signs_fewer_parts_than_were_asked_for_is_found_out(source: SourceFile) -> None:
    with pytest.raises(StrangeAnswer, match="1 links for 4 parts"):
        send(Border(n_links=1), source)


def test_a_failure_of_the_last_part_is_noticed(source: SourceFile) -> None:
    border = Border(faults=[lambda request: httpx.Response(404) if request.url.path == "/6" else None] * 6)
    with pytest.raises(TransferFailed, match="404"):
        send(border, source)
    assert not border.is_completed


def test_a_part_that_waited_long_gets_another_link(source: SourceFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudmr.client.upload._LINK_KEPT_S", -1)
    border = Border()
    send(border, source)
    assert set(border.n_put.values()) == {1}
    assert set(border.n_signed.values()) == {2}


def test_a_slow_line_is_given_little_at_once_so_that_an_interrupt_is_heard(
    source: SourceFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.path.write_bytes(bytes(2**20 + 2**17))
    monkeypatch.setattr(sys.modules[__name__], "PART_SIZE_BYTES", 2**21)
    assert send(Border(), SourceFile.of(source.path)) == [2**20, 2**17]
    monkeypatch.setattr(time, "monotonic", itertools.count().__next__)
    assert send(Border(), SourceFile.of(source.path)) == [2**20, 2**16, 2**16]


def test_no_more_parts_are_signed_than_wait_to_be_sent(source: SourceFile, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = threading.Event()

    def hold() -> None:
        assert waits.wait(30)

    border = Border(before_put=hold)
    n_ahead: list[int] = []

    def read(self: SourceFile, number: int, part_size_bytes: int) -> Part:
        n_ahead.append(number - len(border.parts))
        return part_of(self, number, part_size_bytes)

    def wait(*args: Any, **options: Any) -> Any:
        if "return_when" in options:
            waits.set()
        return wait_for_futures(*args, **options)

    part_of, wait_for_futures = SourceFile.part, concurrent.futures.wait
    monkeypatch.setattr(SourceFile, "part", read)
    monkeypatch.setattr("cloudmr.client.upload.wait", wait)
    source.path.write_bytes(CONTENT * 8)
    send(border, SourceFile.of(source.path))
    assert len(border.parts) == 41
    assert max(n_ahead) <= N_PARTS_AT_ONCE + N_PARTS_AHEAD


def test_the_token_never_goes_to_the_storage(source: SourceFile) -> None:
    border = Border(faults=[cut, status(403)])
    send(border, source)
    assert border.tokens_at_store == {""}


def test_an_upload_goes_on_with_what_is_missing(source: SourceFile) -> None:
    damaged = b"?" * PART_SIZE_BYTES
    border = Border(parts={1: CONTENT[:100], 2: damaged, 4: CONTENT[300:400]})
    told = send(border, source)
    assert sorted(border.n_put) == [2, 3, 5, 6]
    assert sum(told) == len(CONTENT)


def test_an_upload_that_fails_for_good_leaves_what_has_arrived(source: SourceFile) -> None:
    border = Border(faults=[passes, passes, status(404)])
    with pytest.raises(TransferFailed) as caught:
        send(border, source)
    assert "404" in caught.value.message
    assert len(border.parts) >= 2


def test_a_storage_that_never_takes_a_part_is_given_up(source: SourceFile) -> None:
    border = Border(faults=[cut] * 1000)
    with pytest.raises(TransferFailed):
        send(border, source)
    assert max(border.n_put.values()) == 9


def test_a_file_that_changes_meanwhile_is_not_completed(source: SourceFile) -> None:
    def change(_: httpx.Request) -> None:
        source.path.write_bytes(CONTENT + b"more")

    border = Border(faults=[change])
    with pytest.raises(LocalFileError) as caught:
        send(border, source)
    assert caught.value.instance_code == "file_changed"


def test_a_storage_that_holds_other_bytes_is_found_out(source: SourceFile) -> None:
    def replace_first(_: httpx.Request) -> None:
        border.parts[7] = b"more"

    border = Border(faults=[replace_first])
    with pytest.raises(TransferFailed, match="other bytes"):
        send(border, source)


WHOLE = Expected(size_bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


def get(border: Border, destination: Path, *, expected: Expected = WHOLE, overwrite: bool = False) -> list[int]:
    told: list[int] = []
    with border.connection() as connection:
        fetch(
            connection,
            lambda: SignedLink(method="GET", url=f"{STORE}/object"),
            destination,
            expected,
            advance=told.append,
            overwrite=overwrite,
        )
    return told


def partial(destination: Path) -> Path:
    return destination.with_name(f".{destination.name}.part")


def test_an_object_comes_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    destination = tmp_path / "below" / "snr.nii.gz"
    told = get(Border(), destination)
    assert destination.read_bytes() == CONTENT
    assert sum(told) == len(CONTENT)
    assert list(destination.parent.iterdir()) == [destination]


def test_a_download_that_is_cut_goes_on_where_it_stopped(tmp_path: Path) -> None:
    def cut_in_the_middle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Body(CONTENT, cut_at=200))

    border = Border(faults=[cut_in_the_middle, status(503), status(403)])
    told = get(border, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert border.ranges == [None, "bytes=200-", "bytes=200-", "bytes=200-"]
    assert sum(told) == len(CONTENT)


def test_a_download_goes_on_after_a_restart(tmp_path: Path) -> None:
    partial(tmp_path / "file").write_bytes(CONTENT[:300])
    border = Border()
    assert sum(get(border, tmp_path / "file")) == len(CONTENT)
    assert border.ranges == ["bytes=300-"]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_download_that_had_all_but_its_name_needs_no_byte_more(tmp_path: Path) -> None:
    partial(tmp_path / "file").write_bytes(CONTENT)
    get(Border(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("left_over", [b"?" * 300, CONTENT + b"more"])
def test_what_an_earlier_download_left_of_another_object_is_given_up(tmp_path: Path, left_over: bytes) -> None:
    partial(tmp_path / "file").write_bytes(left_over)
    told = get(Border(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert sum(told) == len(CONTENT)


def test_a_storage_that_ignores_ranges_is_no_harm(tmp_path: Path) -> None:
    partial(tmp_path / "file").write_bytes(CONTENT[:300])
    get(Border(faults=[lambda _: httpx.Response(200, stream=Body(CONTENT))]), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("expected", [Expected(size_bytes=3), Expected(sha256="0" * 64), Expected(composite="x-1")])
def test_what_is_not_as_announced_is_not_kept(tmp_path: Path, expected: Expected) -> None:
    with pytest.raises(DamagedTransfer):
        get(Border(), tmp_path / "file", expected=expected)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    border = Border()
    assert sum(get(border, tmp_path / "file")) == len(CONTENT)
    assert border.ranges == []


def test_what_cannot_be_told_from_another_object_is_fetched_whole(tmp_path: Path) -> None:
    size_alone = Expected(size_bytes=len(CONTENT))
    partial(tmp_path / "file").write_bytes(b"?" * 300)
    border = Border()
    assert sum(get(border, tmp_path / "file", expected=size_alone)) == len(CONTENT)
    assert (tmp_path / "file").read_bytes() == CONTENT
    with pytest.raises(LocalFileError):
        get(border, tmp_path / "file", expected=size_alone)
    assert border.ranges == [None]


def test_another_file_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(LocalFileError) as caught:
        get(Border(), tmp_path / "file")
    assert caught.value.instance_code == "file_exists"
    assert (tmp_path / "file").read_bytes() == b"mine"
    get(Border(), tmp_path / "file", overwrite=True)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_an_object_that_is_not_there_is_not_asked_for_again(tmp_path: Path) -> None:
    border = Border(faults=[status(404)])
    with pytest.raises(TransferFailed):
        get(border, tmp_path / "file")
    assert len(border.ranges) == 1
