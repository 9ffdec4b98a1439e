"""/api/job/{id}/regions: regions of interest; their masks go to the job's unit by signed requests, not through here."""

from __future__ import annotations

import json
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field, StringConstraints

from cloudmr.api.access import Reader, TheBrain, Worker
from cloudmr.api.bodies import CamelBody, IdText, SignedLink
from cloudmr.api.jobs import JobId
from cloudmr.model.regions import MAX_NAME_LENGTH, Region
from cloudmr.services import regions
from cloudmr.services.regions import RegionView

router = APIRouter(prefix="/api/job", tags=["regions"])

RegionId = Annotated[IdText, Path(description="id of a region")]
Name = Annotated[str, StringConstraints(max_length=MAX_NAME_LENGTH)]
_DESCRIPTION = {"shape": "ellipse", "colour": "#0072b2"}


class RegionRequest(CamelBody):
    """A region to be; with `sha256` (base64) no other mask is taken. `description` is whatever its drawer needs."""

    name: Name = Field(examples=["white matter"])
    description: dict[str, Any] = Field(default_factory=dict, examples=[_DESCRIPTION])
    size_bytes: int | None = Field(None, examples=[5217])
    sha256: Annotated[str, StringConstraints(max_length=64)] | None = None


class RegionChange(CamelBody):
    """Another name or description of a region."""

    name: Name | None = Field(None, examples=["grey matter"])
    description: dict[str, Any] | None = None


class RegionAnswer(CamelBody):
    """A region of a job."""

    region_id: str = Field(examples=["roi_01jd3v6w0s8k2m4n6p8q0r2t4v"])
    job_id: str
    name: str
    description: dict[str, Any]
    key: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, region: Region) -> RegionAnswer:
        """Return a region as JSON has it."""
        return cls(**_fields(region))


class RegionToBe(RegionAnswer):
    """A region that was announced: put its mask (NIfTI, compressed) with `upload`, and it is there."""

    upload: SignedLink
    download: SignedLink


class RegionThere(RegionAnswer):
    """A region whose mask is there."""

    size_bytes: int
    download: SignedLink

    @classmethod
    def of_view(cls, view: RegionView) -> RegionThere:
        """Return a region and its mask as JSON has them."""
        download = SignedLink.of(view.download)
        return cls(**_fields(view.region), size_bytes=view.size_bytes, download=download)


class RegionList(CamelBody):
    """The regions of a job whose masks are there, the oldest first."""

    regions: list[RegionThere]


@router.post("/{job_id}/regions", status_code=HTTPStatus.CREATED)
def announce(job_id: JobId, body: RegionRequest, caller: Worker, brain: TheBrain) -> RegionToBe:
    """Announce a region, and get the request that takes its mask."""
    announced = regions.announce_region(
        brain,
        caller,
        job_id,
        name=body.name,
        description=body.description,
        size_bytes=body.size_bytes,
        sha256=body.sha256,
    )
    return RegionToBe(
        **_fields(announced.region),
        upload=SignedLink.of(announced.upload),
        download=SignedLink.of(announced.download),
    )


@router.get("/{job_id}/regions")
def list_regions(job_id: JobId, caller: Reader, brain: TheBrain) -> RegionList:
    """List the regions of a job."""
    found = regions.list_regions(brain, caller, job_id)
    return RegionList(regions=[RegionThere.of_view(view) for view in found])


@router.patch("/{job_id}/regions/{region_id}")
def describe(job_id: JobId, region_id: RegionId, body: RegionChange, caller: Worker, brain: TheBrain) -> RegionAnswer:
    """Give a region another name or description."""
    changed = regions.describe_region(brain, caller, job_id, region_id, name=body.name, description=body.description)
    return RegionAnswer.of(changed)


@router.delete("/{job_id}/regions/{region_id}", status_code=HTTPStatus.NO_CONTENT)
def delete(job_id: JobId, region_id: RegionId, caller: Worker, brain: TheBrain) -> Response:
    """Remove a region."""
    regions.delete_region(brain, caller, job_id, region_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _fields(region: Region) -> dict[str, Any]:
    return {
        "region_id": region.id,
        "job_id": region.job_id,
        "name": region.name,
        "description": json.loads(region.description),
        "key": region.key,
        "created_at": region.created_at,
        "updated_at": region.updated_at,
    }
