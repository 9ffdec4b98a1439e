"""Object storage as a computing unit has it: three buckets of immutable objects, reached by signed URLs.

A port with two real things behind it: a directory of the machine the Brain runs on (`local.py`), and S3. Both pass the
conformance suite in `cloudmr.storage.conformance`. What can go wrong stands in `cloudmr.storage.errors`.

Keys are made of `[a-z0-9_/.-]`, relative, without `..`; every operation refuses another one with `InvalidKey`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

PART_SIZE_BYTES = 10 * 1024 * 1024
"""Size of every part of an upload but the last."""
URL_LIFETIME_S = 15 * 60
"""How long a signed URL is good for."""
UNHURRIED_URL_LIFETIME_S = 12 * 60 * 60
"""The same for somebody who gets the URLs of all parts at once and cannot ask again."""


class Bucket(StrEnum):
    """The three buckets of a unit, by what they are for."""

    DATA = "data"
    """What people upload, and their regions of interest."""
    RESULTS = "results"
    """What successful jobs leave."""
    FAILED = "failed"
    """What failed jobs leave, in the same layout."""


@dataclass(frozen=True, kw_only=True)
class ObjectInfo:
    """One object: its key, size, and the composite checksum of its parts (None: stored without one).

    The checksum of equal bytes is equal in every store and however they got there (`cloudmr.storage.checksums`).
    """

    key: str
    size_bytes: int
    checksum: str | None


@dataclass(frozen=True, kw_only=True)
class UploadedPart:
    """A part that arrived: number from 1, size, base64 SHA-256 (None: nobody told it), the store's entity tag."""

    number: int
    size_bytes: int
    sha256: str | None
    etag: str


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A request somebody else may make, for a while: method, URL, and headers that must be sent with it."""

    method: str
    url: str
    headers: dict[str, str]


class ObjectStore(Protocol):
    """What a worker inside a unit needs: objects in, objects out."""

    def head(self, bucket: Bucket, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None if it is not there."""

    def list(self, bucket: Bucket, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose keys start with `prefix`, in the order of their keys; perhaps without checksums."""

    def read(self, bucket: Bucket, key: str, *, limit_bytes: int) -> bytes:
        """Return a small object whole. Raise `ObjectNotFound`, or `ObjectTooLarge` beyond the limit."""

    def fetch(self, bucket: Bucket, key: str, destination: Path) -> None:
        """Copy an object to a local file. Raise `ObjectNotFound`."""

    def put(self, bucket: Bucket, key: str, source: Path) -> ObjectInfo:
        """Store a local file as an object, atomically, in place of an earlier one."""

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove an object; of an absent one, do nothing."""


class ObjectStorage(ObjectStore, Protocol):
    """What the Brain asks of a unit's storage beyond that: uploads in parts, and URLs for others to use."""

    def start_upload(self, bucket: Bucket, key: str, *, announces_parts: bool = True) -> str:
        """Begin a multipart upload and return its id.

        Without `announces_parts` (existing clients) its parts come without SHA-256; a store that does not read what it
        is sent then knows no checksum of the object.
        """

    def sign_part(
        self,
        bucket: Bucket,
        key: str,
        upload_id: str,
        number: int,
        sha256: str | None,
        *,
        lifetime_s: int = URL_LIFETIME_S,
    ) -> SignedRequest:
        """Return a PUT for one part whose base64 SHA-256 is `sha256`; other bytes are refused by the store.

        Without one any bytes are taken, of an upload that was begun so. `number` counts from 1; every part but the last
        has `PART_SIZE_BYTES`. The URL never outlives the session it was signed in.
        Raise `ChecksumMismatch` for a text that is no SHA-256.
        """

    def sign_put(self, bucket: Bucket, key: str, *, sha256: str | None = None) -> SignedRequest:
        """Return a PUT of a whole small object, of at most `PART_SIZE_BYTES`, in place of an earlier one.

        With `sha256` (base64) other bytes are refused by the store. The object is there when the PUT was answered.
        Raise `ChecksumMismatch` for a text that is no SHA-256.
        """

    def list_parts(self, bucket: Bucket, key: str, upload_id: str) -> Sequence[UploadedPart]:
        """Return the parts that arrived, by number. Raise `UploadNotFound` for an unknown or ended upload."""

    def complete_upload(self, bucket: Bucket, key: str, upload_id: str) -> ObjectInfo:
        """Join the parts that arrived into the object. Raise `UploadIncomplete` when one between is missing.

        Completing once more, because the answer was lost, gives the same answer.
        """

    def abort_upload(self, bucket: Bucket, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; of an unknown one, do nothing."""

    def sign_get(self, bucket: Bucket, key: str, *, filename: str | None = None) -> SignedRequest:
        """Return a GET (Range works too) of an object, offered for download as `filename`."""
