"""Trying a unit out, for about a cent: everything looked at, and the same job on each of its platforms.

The job's SNR is known in closed form, and both platforms must give the same numbers to the last digit.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cloudmr.client.answers import Job
from cloudmr.client.brain import BrainClient
from cloudmr.deploy.check import Found, is_well
from cloudmr.known_answer import FILENAME, judge_package, task_for, write_acquisition
from cloudmr.model.platforms import Platform
from mroptimum.package import opened, read_package

PLATFORMS = (Platform.LAMBDA, Platform.FARGATE)
Watch = Callable[[BrainClient, str], Job]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was tried, whether it went as it should, and what was seen."""

    name: str
    is_right: bool
    seen: str


def smoke(brain: BrainClient, unit_id: str, found: tuple[Found, ...], *, watch: Watch) -> Iterator[Step]:
    """Try a unit out, step by step; `found` is what was seen of it with its owner's credentials.

    Raise what the client raises.
    """
    bad = [each for each in found if not is_well([each])]
    seen = "; ".join(each.message for each in bad) or f"{len(found)} looks, all as they should be"
    yield Step(name="your own look at it", is_right=not bad, seen=seen)
    permissions = brain.computing_units.permissions(unit_id)
    strange = [each for each in permissions if not each.is_as_declared]
    named = "; ".join(f"{each.action} on {each.resource} is {each.measured}" for each in strange)
    yield Step(
        name="what CloudMR Brain may do",
        is_right=not strange,
        seen=named or f"{len(permissions)} rights, each as it was declared",
    )
    with tempfile.TemporaryDirectory(prefix="cloudmr-smoke-") as name:
        folder = Path(name)
        raw = folder / FILENAME
        write_acquisition(raw)
        data_file = brain.upload(raw, unit_id=unit_id)
        task = task_for(data_file.reference)
        digests: dict[Platform, str] = {}
        for platform in PLATFORMS:
            job = brain.submit(task, alias=f"smoke test on {platform}", unit_id=unit_id, platform=platform)
            job = watch(brain, job.job_id)
            yield _judged(brain, job, folder / platform, digests)
        yield Step(
            name="the same on both",
            is_right=len(digests) == len(PLATFORMS) and len(set(digests.values())) == 1,
            seen=", ".join(f"{platform} {digest[:16]}" for platform, digest in digests.items()),
        )


def digest_of_maps(folder: Path) -> str:
    """Return the SHA-256 of every map of a result package, their numbers and nothing else of the files."""
    digest = hashlib.sha256()
    with opened(folder) as files:
        package = read_package(files)
        for stored in sorted(package.maps, key=lambda each: each.id):
            for volume in package.volumes(stored):
                digest.update(f"{stored.id} {volume.data.shape} {volume.data.dtype.str}".encode())
                digest.update(volume.data.tobytes())
    return digest.hexdigest()


def _judged(brain: BrainClient, job: Job, folder: Path, digests: dict[Platform, str]) -> Step:
    """Return whether a job gave the numbers that are known, and keep the digest of its maps."""
    name = f"a job on {job.platform}"
    if job.failure is not None:
        return Step(name=name, is_right=False, seen=f"{job.job_id}: {job.failure.message} {job.failure.next_step}")
    brain.download_files(brain.result(job.job_id), folder)
    compared = judge_package(folder)
    digests[Platform(job.platform)] = digest_of_maps(folder)
    numbers = "; ".join(f"{each.name} {each.measured:.4f} ({each.deviation_percent:+.2f} %)" for each in compared)
    return Step(name=name, is_right=all(each.is_right for each in compared), seen=f"{job.job_id}: {numbers}")
