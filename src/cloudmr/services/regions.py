"""Regions of interest in a job's images: drawn by its owner, kept beside the job's data, never read by the Brain.

A region is announced, and its mask put straight into the unit's bucket by a signed request; it is there when the
object is. Regions whose mask never came are not shown.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from cloudmr.database.base import Transaction
from cloudmr.errors import InvalidRequest, LimitReached, NotFound, UnitUnavailable
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.people import Caller
from cloudmr.model.regions import (
    MAX_MASK_BYTES,
    MAX_REGIONS_OF_JOB,
    Region,
    clean_name,
    description_text,
    regions_prefix,
)
from cloudmr.model.units import Mode
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import own_job, unit_of, visible_job
from cloudmr.services.views import JobView
from cloudmr.storage.base import Bucket, SignedRequest

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_ASK_AGAIN_S = 3600


@dataclass(frozen=True, kw_only=True)
class RegionView:
    """A region whose mask is there: how large it is, in which bucket, and how to get it, for minutes."""

    region: Region
    size_bytes: int
    bucket: str
    download: SignedRequest


@dataclass(frozen=True, kw_only=True)
class AnnouncedRegion:
    """A region to be, how to put its mask in place, and how to get it afterwards."""

    region: Region
    bucket: str
    upload: SignedRequest
    download: SignedRequest


def announce_region(
    brain: Brain,
    caller: Caller,
    job_id: str,
    *,
    name: str,
    description: dict[str, Any] | None = None,
    size_bytes: int | None = None,
    sha256: str | None = None,
) -> AnnouncedRegion:
    """Announce a region of a job and return how to put its mask in place; with `sha256` no other bytes are taken.

    Raises `NotFound`, `InvalidRequest` for a name, a description or a size that cannot be, `LimitReached`
    (`too_many_regions`), `UnitUnavailable`, and `ChecksumMismatch` for what is no SHA-256.
    """
    if size_bytes is not None and not 0 < size_bytes <= MAX_MASK_BYTES:
        raise InvalidRequest(
            f"The mask has {size_bytes} bytes; 1 to {MAX_MASK_BYTES} can be kept.",
            "Compress it (.nii.gz), or cut it to the part that is drawn in.",
            code="file_size",
        )
    now = brain.now()
    with brain.database.write() as transaction:
        job = own_job(transaction, caller, job_id)
        unit = unit_of(transaction, job)
        if transaction.regions.n_of_job(job.id) >= MAX_REGIONS_OF_JOB:
            raise LimitReached(
                f"A job has at most {MAX_REGIONS_OF_JOB} regions.",
                "Delete some that are not needed.",
                retry_after_s=_ASK_AGAIN_S,
                code="too_many_regions",
            )
        region = Region(
            id=brain.new_id(Kind.REGION),
            job_id=job.id,
            name=clean_name(name),
            description=description_text(description or {}),
            created_at=now,
            updated_at=now,
        )
        transaction.regions.add(region)
    storage = brain.connect(unit).storage
    return AnnouncedRegion(
        region=region,
        bucket=unit.data_bucket,
        upload=storage.sign_put(Bucket.DATA, region.key, sha256=sha256),
        download=storage.sign_get(Bucket.DATA, region.key, filename=_filename(region)),
    )


def list_regions(brain: Brain, caller: Caller, job_id: str) -> list[RegionView]:
    """Return the regions of a job whose masks are there, the oldest first. Raises `NotFound`, `UnitUnavailable`."""
    with brain.database.read() as transaction:
        job = visible_job(transaction, caller, job_id, now=brain.now())
        unit = unit_of(transaction, job)
    return regions_of(brain, JobView(job=job, unit=unit))


def regions_of(brain: Brain, view: JobView) -> list[RegionView]:
    """Return the same of a job that was found to be somebody's to see."""
    job, unit = view.job, view.unit
    with brain.database.read() as transaction:
        regions = transaction.regions.of_job(job.id)
    if not regions:
        return []
    storage = brain.connect(unit).storage
    sizes_bytes = {info.key: info.size_bytes for info in storage.list(Bucket.DATA, regions_prefix(job.id))}
    return [
        RegionView(
            region=region,
            size_bytes=sizes_bytes[region.key],
            bucket=unit.data_bucket,
            download=storage.sign_get(Bucket.DATA, region.key, filename=_filename(region)),
        )
        for region in regions
        if region.key in sizes_bytes
    ]


def describe_region(
    brain: Brain,
    caller: Caller,
    job_id: str,
    region_id: str,
    *,
    name: str | None = None,
    description: dict[str, Any] | None = None,
) -> Region:
    """Give a region another name or description. Raises `NotFound`, `InvalidRequest`."""
    with brain.database.write() as transaction:
        region = _own(transaction, caller, job_id, region_id)
        changed = replace(
            region,
            name=region.name if name is None else clean_name(name),
            description=region.description if description is None else description_text(description),
            updated_at=brain.now(),
        )
        transaction.regions.replace(changed)
        return changed


def region_of(brain: Brain, caller: Caller, region_id: str) -> Region:
    """Return one of the caller's regions, whatever job it is of. Raises `NotFound`."""
    with brain.database.read() as transaction:
        region = transaction.regions.get(region_id) if is_id(Kind.REGION, region_id) else None
        if region is None:
            raise NotFound("region")
        return _own(transaction, caller, region.job_id, region_id)


def delete_region(brain: Brain, caller: Caller, job_id: str, region_id: str) -> None:
    """Remove a region; its mask goes a moment later, where we may remove it. Raises `NotFound`."""
    with brain.database.write() as transaction:
        region = _own(transaction, caller, job_id, region_id)
        transaction.regions.replace(replace(region, deleted_at=brain.now()))
    brain.check_alarm.set()


def purge_regions(brain: Brain) -> int:
    """Remove the masks of deleted regions; return of how many.

    In somebody's own unit (mode 2) nothing is removed, because we may not: the bucket's lifecycle does that.
    """
    with brain.database.read() as transaction:
        regions = transaction.regions.to_purge(limit=_AT_ONCE)
        jobs = {region.job_id: transaction.jobs.get(region.job_id) for region in regions}
        units = {job.id: unit_of(transaction, job) for job in jobs.values() if job is not None}
    n_purged = 0
    for region in regions:
        unit = units.get(region.job_id)
        try:
            if unit is not None and unit.mode is Mode.MODE_1:
                brain.connect(unit).storage.delete(Bucket.DATA, region.key)
        except UnitUnavailable as error:
            _log.warning("%s is not purged yet: %s", region.id, error.message)
            continue
        with brain.database.write() as transaction:
            transaction.regions.replace(replace(region, purged_at=brain.now()))
        n_purged += 1
    return n_purged


def _own(transaction: Transaction, caller: Caller, job_id: str, region_id: str) -> Region:
    job = own_job(transaction, caller, job_id)
    region = transaction.regions.get(region_id) if is_id(Kind.REGION, region_id) else None
    if region is None or region.deleted_at is not None or region.job_id != job.id:
        raise NotFound("region")
    return region


def _filename(region: Region) -> str:
    name = region.name.replace("/", "_")
    return name if name.endswith((".nii.gz", ".nii", ".zip")) else f"{name}.nii.gz"
