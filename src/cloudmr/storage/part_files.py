"""Parts as files: a folder of files whose names say number, size and SHA-256, each there only when it is whole.

`00002.10485760.9f86d0…` is part 2. A part appears by rename after its bytes were checked, so that whatever a crash
leaves behind is either a whole part or a name that starts with a dot.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cloudmr.storage.errors import ChecksumMismatch, ObjectTooLarge, UploadNotFound

_READ_BYTES = 1024 * 1024
_NAME = re.compile(r"(?P<number>[0-9]{5})\.(?P<size>[0-9]+)\.(?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class PartFile:
    """One whole part: its number from 1, its size, its SHA-256 in hex, and where it lies."""

    number: int
    size_bytes: int
    sha256: str
    path: Path

    @property
    def digest(self) -> bytes:
        """The SHA-256 as 32 bytes."""
        return bytes.fromhex(self.sha256)


def list_part_files(folder: Path) -> tuple[PartFile, ...]:
    """Return the whole parts in a folder, by number. Raise FileNotFoundError when there is no folder."""
    newest: dict[int, tuple[tuple[int, str], PartFile]] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if not (match := _NAME.fullmatch(entry.name)):
                continue
            part = PartFile(
                number=int(match["number"]),
                size_bytes=int(match["size"]),
                sha256=match["sha256"],
                path=folder / entry.name,
            )
            try:
                age = _age(part.path)
            except FileNotFoundError:  # replaced by a newer one since the folder was listed
                continue
            if part.number not in newest or newest[part.number][0] < age:
                newest[part.number] = (age, part)
    return tuple(newest[number][1] for number in sorted(newest))


class PartWriter:
    """Receives the bytes of one part; leaves nothing behind unless `commit` succeeded.

    A context manager: `with PartWriter(…) as part: part.write([piece]); part.commit()`.
    """

    def __init__(self, folder: Path, number: int, *, limit_bytes: int) -> None:
        """Open a part. Raise `UploadNotFound` when the folder is gone."""
        self._folder = folder
        self._number = number
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._partial = folder / f".{secrets.token_hex(8)}"
        try:
            self._file = self._partial.open("x+b", buffering=0)  # closed by __exit__
        except FileNotFoundError:
            raise UploadNotFound from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    @property
    def size_bytes(self) -> int:
        """How many bytes have come so far."""
        return self._size_bytes

    def write(self, pieces: Sequence[bytes]) -> None:
        """Take some bytes. Raise `ObjectTooLarge` when there are more than the limit, before any of them is written."""
        n_bytes = sum(map(len, pieces))
        self._size_bytes += n_bytes
        if self._size_bytes > self._limit_bytes:
            raise ObjectTooLarge(f"Part {self._number}", self._limit_bytes)
        n_written = os.writev(self._file.fileno(), pieces)
        if n_written < n_bytes:  # the disk is full, which only the next byte is told
            rest = memoryview(b"".join(pieces))[n_written:]
            while rest:
                rest = rest[self._file.write(rest) :]

    def commit(self, *, expected: bytes | None = None) -> PartFile:
        """Make the part appear, whole and under its name, in place of an earlier one of its number.

        Its bytes are on disk then; its name is when the folder is (`sync_folder`). Raise `ChecksumMismatch` when its
        SHA-256 is not the expected one, `UploadNotFound` when the upload ended in the meantime.
        """
        digest = self._digest()
        if expected is not None and digest != expected:
            raise ChecksumMismatch(f"Part {self._number}")
        os.fsync(self._file.fileno())
        part = PartFile(
            number=self._number,
            size_bytes=self._size_bytes,
            sha256=digest.hex(),
            path=self._folder / f"{self._number:05d}.{self._size_bytes}.{digest.hex()}",
        )
        try:
            # The last one to arrive counts, whenever its first byte came.
            os.utime(self._partial, ns=(now := time.time_ns(), now))
            self._partial.rename(part.path)
        except FileNotFoundError:
            raise UploadNotFound from None
        self._remove_older(part)
        return part

    def _digest(self) -> bytes:
        """Return the SHA-256 of what was written, read again: one by one, the pieces that came would cost more."""
        digest = hashlib.sha256()
        buffer = bytearray(_READ_BYTES)
        self._file.seek(0)
        while n_read := self._file.readinto(buffer):
            digest.update(memoryview(buffer)[:n_read])
        return digest.digest()

    def _remove_older(self, part: PartFile) -> None:
        # Only older ones: of two that arrive at once, each would otherwise remove the other.
        for path in self._folder.glob(f"{part.number:05d}.*"):
            try:
                if path != part.path and _age(path) < _age(part.path):
                    path.unlink()
            except FileNotFoundError:
                continue


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name
