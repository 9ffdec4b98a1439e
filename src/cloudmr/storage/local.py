"""Storage in a directory of the machine the Brain runs on: the objects, uploads in parts, and signed URLs.

    uploads/{upload}/upload.json      where the object will be
    uploads/{upload}/00001.…          parts that arrived (`part_files`)

Parts are never joined: completing an upload moves its folder among the contents of `local_objects` and writes a record.
Bytes are written once, and hashed once, when a part is whole.

The Brain answers signed URLs by `receive_part` and `open_download`, which know no web framework:

    part = await storage.receive_part(bucket, key, request.query_params, request.stream(), content_length=…)
    download = storage.open_download(bucket, key, request.query_params, range_header=…, if_range=…)
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cloudmr.model.instants import Clock, utc_now
from cloudmr.storage.base import PART_SIZE_BYTES, URL_LIFETIME_S, Bucket, ObjectInfo, SignedRequest, UploadedPart
from cloudmr.storage.byte_range import ByteRange, choose_range
from cloudmr.storage.checksums import decode_digest, encode_digest
from cloudmr.storage.durable import make_folder, sync_folder, write_new
from cloudmr.storage.errors import UploadIncomplete, UploadNotFound
from cloudmr.storage.joining import check_joinable, check_number
from cloudmr.storage.keys import check_key
from cloudmr.storage.local_objects import LocalObjects
from cloudmr.storage.part_files import PartFile, PartWriter, list_part_files
from cloudmr.storage.signed_urls import DownloadGrant, PartGrant, PutGrant, UrlSigner
from cloudmr.storage.transfer import Download, attachment, receive

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_PLACE = "upload.json"


class LocalStorage(LocalObjects):
    """The storage of a local unit.

    `base_url` is the address below which the Brain serves `{bucket}/{key}`, for example
    `http://127.0.0.1:8000/objects`; `secret_key` is the Brain's secret key, of which the signing key is derived.
    """

    def __init__(self, root: Path, *, base_url: str, secret_key: bytes, clock: Clock = utc_now) -> None:
        super().__init__(root)
        self._uploads = root / "uploads"
        make_folder(self._uploads)
        self._urls = UrlSigner(base_url=base_url, secret_key=secret_key, clock=clock)

    def start_upload(
        self,
        bucket: Bucket,
        key: str,
        *,
        announces_parts: bool = True,  # noqa: ARG002 - the same here
    ) -> str:
        """Begin a multipart upload and return its id."""
        check_key(key)
        upload_id = secrets.token_hex(16)
        folder = self._uploads / upload_id
        folder.mkdir(mode=0o700)
        write_new(folder / _PLACE, json.dumps({"bucket": bucket, "key": key}).encode())
        sync_folder(folder)
        sync_folder(self._uploads)
        return upload_id

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
        """Return a PUT for one part whose base64 SHA-256 is `sha256` (None: any); other bytes are refused by the store.

        Raise `ChecksumMismatch` for what is no SHA-256, `UploadIncomplete` for a number no part may have.
        """
        decode_digest(sha256)
        check_number(number)
        self._folder(bucket, key, upload_id)
        grant = PartGrant(bucket=bucket, key=key, upload_id=upload_id, number=number, sha256=sha256)
        return SignedRequest(method="PUT", url=self._urls.part_url(grant, lifetime_s=lifetime_s), headers={})

    def sign_put(self, bucket: Bucket, key: str, *, sha256: str | None = None) -> SignedRequest:
        """Return a PUT of a whole small object. Raise `ChecksumMismatch` for what is no SHA-256."""
        decode_digest(sha256)
        grant = PutGrant(bucket=bucket, key=check_key(key), sha256=sha256)
        return SignedRequest(method="PUT", url=self._urls.put_url(grant), headers={})

    def list_parts(self, bucket: Bucket, key: str, upload_id: str) -> Sequence[UploadedPart]:
        """Return the parts that arrived, by number. Raise `UploadNotFound` for an unknown or ended upload."""
        return [_uploaded(part) for part in _parts(self._folder(bucket, key, upload_id))]

    def complete_upload(self, bucket: Bucket, key: str, upload_id: str) -> ObjectInfo:
        """Join the parts that arrived into the object. Raise `UploadIncomplete` when one between is missing.

        Safe to repeat, also after a crash in its middle.
        """
        content = self._contents / _check_upload_id(upload_id)
        if content.is_dir():
            _check_complete(_parts(content))
        else:
            folder = self._folder(bucket, key, upload_id)
            _check_complete(_parts(folder))
            try:
                sync_folder(folder)  # the names of its parts are to be on the disk before its move is
                os.utime(folder)  # young again, so that `remove_leftovers` waits for its record
                folder.rename(content)
            except FileNotFoundError:  # somebody else completes or aborts it
                raise UploadNotFound from None
            sync_folder(self._uploads)
            try:
                # Until the folder moved a part may have been replaced; from here on the parts are what they are.
                _check_complete(list_part_files(content))
            except UploadIncomplete:
                content.rename(folder)
                raise
            for partial in content.glob(".*"):
                partial.unlink()
        if _place(content) != (bucket, key):
            raise UploadNotFound
        return self._publish(bucket, key, upload_id)

    def abort_upload(self, bucket: Bucket, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; of an unknown one, do nothing."""
        try:
            folder = self._folder(bucket, key, upload_id)
            # Out of reach at once, before a part that is coming in can hinder the removal.
            aborted = folder.rename(folder.with_suffix(".aborted"))
        except (UploadNotFound, FileNotFoundError):
            return
        shutil.rmtree(aborted, ignore_errors=True)

    def sign_get(self, bucket: Bucket, key: str, *, filename: str | None = None) -> SignedRequest:
        """Return a GET (Range works too, and HEAD) of an object, offered for download as `filename`."""
        grant = DownloadGrant(bucket=bucket, key=check_key(key), filename=filename)
        return SignedRequest(method="GET", url=self._urls.download_url(grant), headers={})

    async def receive_part(
        self,
        bucket: str,
        key: str,
        query: Mapping[str, str],
        chunks: AsyncIterable[bytes],
        *,
        content_length: int | None,
    ) -> UploadedPart:
        """Answer a signed PUT: take the body and return the part; answer 200 with its `etag` as `ETag`.

        Raise `SignatureRefused` (403), `UploadNotFound` (404), `ObjectTooLarge` (413, as soon as a byte beyond
        `content_length` or the size of a part comes), `ChecksumMismatch` (400). Nothing is kept then, nor when the
        sender hangs up. Hashing and writing run in threads. What the part holds is on disk then, and that it is there
        when the upload is complete: after a power cut before that, ask which parts have arrived.
        """
        grant = self._urls.read_part(bucket, key, query)
        folder = self._folder(grant.bucket, grant.key, grant.upload_id)
        limit_bytes = PART_SIZE_BYTES if content_length is None else min(content_length, PART_SIZE_BYTES)
        writer = PartWriter(folder, grant.number, limit_bytes=limit_bytes)
        return _uploaded(await receive(writer, chunks, expected=decode_digest(grant.sha256)))

    async def receive_object(
        self,
        bucket: str,
        key: str,
        query: Mapping[str, str],
        chunks: AsyncIterable[bytes],
        *,
        content_length: int | None,
    ) -> ObjectInfo:
        """Answer a signed PUT of a whole object; answer 200 with its quoted checksum as `ETag`.

        Raise what `receive_part` raises; nothing is kept then, and the earlier object stays.
        """
        grant = self._urls.read_put(bucket, key, query)
        content = secrets.token_hex(16)
        folder = self._contents / content
        folder.mkdir(mode=0o700)
        limit_bytes = PART_SIZE_BYTES if content_length is None else min(content_length, PART_SIZE_BYTES)
        try:
            await receive(PartWriter(folder, 1, limit_bytes=limit_bytes), chunks, expected=decode_digest(grant.sha256))
            return await asyncio.to_thread(self._publish, grant.bucket, grant.key, content)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def open_download(
        self,
        bucket: str,
        key: str,
        query: Mapping[str, str],
        *,
        range_header: str | None = None,
        if_range: str | None = None,
    ) -> Download:
        """Answer a signed GET or HEAD; for a HEAD leave the chunks alone. The iterator blocks: run it in threads.

        Raise `SignatureRefused` (403), `ObjectNotFound` (404), `RangeNotSatisfiable` (416).
        """
        grant = self._urls.read_download(bucket, key, query)
        info = self.require(grant.bucket, grant.key)
        etag = f'"{info.checksum}"'
        part = choose_range(range_header, size_bytes=info.size_bytes, etag=etag, if_range=if_range)
        span = part or ByteRange(start=0, stop=info.size_bytes)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(span.stop - span.start),
            "Content-Disposition": attachment(grant.filename or grant.key.rpartition("/")[2]),
            "Accept-Ranges": "bytes",
            "ETag": etag,
        }
        if part:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{info.size_bytes}"
        return Download(
            status=206 if part else 200,
            headers=headers,
            chunks=self.chunks(grant.bucket, grant.key, span.start, span.stop),
        )

    def remove_leftovers(self, *, before: datetime) -> int:
        """Remove uploads untouched since a moment, and bytes that a crash before it left over; return how many.

        Give a moment days ago: what is younger may be on its way.
        """
        used = {
            record.content
            for bucket in Bucket
            for key in self._keys(bucket, "")
            if (record := self._record(bucket, key))
        }
        removed = 0
        for folder in (*self._uploads.iterdir(), *self._contents.iterdir()):
            if folder.name not in used and folder.stat().st_mtime < before.timestamp():
                shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
                removed += 1
        return removed

    def _folder(self, bucket: Bucket, key: str, upload_id: str) -> Path:
        folder = self._uploads / _check_upload_id(upload_id)
        if _place(folder) != (bucket, key):
            raise UploadNotFound
        return folder


def _check_upload_id(upload_id: str) -> str:
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise UploadNotFound
    return upload_id


def _place(folder: Path) -> tuple[str, str]:
    try:
        place = json.loads((folder / _PLACE).read_bytes())
    except FileNotFoundError:
        raise UploadNotFound from None
    return place["bucket"], place["key"]


def _parts(folder: Path) -> tuple[PartFile, ...]:
    try:
        return list_part_files(folder)
    except FileNotFoundError:
        raise UploadNotFound from None


def _check_complete(parts: Sequence[PartFile]) -> None:
    check_joinable([(part.number, part.size_bytes) for part in parts])


def _uploaded(part: PartFile) -> UploadedPart:
    return UploadedPart(
        number=part.number, size_bytes=part.size_bytes, sha256=encode_digest(part.digest), etag=f'"{part.sha256}"'
    )
