"""The composite checksum of an object: SHA-256 of the SHA-256 of its parts, as S3 makes it.

`base64(sha256(digest_1 || … || digest_N)) + "-N"`, every part but the last `PART_SIZE_BYTES` long. An object that was
put whole has the checksum that it would have had if it had been uploaded in such parts, so that equal bytes have
equal checksums in every store.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cloudmr.storage.base import PART_SIZE_BYTES
from cloudmr.storage.errors import ChecksumMismatch

_CHUNK_BYTES = 1024 * 1024


def encode_digest(digest: bytes) -> str:
    """Return a digest in base64, as S3 writes checksums."""
    return base64.b64encode(digest).decode()


def decode_digest(encoded: str | None) -> bytes | None:
    """Return the SHA-256 that was announced, None where none was. Raise `ChecksumMismatch` for another text."""
    if encoded is None:
        return None
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise ChecksumMismatch("What was announced without a base64 SHA-256")
    return digest


def composite(part_digests: Iterable[bytes]) -> str:
    """Return the composite checksum of parts with these SHA-256 digests."""
    digests = tuple(part_digests)
    return f"{encode_digest(hashlib.sha256(b''.join(digests)).digest())}-{len(digests)}"


@dataclass(frozen=True, kw_only=True)
class FileChecksums:
    """What one reading of a file tells: size, SHA-256 of the whole in hex, composite checksum."""

    size_bytes: int
    sha256: str
    composite: str


def checksum_file(path: Path) -> FileChecksums:
    """Read a file once and return its checksums; an empty file has one empty part."""
    whole = hashlib.sha256()
    digests: list[bytes] = []
    size_bytes = 0
    with path.open("rb") as file:
        while True:
            part = hashlib.sha256()
            part_bytes = 0
            while part_bytes < PART_SIZE_BYTES and (
                chunk := file.read(min(_CHUNK_BYTES, PART_SIZE_BYTES - part_bytes))
            ):
                part.update(chunk)
                whole.update(chunk)
                part_bytes += len(chunk)
            if part_bytes == 0 and digests:
                break
            digests.append(part.digest())
            size_bytes += part_bytes
            if part_bytes < PART_SIZE_BYTES:
                break
    return FileChecksums(size_bytes=size_bytes, sha256=whole.hexdigest(), composite=composite(digests))
