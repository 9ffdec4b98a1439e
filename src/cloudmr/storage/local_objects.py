"""Objects in a directory, as a worker on the same machine needs them: put, fetch, list.

    records/{bucket}/{key}@       size, checksum and content of an object; it exists as long as this file does
    contents/{content}/00001.…    its bytes, in numbered parts (`part_files`)

A record is put in place by rename when its content is whole and on disk, so an object is there entirely or not at all,
and a reader never sees half of one. No key contains an @, so `a` and `a/b` can both be keys.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from cloudmr.storage.base import PART_SIZE_BYTES, Bucket, ObjectInfo
from cloudmr.storage.checksums import composite
from cloudmr.storage.durable import make_folder, sync_folder, write_new
from cloudmr.storage.errors import ObjectNotFound, ObjectTooLarge
from cloudmr.storage.keys import check_key, check_prefix
from cloudmr.storage.part_files import PartFile, PartWriter, list_part_files

CHUNK_BYTES = 1024 * 1024
_RECORD = "@"


@dataclass(frozen=True, kw_only=True)
class _Record:
    size_bytes: int
    checksum: str
    content: str


class LocalObjects:
    """The objects of a local unit, without uploads and signed URLs (`cloudmr.storage.local` adds those)."""

    def __init__(self, root: Path) -> None:
        """Use, and make if need be, a directory of this machine."""
        self._root = root
        self._records = root / "records"
        self._contents = root / "contents"
        make_folder(self._contents)
        for bucket in Bucket:
            make_folder(self._records / bucket)

    def head(self, bucket: Bucket, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None if it is not there."""
        record = self._record(bucket, key)
        return _info(key, record) if record else None

    def list(self, bucket: Bucket, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects below a prefix, by key."""
        folder, _, _ = check_prefix(prefix).rpartition("/")
        for key in self._keys(bucket, f"{folder}/" if folder else ""):
            if key.startswith(prefix) and (info := self.head(bucket, key)):
                yield info

    def read(self, bucket: Bucket, key: str, *, limit_bytes: int) -> bytes:
        """Return a small object whole. Raise `ObjectNotFound`, or `ObjectTooLarge` beyond the limit."""
        info = self.require(bucket, key)
        if info.size_bytes > limit_bytes:
            raise ObjectTooLarge(f"The object {key}", limit_bytes)
        return b"".join(self.chunks(bucket, key, 0, info.size_bytes))

    def fetch(self, bucket: Bucket, key: str, destination: Path) -> None:
        """Copy an object to a local file. Raise `ObjectNotFound`."""
        parts = self._parts(bucket, key)
        with destination.open("wb") as target:
            for part in parts:
                with _open(part, key) as source:
                    shutil.copyfileobj(source, target, CHUNK_BYTES)

    def put(self, bucket: Bucket, key: str, source: Path) -> ObjectInfo:
        """Store a local file as an object, atomically."""
        check_key(key)
        content = secrets.token_hex(16)
        folder = self._contents / content
        folder.mkdir(mode=0o700)
        try:
            with source.open("rb") as file:
                number = 0
                while number == 0 or file.peek(1):
                    number += 1
                    with PartWriter(folder, number, limit_bytes=PART_SIZE_BYTES) as part:
                        while chunk := file.read(min(CHUNK_BYTES, PART_SIZE_BYTES - part.size_bytes)):
                            part.write([chunk])
                        part.commit()
            return self._publish(bucket, key, content)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove an object; of an absent one, do nothing."""
        record = self._record(bucket, key)
        if record is None:
            return
        # The empty folders stay: removing them would race with a put beside.
        self._record_path(bucket, key).unlink(missing_ok=True)
        shutil.rmtree(self._contents / record.content, ignore_errors=True)

    def require(self, bucket: Bucket, key: str) -> ObjectInfo:
        """Return what is known of an object. Raise `ObjectNotFound`."""
        info = self.head(bucket, key)
        if info is None:
            raise ObjectNotFound(key)
        return info

    def chunks(self, bucket: Bucket, key: str, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes `start` to `stop` (exclusive) of an object. Raise `ObjectNotFound` when it is not there."""
        # All parts but the last are of full size: an offset tells its part.
        for part in self._parts(bucket, key)[start // PART_SIZE_BYTES :]:
            begin = (part.number - 1) * PART_SIZE_BYTES
            if begin >= stop:
                break
            with _open(part, key) as file:
                file.seek(max(start - begin, 0))
                left = min(stop - begin, part.size_bytes) - file.tell()
                while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
                    left -= len(chunk)
                    yield chunk

    def _publish(self, bucket: Bucket, key: str, content: str) -> ObjectInfo:
        """Make a content whose parts are whole and on disk an object, in place of an earlier one of that key."""
        parts = list_part_files(self._contents / content)
        record = _Record(
            size_bytes=sum(part.size_bytes for part in parts),
            checksum=composite(part.digest for part in parts),
            content=content,
        )
        earlier = self._record(bucket, key)
        path = self._record_path(bucket, key)
        make_folder(path.parent)
        sync_folder(self._contents / content)
        sync_folder(self._contents)
        draft = self._contents / f"{content}{_RECORD}{secrets.token_hex(4)}"
        write_new(draft, json.dumps(asdict(record), sort_keys=True).encode())
        draft.replace(path)
        sync_folder(path.parent)
        if earlier and earlier.content != content:
            shutil.rmtree(self._contents / earlier.content, ignore_errors=True)
        return _info(key, record)

    def _record_path(self, bucket: Bucket, key: str) -> Path:
        return self._records / bucket / f"{check_key(key)}{_RECORD}"

    def _record(self, bucket: Bucket, key: str) -> _Record | None:
        try:
            return _Record(**json.loads(self._record_path(bucket, key).read_bytes()))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _parts(self, bucket: Bucket, key: str) -> tuple[PartFile, ...]:
        record = self._record(bucket, key)
        if record is None:
            raise ObjectNotFound(key)
        try:
            return list_part_files(self._contents / record.content)
        except FileNotFoundError:  # deleted since its record was read
            raise ObjectNotFound(key) from None

    def _keys(self, bucket: Bucket, below: str) -> Iterator[str]:
        """Yield every key that starts with `below` (empty, or ending in /), in the order of the keys."""
        try:
            names = [path.name for path in (self._records / bucket / below).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return
        # `a` comes before `a-b` before `a/b`: a folder sorts as its name and the slash that all its keys go on with.
        for name in sorted(name.removesuffix(_RECORD) if name.endswith(_RECORD) else f"{name}/" for name in names):
            if name.endswith("/"):
                yield from self._keys(bucket, below + name)
            else:
                yield below + name


def _open(part: PartFile, key: str) -> BinaryIO:
    try:
        return part.path.open("rb")
    except FileNotFoundError:  # deleted while it was being read
        raise ObjectNotFound(key) from None


def _info(key: str, record: _Record) -> ObjectInfo:
    return ObjectInfo(key=key, size_bytes=record.size_bytes, checksum=record.checksum)
