"""An object comes to this machine: from where it stopped the last time, and kept only if it is what was announced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from cloudmr.client.answers import SignedLink
from cloudmr.client.connection import Connection, describe
from cloudmr.client.errors import DamagedTransfer, LocalFileError, TransferFailed
from cloudmr.client.progress import Advance
from cloudmr.client.retries import PASSING_STATUSES, PATIENT, Tries, asked_delay_s
from cloudmr.storage.checksums import checksum_file

_TIMEOUT = httpx.Timeout(60, connect=10)
_AGAIN_STATUSES = PASSING_STATUSES | {httpx.codes.FORBIDDEN}  # 403: the URL has expired


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an object must be; None: not known. `sha256` is in hex, `composite` that of its parts."""

    size_bytes: int | None = None
    sha256: str | None = None
    composite: str | None = None

    @property
    def is_certain(self) -> bool:
        """Whether a file that is as expected is this object, and no other that looks like it."""
        return self.sha256 is not None or self.composite is not None

    def complaint(self, path: Path) -> str | None:
        """Return what is wrong with a file, None if nothing is. Raise `OSError` if it cannot be read."""
        found = checksum_file(path)
        if self.size_bytes is not None and found.size_bytes != self.size_bytes:
            return f"it has {found.size_bytes} bytes instead of {self.size_bytes}"
        if self.sha256 is not None and found.sha256 != self.sha256:
            return "its SHA-256 is another"
        if self.composite is not None and found.composite != self.composite:
            return "its checksum is another"
        return None


def fetch(
    connection: Connection,
    sign: Callable[[], SignedLink],
    destination: Path,
    expected: Expected,
    *,
    advance: Advance,
    overwrite: bool = False,
) -> None:
    """Bring an object to `destination`; `sign` gives a URL for it, each time a fresh one.

    A file that is already there and is certainly what is expected is left alone. Raise `LocalFileError` for another one
    unless `overwrite`, `TransferFailed`, `DamagedTransfer`, and what `sign` raises. What had come until a failure is
    kept beside the destination as `.NAME.part`, and gone on with where it can be told in the end if that was right.
    """
    try:
        if destination.exists():
            if expected.is_certain and expected.complaint(destination) is None:
                advance(destination.stat().st_size)
                return
            if not overwrite:
                raise LocalFileError(
                    f"{destination} is there already, and holds something else.",
                    "Choose another place, or give --overwrite.",
                    code="file_exists",
                )
        destination.parent.mkdir(parents=True, exist_ok=True)
        _Fetch(connection, sign, destination, advance).until(expected)
    except OSError as error:
        raise LocalFileError.of(destination, error) from None


class _Fetch:
    """One object on its way."""

    def __init__(
        self, connection: Connection, sign: Callable[[], SignedLink], destination: Path, advance: Advance
    ) -> None:
        self._connection = connection
        self._sign = sign
        self._destination = destination
        self._partial = destination.with_name(f".{destination.name}.part")
        self._advance = advance

    def until(self, expected: Expected) -> None:
        if not expected.is_certain:
            self._partial.unlink(missing_ok=True)
        resumed_bytes = self._n_bytes()
        self._advance(resumed_bytes)
        self._complete()
        complaint = expected.complaint(self._partial)
        if complaint and resumed_bytes:
            # What was left of an earlier download need not have been of this object.
            self._discard()
            self._complete()
            complaint = expected.complaint(self._partial)
        if complaint:
            self._discard()
            raise DamagedTransfer(self._destination.name, complaint)
        self._partial.replace(self._destination)

    def _complete(self) -> None:
        """Try until the last byte has come."""
        tries = Tries(PATIENT, self._connection.pause)
        what = f"The download of {self._destination.name}"
        while True:
            before = self._n_bytes()
            try:
                failure, asked_s = self._try(what)
            except httpx.RequestError as error:
                failure, asked_s = TransferFailed(what, describe(error)), None
            if failure is None:
                return
            if self._n_bytes() > before:
                tries.got_somewhere()
            tries.failed(failure, asked_s=asked_s)

    def _try(self, what: str) -> tuple[TransferFailed | None, float | None]:
        """Take what comes; return why it may be tried again, None if all has come."""
        link = self._sign()
        start = self._n_bytes()
        wanted = {"Range": f"bytes={start}-"} if start else {}
        # Bytes as they are: a length that counts compressed ones would be of no use.
        headers = {**link.headers, "Accept-Encoding": "identity", **wanted}
        with self._connection.http.stream(link.method, link.url, headers=headers, timeout=_TIMEOUT) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                if response.headers.get("Content-Range") == f"bytes */{start}":
                    return None, None
                self._discard()
                return TransferFailed(what, "what had come was longer than the object"), 0
            if not response.is_success:
                failure = TransferFailed(what, f"the storage answered {response.status_code}")
                if response.status_code not in _AGAIN_STATUSES:
                    raise failure
                return failure, asked_delay_s(response.headers.get("Retry-After"))
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                self._discard()
            with self._partial.open("ab") as file:
                for chunk in response.iter_raw():
                    file.write(chunk)
                    self._advance(len(chunk))
        return None, None

    def _n_bytes(self) -> int:
        return self._partial.stat().st_size if self._partial.exists() else 0

    def _discard(self) -> None:
        self._advance(-self._n_bytes())
        self._partial.unlink(missing_ok=True)
