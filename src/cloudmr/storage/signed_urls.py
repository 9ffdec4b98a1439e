"""URLs that let somebody without an account make one request, for a while: a part to send, an object to get.

The signature is HMAC-SHA256 over everything the request may do (method, bucket, key, upload, part, checksum, file
name, expiry), with a key derived from the Brain's secret key. The part of the URL before the bucket is left out,
because the Brain answers with and without a `/Prod`, and behind proxies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import NoReturn
from urllib.parse import urlencode

from cloudmr.model.instants import Clock, utc_now
from cloudmr.storage.base import URL_LIFETIME_S, Bucket
from cloudmr.storage.errors import SignatureRefused


@dataclass(frozen=True, kw_only=True)
class PartGrant:
    """The right to send one part: these bytes (base64 SHA-256; None: any), to this place."""

    bucket: Bucket
    key: str
    upload_id: str
    number: int
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class PutGrant:
    """The right to send one whole object: these bytes (base64 SHA-256; None: any), to this place."""

    bucket: Bucket
    key: str
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class DownloadGrant:
    """The right to get one object, offered for download under a name."""

    bucket: Bucket
    key: str
    filename: str | None


Grant = PartGrant | PutGrant | DownloadGrant


class UrlSigner:
    """Writes and reads signed URLs below one address."""

    def __init__(self, *, base_url: str, secret_key: bytes, clock: Clock = utc_now) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = hmac.new(secret_key, b"storage-url", hashlib.sha256).digest()
        self._clock = clock

    def part_url(self, grant: PartGrant, *, lifetime_s: int = URL_LIFETIME_S) -> str:
        """Return the URL to PUT the part to."""
        query = {"upload": grant.upload_id, "part": str(grant.number)} | _announced(grant.sha256)
        return self._url("PUT", grant, query, lifetime_s)

    def put_url(self, grant: PutGrant) -> str:
        """Return the URL to PUT the object to."""
        return self._url("PUT", grant, _announced(grant.sha256), URL_LIFETIME_S)

    def download_url(self, grant: DownloadGrant) -> str:
        """Return the URL to GET or HEAD the object from."""
        query = {} if grant.filename is None else {"filename": grant.filename}
        return self._url("GET", grant, query, URL_LIFETIME_S)

    def read_part(self, bucket: str, key: str, query: Mapping[str, str]) -> PartGrant:
        """Return what a PUT to `…/{bucket}/{key}?{query}` may do. Raise `SignatureRefused`."""
        number = query.get("part", "")
        if not (number.isascii() and number.isdecimal() and len(number) < 6):
            _refuse()
        grant = PartGrant(
            bucket=_bucket(bucket),
            key=key,
            upload_id=query.get("upload", ""),
            number=int(number),
            sha256=query.get("sha256"),
        )
        self._verify("PUT", grant, query)
        return grant

    def read_put(self, bucket: str, key: str, query: Mapping[str, str]) -> PutGrant:
        """Return what a PUT of a whole object to `…/{bucket}/{key}?{query}` may do. Raise `SignatureRefused`."""
        grant = PutGrant(bucket=_bucket(bucket), key=key, sha256=query.get("sha256"))
        self._verify("PUT", grant, query)
        return grant

    def read_download(self, bucket: str, key: str, query: Mapping[str, str]) -> DownloadGrant:
        """Return what a GET or HEAD of `…/{bucket}/{key}?{query}` may do. Raise `SignatureRefused`."""
        grant = DownloadGrant(bucket=_bucket(bucket), key=key, filename=query.get("filename"))
        self._verify("GET", grant, query)
        return grant

    def _url(self, method: str, grant: Grant, query: dict[str, str], lifetime_s: int) -> str:
        expires = str(int((self._clock() + timedelta(seconds=lifetime_s)).timestamp()))
        signed = query | {"expires": expires, "signature": self._sign(method, grant, expires)}
        return f"{self._base_url}/{grant.bucket}/{grant.key}?{urlencode(signed)}"

    def _verify(self, method: str, grant: Grant, query: Mapping[str, str]) -> None:
        expires = query.get("expires", "")
        expected = self._sign(method, grant, expires)
        if not hmac.compare_digest(expected.encode(), query.get("signature", "").encode()):
            _refuse()
        # Only now is `expires` what we wrote ourselves, a whole number.
        if self._clock().timestamp() >= int(expires):
            raise SignatureRefused("The link has expired.", "Ask for a new one.", code="link_expired")

    def _sign(self, method: str, grant: Grant, expires: str) -> str:
        # JSON keeps the fields apart whatever characters a file name has, and the kinds of grants by their names.
        message = json.dumps(["v1", method, expires, type(grant).__name__, asdict(grant)], sort_keys=True)
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()


def _announced(sha256: str | None) -> dict[str, str]:
    return {} if sha256 is None else {"sha256": sha256}


def _bucket(name: str) -> Bucket:
    try:
        return Bucket(name)
    except ValueError:
        _refuse()


def _refuse() -> NoReturn:
    raise SignatureRefused("The link is not one that was made here, or it was changed.", "Ask for a new one.")
