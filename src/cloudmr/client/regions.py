"""What a person asks of a Brain about regions of interest: their masks go to the job's unit and come from there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field

from cloudmr.client.answer_bases import CamelAnswer
from cloudmr.client.answers import Nothing, SignedLink
from cloudmr.client.connection import Connection, describe
from cloudmr.client.download import Expected, fetch
from cloudmr.client.errors import LocalFileError, TransferFailed
from cloudmr.client.progress import Advance, unheard
from cloudmr.model.regions import MAX_MASK_BYTES
from cloudmr.storage.checksums import encode_digest


class Region(CamelAnswer):
    """A region of a job; `size_bytes` and `download` are those of its mask, None while that is not there."""

    region_id: str
    job_id: str
    name: str
    description: Mapping[str, Any] = Field(default_factory=dict)
    key: str
    created_at: datetime
    size_bytes: int | None = None
    download: SignedLink | None = Field(None, repr=False)


class _RegionList(CamelAnswer):
    regions: tuple[Region, ...]


class _Announced(Region):
    upload: SignedLink = Field(repr=False)


class Regions:
    """Regions; every method raises as those of `BrainClient` do, and what else is said there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_job(self, job_id: str) -> tuple[Region, ...]:
        """Return the regions of a job whose masks are there, the oldest first."""
        return self._connection.ask(_RegionList, "GET", _path(job_id)).regions

    def upload(
        self, job_id: str, mask: Path, *, name: str | None = None, description: Mapping[str, Any] | None = None
    ) -> Region:
        """Keep a mask (compressed NIfTI) with a job. Raise `LocalFileError`, `TransferFailed`."""
        try:
            content = mask.read_bytes() if mask.stat().st_size <= MAX_MASK_BYTES else None
        except OSError as error:
            raise LocalFileError.of(mask, error) from None
        if not content:
            raise LocalFileError(
                f"{mask} has no bytes, or more than {MAX_MASK_BYTES}.", "Give a mask as compressed NIfTI (.nii.gz)."
            )
        body = {
            "name": name or mask.name,
            "description": dict(description or {}),
            "sizeBytes": len(content),
            "sha256": encode_digest(hashlib.sha256(content).digest()),
        }
        announced = self._connection.ask(_Announced, "POST", _path(job_id), body=body)
        link = announced.upload
        try:
            answer = self._connection.http.request(link.method, link.url, headers=link.headers, content=content)
        except httpx.RequestError as error:
            raise TransferFailed("The upload of the mask", describe(error)) from error
        if not answer.is_success:
            raise TransferFailed("The upload of the mask", f"the storage answered {answer.status_code}")
        return Region(**announced.model_dump(exclude={"upload", "size_bytes"}), size_bytes=len(content))

    def fetch(
        self, job_id: str, region_id: str, destination: Path, *, overwrite: bool = False, advance: Advance = unheard
    ) -> Region:
        """Bring a mask here. Raise `LocalFileError` (also where there is no such region), `TransferFailed`."""
        region = self._find(job_id, region_id)

        def sign() -> SignedLink:
            link = self._find(job_id, region_id).download
            assert link is not None, "a region that is listed has its mask"
            return link

        size_bytes = region.size_bytes or 0
        fetch(
            self._connection, sign, destination, Expected(size_bytes=size_bytes), advance=advance, overwrite=overwrite
        )
        return region

    def rename(self, job_id: str, region_id: str, *, name: str) -> Region:
        """Give a region another name."""
        return self._connection.ask(Region, "PATCH", f"{_path(job_id)}/{region_id}", body={"name": name})

    def delete(self, job_id: str, region_id: str) -> None:
        """Remove a region."""
        self._connection.ask(Nothing, "DELETE", f"{_path(job_id)}/{region_id}")

    def _find(self, job_id: str, region_id: str) -> Region:
        for region in self.of_job(job_id):
            if region.region_id == region_id:
                return region
        raise LocalFileError(
            f"The job has no region {region_id}.",
            f"`cloudmr region list {job_id}` shows what there is.",
            code="not_found",
        )


def _path(job_id: str) -> str:
    return f"/api/job/{job_id}/regions"
