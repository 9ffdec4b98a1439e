"""Result packages as existing clients ask for them: a link for each job in the list, and what is in one that is opened.

Nothing is unpacked here: every file of a package lies in the unit's bucket by itself, so there is no archive that could
be a bomb, and no name in one that could lead anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudmr.errors import Conflict, NotFound, UnitUnavailable
from cloudmr.model.documents import failed_prefix, results_prefix
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.results import MAX_MANIFEST_BYTES, PACKAGE
from cloudmr.services.brain import Brain
from cloudmr.services.jobs import get_job, job_result
from cloudmr.services.views import JobView
from cloudmr.storage.base import Bucket, SignedRequest
from cloudmr.storage.errors import ObjectNotFound, ObjectTooLarge

_INFO = "info.json"


@dataclass(frozen=True, kw_only=True)
class PackageLink:
    """Where a package lies, and how to get it, for minutes (None: its unit does not answer)."""

    bucket: str
    key: str
    request: SignedRequest | None


@dataclass(frozen=True, kw_only=True)
class OpenedPackage:
    """What a package says of itself (`info.json`), and how to get each of its files, by name."""

    info: Mapping[str, Any]
    files: Mapping[str, SignedRequest]


def package_link(brain: Brain, view: JobView) -> PackageLink | None:
    """Return the link to the result package of a job that has one. The bucket is not asked: the job knows."""
    job, unit = view.job, view.unit
    if job.state is not JobState.SUCCEEDED or job.purged_at is not None or job.purge_after is not None:
        return None
    key = f"{results_prefix(job.id, job.attempt)}/{PACKAGE}"
    try:
        request = brain.connect(unit).storage.sign_get(Bucket.RESULTS, key, filename=f"{job.id}.zip")
    except UnitUnavailable:
        request = None
    return PackageLink(bucket=unit.results_bucket, key=key, request=request)


def open_package(brain: Brain, caller: Caller, *, bucket: str, key: str) -> OpenedPackage:
    """Return what is in the package of one of the caller's jobs, named by the place it lies in.

    Raises `NotFound` for every other object, `Conflict` (`no_package`) where there is none, and what `job_result`
    raises.
    """
    view = _job_at(brain, caller, bucket=bucket, key=key)
    result = job_result(brain, view)
    if result.package is None:
        raise Conflict("The job left no package.", "Its log says what happened.", code="no_package")
    return OpenedPackage(info=_info(brain, view), files={file.name: file.request for file in result.files})


def _job_at(brain: Brain, caller: Caller, *, bucket: str, key: str) -> JobView:
    folder, _, rest = key.partition("/")
    view = get_job(brain, caller, rest.partition("/")[0]) if folder in {"results", "failed"} else None
    if view is None or (bucket, key) not in _places(view):
        raise NotFound("result package")
    return view


def _places(view: JobView) -> set[tuple[str, str]]:
    job, unit = view.job, view.unit
    return {
        (unit.results_bucket, f"{results_prefix(job.id, job.attempt)}/{PACKAGE}"),
        (unit.failed_bucket, f"{failed_prefix(job.id, job.attempt)}/{PACKAGE}"),
    }


def _info(brain: Brain, view: JobView) -> Mapping[str, Any]:
    """Return what a package says of itself; nothing where it says nothing that can be read."""
    bucket, key = _info_place(view.job)
    try:
        info = json.loads(brain.connect(view.unit).storage.read(bucket, key, limit_bytes=MAX_MANIFEST_BYTES))
    except (ObjectNotFound, ObjectTooLarge, ValueError):
        return {}
    return info if isinstance(info, dict) else {}


def _info_place(job: Job) -> tuple[Bucket, str]:
    if job.state is JobState.SUCCEEDED:
        return Bucket.RESULTS, f"{results_prefix(job.id, job.attempt)}/{_INFO}"
    return Bucket.FAILED, f"{failed_prefix(job.id, job.attempt)}/{_INFO}"
