"""Storage in three S3 buckets: the Brain's way to a unit in an AWS account, and the way of a worker inside one.

Objects are put whole up to the size of a part, and in parts of that size beyond, each with its SHA-256, so that equal
bytes have the composite checksum that they have in every other store. S3 itself keeps no checksum of that kind of what
existing clients upload: it is not announced, and None.

The id of an upload is `{mark}.{id of S3}`; the mark is among the object's metadata, and tells long after S3 has
forgotten the upload that it was this one that became the object.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from cloudmr.aws.errors import REFUSED, code_of
from cloudmr.aws.scopes import scope_of_key
from cloudmr.aws.sessions import Access, Clients
from cloudmr.model.instants import Clock, utc_now
from cloudmr.storage.base import PART_SIZE_BYTES, URL_LIFETIME_S, Bucket, ObjectInfo, SignedRequest, UploadedPart
from cloudmr.storage.checksums import checksum_file, composite, decode_digest
from cloudmr.storage.errors import ObjectNotFound, ObjectTooLarge, UploadIncomplete, UploadNotFound
from cloudmr.storage.joining import check_joinable, check_number
from cloudmr.storage.keys import check_key, check_prefix
from cloudmr.storage.transfer import attachment

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef, PartTypeDef

_MARK = "cloudmr-upload"
_NOT_FOUND = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"BadDigest", "InvalidPart", "InvalidPartOrder"})
_TRANSFER = TransferConfig(
    multipart_threshold=PART_SIZE_BYTES + 1, multipart_chunksize=PART_SIZE_BYTES, max_concurrency=4
)


class S3Storage:
    """The storage of a unit in AWS. `access` is the way into its account."""

    def __init__(self, access: Access, buckets: Mapping[Bucket, str], *, clock: Clock = utc_now) -> None:
        self._access = access
        self._buckets = dict(buckets)
        self._clock = clock

    def head(self, bucket: Bucket, key: str) -> ObjectInfo | None:
        """Return what is known of an object, None if it is not there."""
        with self._calling(bucket, check_key(key), "look at an object") as aws:
            try:
                found = aws.s3.head_object(Bucket=self._buckets[bucket], Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                if self._is_absent(aws, bucket, key, error):
                    return None
                raise
        size_bytes = found["ContentLength"]
        return ObjectInfo(key=key, size_bytes=size_bytes, checksum=_checksum(found.get("ChecksumSHA256"), size_bytes))

    def list(self, bucket: Bucket, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose keys start with `prefix`, in the order of their keys; without their checksums."""
        scope = scope_of_key(bucket, check_prefix(prefix))
        token: dict[str, Any] = {}
        while True:
            # Page by page: what is done between two of them is nothing that AWS was asked.
            with self._access.calling(scope, "list objects") as aws:
                page = aws.s3.list_objects_v2(Bucket=self._buckets[bucket], Prefix=prefix, **token)
            for found in page.get("Contents", ()):
                yield ObjectInfo(key=found["Key"], size_bytes=found["Size"], checksum=None)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def read(self, bucket: Bucket, key: str, *, limit_bytes: int) -> bytes:
        """Return a small object whole. Raise `ObjectNotFound`, or `ObjectTooLarge` beyond the limit."""
        with self._calling(bucket, check_key(key), "read an object") as aws:
            try:
                found = aws.s3.get_object(Bucket=self._buckets[bucket], Key=key)
            except ClientError as error:
                if self._is_absent(aws, bucket, key, error):
                    raise ObjectNotFound(key) from None
                raise
            with found["Body"] as body:
                if found["ContentLength"] > limit_bytes:
                    raise ObjectTooLarge(f"The object {key}", limit_bytes)
                return body.read()

    def fetch(self, bucket: Bucket, key: str, destination: Path) -> None:
        """Copy an object to a local file. Raise `ObjectNotFound`."""
        with self._calling(bucket, check_key(key), "fetch an object") as aws, _transferring():
            try:
                aws.s3.download_file(self._buckets[bucket], key, str(destination), Config=_TRANSFER)
            except ClientError as error:
                if self._is_absent(aws, bucket, key, error):
                    raise ObjectNotFound(key) from None
                raise

    def put(self, bucket: Bucket, key: str, source: Path) -> ObjectInfo:
        """Store a local file as an object, atomically, in place of an earlier one."""
        with self._calling(bucket, check_key(key), "store an object") as aws, _transferring():
            extra = {"ChecksumAlgorithm": "SHA256"}
            aws.s3.upload_file(str(source), self._buckets[bucket], key, ExtraArgs=extra, Config=_TRANSFER)
        sums = checksum_file(source)
        return ObjectInfo(key=key, size_bytes=sums.size_bytes, checksum=sums.composite)

    def delete(self, bucket: Bucket, key: str) -> None:
        """Remove an object; of an absent one, do nothing. In mode 2 the role has no right to, and says so."""
        with self._calling(bucket, check_key(key), "remove an object") as aws:
            aws.s3.delete_object(Bucket=self._buckets[bucket], Key=key)

    def start_upload(self, bucket: Bucket, key: str, *, announces_parts: bool = True) -> str:
        """Begin a multipart upload and return its id."""
        mark = secrets.token_hex(8)
        kept: dict[str, Any] = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"} if announces_parts else {}
        with self._calling(bucket, check_key(key), "begin an upload") as aws:
            started = aws.s3.create_multipart_upload(
                Bucket=self._buckets[bucket], Key=key, Metadata={_MARK: mark}, **kept
            )
        return f"{mark}.{started['UploadId']}"

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
        """Return a PUT for one part whose base64 SHA-256 is `sha256` (None: any); other bytes are refused by S3.

        Raise `ChecksumMismatch` for what is no SHA-256, `UploadIncomplete` for a number no part may have.
        """
        decode_digest(sha256)
        check_number(number)
        place = {"UploadId": _id_of_s3(upload_id), "PartNumber": number}
        return self._signed_put("upload_part", bucket, key, sha256, place, lifetime_s=lifetime_s)

    def sign_put(self, bucket: Bucket, key: str, *, sha256: str | None = None) -> SignedRequest:
        """Return a PUT of a whole small object. Raise `ChecksumMismatch` for what is no SHA-256."""
        decode_digest(sha256)
        return self._signed_put("put_object", bucket, key, sha256, {}, lifetime_s=URL_LIFETIME_S)

    def list_parts(self, bucket: Bucket, key: str, upload_id: str) -> Sequence[UploadedPart]:
        """Return the parts that arrived, by number. Raise `UploadNotFound` for an unknown or ended upload."""
        with self._calling(bucket, check_key(key), "list the parts of an upload") as aws:
            return [_uploaded(part) for part in self._parts(aws, bucket, key, upload_id)]

    def complete_upload(self, bucket: Bucket, key: str, upload_id: str) -> ObjectInfo:
        """Join the parts that arrived into the object. Raise `UploadIncomplete` when one between is missing."""
        with self._calling(bucket, check_key(key), "complete an upload") as aws:
            try:
                parts = self._parts(aws, bucket, key, upload_id)
                check_joinable([(part["PartNumber"], part["Size"]) for part in parts])
                aws.s3.complete_multipart_upload(
                    Bucket=self._buckets[bucket],
                    Key=key,
                    UploadId=_id_of_s3(upload_id),
                    MultipartUpload={"Parts": [_named(part) for part in parts]},
                )
            except UploadNotFound:
                if not self._was_completed(aws, bucket, key, upload_id):
                    raise
            except ClientError as error:
                if code_of(error) == "NoSuchUpload":  # somebody else completed it, or gave it up
                    if not self._was_completed(aws, bucket, key, upload_id):
                        raise UploadNotFound from None
                elif code_of(error) in _CHANGED:
                    raise UploadIncomplete("a part was sent again meanwhile") from None
                else:
                    raise
        info = self.head(bucket, key)
        if info is None:
            raise UploadNotFound
        return info

    def abort_upload(self, bucket: Bucket, key: str, upload_id: str) -> None:
        """Forget an upload and its parts; of an unknown one, do nothing."""
        with self._calling(bucket, check_key(key), "give an upload up") as aws:
            try:
                aws.s3.abort_multipart_upload(Bucket=self._buckets[bucket], Key=key, UploadId=_id_of_s3(upload_id))
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise
            except UploadNotFound:
                return

    def sign_get(self, bucket: Bucket, key: str, *, filename: str | None = None) -> SignedRequest:
        """Return a GET (Range works too) of an object, offered for download as `filename`."""
        name = filename or check_key(key).rpartition("/")[2]
        params = {"ResponseContentDisposition": attachment(name), "ResponseContentType": "application/octet-stream"}
        with self._calling(bucket, check_key(key), "sign a download") as aws:
            url = self._sign(aws, "get_object", bucket, key, params, lifetime_s=URL_LIFETIME_S)
        return SignedRequest(method="GET", url=url, headers={})

    def _calling(self, bucket: Bucket, key: str, doing: str) -> AbstractContextManager[Clients]:
        return self._access.calling(scope_of_key(bucket, key), doing)

    def _signed_put(
        self,
        operation: Literal["upload_part", "put_object"],
        bucket: Bucket,
        key: str,
        sha256: str | None,
        params: Mapping[str, Any],
        *,
        lifetime_s: int,
    ) -> SignedRequest:
        announced = {} if sha256 is None else {"ChecksumSHA256": sha256}
        with self._calling(bucket, check_key(key), "sign an upload") as aws:
            url = self._sign(aws, operation, bucket, key, {**params, **announced}, lifetime_s=lifetime_s)
        headers = {} if sha256 is None else {"x-amz-checksum-sha256": sha256}
        return SignedRequest(method="PUT", url=url, headers=headers)

    def _sign(
        self, aws: Clients, operation: str, bucket: Bucket, key: str, params: Mapping[str, Any], *, lifetime_s: int
    ) -> str:
        if aws.expires_at is not None:
            lifetime_s = min(lifetime_s, int((aws.expires_at - self._clock()).total_seconds()))
        place = {"Bucket": self._buckets[bucket], "Key": key}
        return aws.s3.generate_presigned_url(operation, Params={**place, **params}, ExpiresIn=lifetime_s)

    def _parts(self, aws: Clients, bucket: Bucket, key: str, upload_id: str) -> Sequence[PartTypeDef]:
        pages = aws.s3.get_paginator("list_parts").paginate(
            Bucket=self._buckets[bucket], Key=key, UploadId=_id_of_s3(upload_id)
        )
        try:
            return [part for page in pages for part in page.get("Parts", ())]
        except ClientError as error:
            if code_of(error) in {"NoSuchUpload", *_NOT_FOUND}:
                raise UploadNotFound from None
            raise

    def _was_completed(self, aws: Clients, bucket: Bucket, key: str, upload_id: str) -> bool:
        """Tell whether the object that is there came by this upload."""
        try:
            found = aws.s3.head_object(Bucket=self._buckets[bucket], Key=key)
        except ClientError as error:
            if self._is_absent(aws, bucket, key, error):
                return False
            raise
        return found["Metadata"].get(_MARK) == upload_id.partition(".")[0]

    def _is_absent(self, aws: Clients, bucket: Bucket, key: str, error: ClientError) -> bool:
        """Tell whether an error about an object means that it is not there.

        Whoever may list only what begins with a prefix is told "refused" of an absent object; and of a bucket that is
        not there, whoever asks for a HEAD is told the same as of an object. Listing tells the difference.
        """
        if code_of(error) == "NoSuchKey":
            return True
        if code_of(error) not in _NOT_FOUND | REFUSED:
            return False
        page = aws.s3.list_objects_v2(Bucket=self._buckets[bucket], Prefix=key, MaxKeys=1)
        is_listed = any(found["Key"] == key for found in page.get("Contents", ()))
        return not is_listed or code_of(error) in _NOT_FOUND


@contextmanager
def _transferring() -> Iterator[None]:
    """Let out what is wrapped by the functions of boto3 that move whole files."""
    try:
        yield
    except Boto3Error as error:
        if isinstance(error.__context__, ClientError | BotoCoreError):
            raise error.__context__ from None
        raise


def _id_of_s3(upload_id: str) -> str:
    _, dot, upload_id = upload_id.partition(".")
    if not dot or not upload_id:
        raise UploadNotFound
    return upload_id


def _uploaded(part: PartTypeDef) -> UploadedPart:
    return UploadedPart(
        number=part["PartNumber"], size_bytes=part["Size"], sha256=part.get("ChecksumSHA256"), etag=part["ETag"]
    )


def _named(part: PartTypeDef) -> CompletedPartTypeDef:
    named: CompletedPartTypeDef = {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
    if "ChecksumSHA256" in part:
        named["ChecksumSHA256"] = part["ChecksumSHA256"]
    return named


def _checksum(of_s3: str | None, size_bytes: int) -> str | None:
    """Return the composite checksum; of an object that was put whole, S3 has the plain one of its only part."""
    if of_s3 is None or "-" in of_s3:
        return of_s3
    digest = decode_digest(of_s3)
    return composite([digest]) if digest is not None and size_bytes <= PART_SIZE_BYTES else None
