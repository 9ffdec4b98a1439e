"""A file goes to a unit: a few parts at once, each with its SHA-256, from where it stopped the last time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import httpx

from cloudmr.client.answers import DataFile, PartLinks, PartList, SignedLink
from cloudmr.client.connection import Connection, describe
from cloudmr.client.errors import StrangeAnswer, TransferFailed
from cloudmr.client.progress import Advance
from cloudmr.client.retries import PASSING_STATUSES, PATIENT, Tries, asked_delay_s
from cloudmr.client.source_file import Part, SourceFile
from cloudmr.storage.checksums import composite

N_PARTS_AT_ONCE = 4
N_PARTS_AHEAD = 4
"""How many are digested and signed together while others are sent."""
_LINK_KEPT_S = 600
"""How long a part may wait with its link, which is good for a quarter of an hour; on a slow line it gets another."""
_CHUNK_BYTES = 1024 * 1024
_CHUNK_BYTES_OF_SLOW_LINES = 64 * 1024
_STEP_S = 0.2
"""How long an interrupt may go unheard."""
_TIMEOUT = httpx.Timeout(60, connect=10)
_AGAIN_STATUSES = PASSING_STATUSES | {
    httpx.codes.BAD_REQUEST,  # the bytes were damaged on their way
    httpx.codes.FORBIDDEN,  # the URL has expired
}


def send_file(
    connection: Connection,
    source: SourceFile,
    data_id: str,
    *,
    advance: Advance,
    arrived: PartList | None = None,
    acquisition: Mapping[str, Any] | None = None,
) -> DataFile:
    """Send the parts that have not arrived yet, and return the data file, complete.

    `arrived` are those that have, asked for if None; `acquisition` is what is known of its size in coils and voxels.

    Raise `LocalFileError` if the file changes meanwhile, `TransferFailed`, and what `Connection.ask` raises; what has
    arrived stays there, so that the upload can go on. On an interrupt no part is begun or finished any more.
    """
    if arrived is None:
        arrived = connection.ask(PartList, "GET", f"/api/data/{data_id}/parts", policy=PATIENT)
    sender = _Sender(connection, source, data_id, arrived, advance)
    digests = sender.send_all()
    source.check_unchanged()
    data_file = connection.ask(
        DataFile,
        "POST",
        f"/api/data/{data_id}/complete",
        body={"acquisition": acquisition},
        is_repeatable=True,
        policy=PATIENT,
    )
    if data_file.checksum is not None and data_file.checksum != composite(digests):
        raise TransferFailed("The upload", "the storage holds other bytes than the file")
    return data_file


class _Stopped(Exception):
    """Another part failed, or a person interrupted: this one need not be finished."""


class _Sender:
    """The parts of one file on their way."""

    def __init__(
        self, connection: Connection, source: SourceFile, data_id: str, arrived: PartList, advance: Advance
    ) -> None:
        self._connection = connection
        self._source = source
        self._data_id = data_id
        self._part_size_bytes = arrived.part_size_bytes
        self._arrived: Mapping[int, str | None] = {part.number: part.sha256 for part in arrived.parts}
        self._advance = advance
        self._stop = threading.Event()

    def send_all(self) -> list[bytes]:
        """Send what is missing, and return the digests of all parts by number."""
        digests: list[bytes] = []
        sending: set[Future[None]] = set()
        with ThreadPoolExecutor(N_PARTS_AT_ONCE, thread_name_prefix="upload") as threads:
            try:
                for numbers in _groups(self._source.n_parts(self._part_size_bytes)):
                    sending = _wait_until_left(sending, N_PARTS_AT_ONCE)
                    parts = [self._source.part(number, self._part_size_bytes) for number in numbers]
                    digests += [part.digest for part in parts]
                    missing = self._missing(parts)
                    links = zip(missing, self._sign(missing), strict=True)
                    signed_s = time.monotonic()
                    sending |= {threads.submit(self._send, part, link, signed_s) for part, link in links}
                _wait_until_left(sending, 0)
            except BaseException:
                self._stop.set()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return digests

    def _missing(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Return the parts that have not arrived, and tell of the others as sent."""
        missing = []
        for part in parts:
            if self._arrived.get(part.number) == part.sha256:
                self._advance(part.size_bytes)
            else:
                missing.append(part)
        return missing

    def _sign(self, parts: Sequence[Part]) -> Sequence[SignedLink]:
        if not parts:
            return ()
        links = self._connection.ask(
            PartLinks,
            "POST",
            f"/api/data/{self._data_id}/parts",
            body={"parts": [{"number": part.number, "sha256": part.sha256} for part in parts]},
            is_repeatable=True,
            policy=PATIENT,
        ).links
        if len(links) != len(parts):
            raise StrangeAnswer(self._connection.server, f"{len(links)} links for {len(parts)} parts")
        return links

    def _send(self, part: Part, link: SignedLink, signed_s: float) -> None:
        if time.monotonic() > signed_s + _LINK_KEPT_S:
            [link] = self._sign([part])
        tries = Tries(PATIENT, self._pause)
        while (failure := self._try(part, link)) is not None:
            error, asked_s = failure
            tries.failed(error, asked_s=asked_s)
            [link] = self._sign([part])

    def _try(self, part: Part, link: SignedLink) -> tuple[TransferFailed, float | None] | None:
        """Send a part once; return why it may be tried again by another URL, None if it arrived."""
        what = f"The upload of part {part.number}"
        self._source.check_unchanged()
        content = _Content(self._source, part, self._advance, self._stop)
        try:
            response = self._connection.http.request(
                link.method,
                link.url,
                headers={**link.headers, "Content-Length": str(part.size_bytes)},
                content=content,
                timeout=_TIMEOUT,
            )
        except httpx.RequestError as error:
            content.take_back()
            return TransferFailed(what, describe(error)), None
        if response.is_success:
            return None
        content.take_back()
        failure = TransferFailed(what, f"the storage answered {response.status_code}")
        if response.status_code not in _AGAIN_STATUSES:
            raise failure
        return failure, asked_delay_s(response.headers.get("Retry-After"))

    def _pause(self, delay_s: float) -> None:
        """Wait in short steps, so that an interrupt need not wait for the end of a long one."""
        while delay_s > 0:
            self._connection.pause(min(delay_s, _STEP_S))
            delay_s -= _STEP_S
            if self._stop.is_set():
                raise _Stopped


def _groups(n_parts: int) -> Iterator[range]:
    """Yield the numbers of parts that are signed together: the first alone, so that something is on its way soon."""
    yield range(1, 2)
    for first in range(2, n_parts + 1, N_PARTS_AHEAD):
        yield range(first, min(first + N_PARTS_AHEAD, n_parts + 1))


def _wait_until_left(sending: set[Future[None]], n_left: int) -> set[Future[None]]:
    """Return what is still on its way, when it is no more than so many. Raise what one of them ended with."""
    while True:
        done, sending = wait(sending, timeout=0)
        for future in done:
            future.result()
        if len(sending) <= n_left:
            return sending
        wait(sending, return_when=FIRST_COMPLETED)


class _Content:
    """The bytes of one try, read as they leave, and told of."""

    def __init__(self, source: SourceFile, part: Part, advance: Advance, stop: threading.Event) -> None:
        self._source = source
        self._part = part
        self._advance = advance
        self._stop = stop
        self._n_told = 0

    def __iter__(self) -> Iterator[bytes]:
        n_bytes, left = _CHUNK_BYTES, self._part.size_bytes
        while left and not self._stop.is_set():
            chunk = self._source.read(self._part.start + self._part.size_bytes - left, min(n_bytes, left))
            if not chunk:
                return  # the file is shorter than it was
            began_s = time.monotonic()
            yield chunk
            if time.monotonic() > began_s + _STEP_S:
                n_bytes = _CHUNK_BYTES_OF_SLOW_LINES
            left -= len(chunk)
            self._n_told += len(chunk)
            self._advance(len(chunk))
        if left:
            raise _Stopped

    def take_back(self) -> None:
        """Tell that these bytes left in vain."""
        self._advance(-self._n_told)
        self._n_told = 0
