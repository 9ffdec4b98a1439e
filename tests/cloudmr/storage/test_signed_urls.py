from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.storage.base import Bucket
from cloudmr.storage.errors import SignatureRefused
from cloudmr.storage.signed_urls import DownloadGrant, PartGrant, UrlSigner

PART = PartGrant(bucket=Bucket.DATA, key="uploads/data_1", upload_id="0" * 32, number=3, sha256="c2hh+/=")
FILENAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


SIGNER = UrlSigner(base_url="http://127.0.0.1:8000/objects/", secret_key=b"secret", clock=now)


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def test_a_part_url_carries_its_grant() -> None:
    url = SIGNER.part_url(PART)
    assert url.startswith("http://127.0.0.1:8000/objects/data/uploads/data_1?")
    assert SIGNER.read_part("data", "uploads/data_1", query_of(url)) == PART


@given(filename=FILENAMES | st.none())
def test_a_download_url_carries_its_grant_whatever_the_name(filename: str | None) -> None:
    grant = DownloadGrant(bucket=Bucket.RESULTS, key="results/job_1/1/package.zip", filename=filename)
    assert SIGNER.read_download("results", grant.key, query_of(SIGNER.download_url(grant))) == grant


@pytest.mark.parametrize(
    "change",
    [
        {"upload": "1" * 32},
        {"part": "4"},
        {"part": "three"},
        {"part": "²"},
        {"sha256": "b3RoZXI="},
        {"expires": "9999999999"},
        {"expires": "never"},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "ä"},
    ],
)
def test_a_changed_part_url_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        SIGNER.read_part("data", PART.key, query_of(SIGNER.part_url(PART)) | change)


@pytest.mark.parametrize("name", ["upload", "part", "sha256", "expires", "signature"])
def test_a_part_url_without_one_of_its_fields_is_refused(name: str) -> None:
    query = query_of(SIGNER.part_url(PART))
    del query[name]
    with pytest.raises(SignatureRefused):
        SIGNER.read_part("data", PART.key, query)


@pytest.mark.parametrize(("bucket", "key"), [("results", "uploads/data_1"), ("data", "uploads/data_2"), ("etc", "x")])
def test_a_url_is_for_its_place_only(bucket: str, key: str) -> None:
    with pytest.raises(SignatureRefused):
        SIGNER.read_part(bucket, key, query_of(SIGNER.part_url(PART)))


def test_the_name_of_a_download_cannot_be_changed_or_left_out() -> None:
    grant = DownloadGrant(bucket=Bucket.DATA, key="k", filename="brain.dat")
    query = query_of(SIGNER.download_url(grant))
    for changed in (query | {"filename": "evil.html"}, {n: v for n, v in query.items() if n != "filename"}):
        with pytest.raises(SignatureRefused):
            SIGNER.read_download("data", "k", changed)
    unnamed = query_of(SIGNER.download_url(replace(grant, filename=None)))
    with pytest.raises(SignatureRefused):
        SIGNER.read_download("data", "k", unnamed | {"filename": "evil.html"})


def test_a_url_to_get_is_none_to_put() -> None:
    get = query_of(SIGNER.download_url(DownloadGrant(bucket=Bucket.DATA, key=PART.key, filename=None)))
    put = query_of(SIGNER.part_url(PART))
    with pytest.raises(SignatureRefused):
        SIGNER.read_part("data", PART.key, put | {"signature": get["signature"]})
