"""A file goes to a unit: a few parts at once, each with its SHA-256, from where it stopped the last time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import httpx

from cloudmr.client.answers import DataFile, PartList, SignedLink
from cloudmr.client.connection import Connection, describe
from cloudmr.client.errors import TransferFailed
from cloudmr.client.progress import Advance
from cloudmr.client.retries import PASSING_STATUSES, PATIENT, Tries, asked_delay_s
from cloudmr.client.source_file import Part, SourceFile
from cloudmr.storage.checksums import composite

N_PARTS_AT_ONCE = 4
_CHUNK_BYTES = 256 * 1024
_STEP_S = 0.2
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
    acquisition: Mapping[str, Any] | None = None,
) -> DataFile:
    """Send the parts that have not arrived yet, and return the data file, complete.

    `acquisition` is what is known of its size in coils and voxels.

    Raise `LocalFileError` if the file changes meanwhile, `TransferFailed`, and what `Connection.ask` raises; what has
    arrived stays there, so that the upload can go on. On an interrupt no part is begun or finished any more.
    """
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
        numbers = range(1, self._source.n_parts(self._part_size_bytes) + 1)
        with ThreadPoolExecutor(N_PARTS_AT_ONCE, thread_name_prefix="upload") as threads:
            futures = [threads.submit(self._send, number) for number in numbers]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self._stop.set()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        return [future.result() for future in futures]

    def _send(self, number: int) -> bytes:
        part = self._source.read_part(number, self._part_size_bytes)
        if self._arrived.get(number) == part.sha256:
            self._advance(len(part.content))
            return part.digest
        tries = Tries(PATIENT, self._pause)
        while (failure := self._try(part)) is not None:
            error, asked_s = failure
            tries.failed(error, asked_s=asked_s)
        return part.digest

    def _try(self, part: Part) -> tuple[TransferFailed, float | None] | None:
        """Send a part once, by a URL made for this try; return why it may be tried again, None if it arrived."""
        what = f"The upload of part {part.number}"
        link = self._connection.ask(
            SignedLink,
            "POST",
            f"/api/data/{self._data_id}/parts/{part.number}",
            body={"sha256": part.sha256},
            is_repeatable=True,
            policy=PATIENT,
        )
        content = _Content(part.content, self._advance, self._stop)
        try:
            response = self._connection.http.request(
                link.method,
                link.url,
                headers={**link.headers, "Content-Length": str(len(part.content))},
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


class _Content:
    """The bytes of one try, told as they leave."""

    def __init__(self, content: bytes, advance: Advance, stop: threading.Event) -> None:
        self._content = content
        self._advance = advance
        self._stop = stop
        self._n_told = 0

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), _CHUNK_BYTES):
            if self._stop.is_set():
                raise _Stopped
            chunk = self._content[start : start + _CHUNK_BYTES]
            yield chunk
            self._n_told += len(chunk)
            self._advance(len(chunk))

    def take_back(self) -> None:
        """Tell that these bytes left in vain."""
        self._advance(-self._n_told)
        self._n_told = 0
