"""Trying a unit out, for about a cent: everything looked at, and the same job on each of its platforms.

The job's SNR is known in closed form, and both platforms must give the same numbers: to the last digit where AWS gives
both the same kind of processor, else as far as kinds of processors round alike.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudmr.client.answers import Job
from cloudmr.client.brain import BrainClient
from cloudmr.deploy.check import Found, is_well
from cloudmr.known_answer import FILENAME, judge_package, task_for, write_acquisition
from cloudmr.model.platforms import Platform
from mroptimum.package import opened, read_package

PLATFORMS = (Platform.LAMBDA, Platform.FARGATE)
Watch = Callable[[BrainClient, str], Job]
Maps = Mapping[int, tuple[NDArray[Any], ...]]
"""The volumes of each map."""
ROUNDING = 1e-5
"""How far results of different processors may differ, as a part of a map's largest value: maps are kept in single
precision (6e-8), and sums of other order lose some digits more."""


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
        maps: dict[Platform, Maps] = {}
        for platform in PLATFORMS:
            job = brain.submit(task, alias=f"smoke test on {platform}", unit_id=unit_id, platform=platform)
            job = watch(brain, job.job_id)
            yield _judged(brain, job, folder / platform, maps)
        yield judge_sameness(maps)


def maps_of(folder: Path) -> Maps:
    """Return every map of a result package by its id: its numbers and nothing else of the files."""
    with opened(folder) as files:
        package = read_package(files)
        return {
            stored.id: tuple(np.asarray(volume.data) for volume in package.volumes(stored)) for stored in package.maps
        }


def judge_sameness(maps: Mapping[Platform, Maps]) -> Step:
    """Return whether all platforms gave the same maps, and how far they differ."""
    name = "the same on both"
    digests = {platform: _digest(each) for platform, each in maps.items()}
    seen = ", ".join(f"{platform} {digest[:16]}" for platform, digest in digests.items())
    if len(maps) < len(PLATFORMS):
        return Step(name=name, is_right=False, seen=seen)
    if len(set(digests.values())) == 1:
        return Step(name=name, is_right=True, seen=seen)
    one, other = maps.values()
    difference = _largest_difference(one, other)
    return Step(name=name, is_right=difference <= ROUNDING, seen=f"{seen}; they differ by {difference:.1e} at most")


def _digest(maps: Maps) -> str:
    digest = hashlib.sha256()
    for map_id, volumes in sorted(maps.items()):
        for volume in volumes:
            digest.update(f"{map_id} {volume.shape} {volume.dtype.str}".encode())
            digest.update(volume.tobytes())
    return digest.hexdigest()


def _largest_difference(one: Maps, other: Maps) -> float:
    """Return the largest difference of two results, as a part of each map's largest value; infinite if parts differ."""
    shapes = [
        {map_id: [volume.shape for volume in volumes] for map_id, volumes in maps.items()} for maps in (one, other)
    ]
    if shapes[0] != shapes[1]:
        return float("inf")
    pairs = [pair for map_id in one for pair in zip(one[map_id], other[map_id], strict=True)]
    if any(not np.array_equal(np.isfinite(a), np.isfinite(b)) for a, b in pairs):
        return float("inf")
    return max(_difference(a[np.isfinite(a)], b[np.isfinite(b)]) for a, b in pairs)


def _difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    largest = float(np.abs(one).max(initial=0))
    return float(np.abs(one - other).max(initial=0)) / largest if largest else float(np.abs(other).max(initial=0))


def _judged(brain: BrainClient, job: Job, folder: Path, maps: dict[Platform, Maps]) -> Step:
    """Return whether a job gave the numbers that are known, and keep its maps."""
    name = f"a job on {job.platform}"
    if job.failure is not None:
        return Step(name=name, is_right=False, seen=f"{job.job_id}: {job.failure.message} {job.failure.next_step}")
    brain.download_files(brain.result(job.job_id), folder)
    compared = judge_package(folder)
    maps[Platform(job.platform)] = maps_of(folder)
    numbers = "; ".join(f"{each.name} {each.measured:.4f} ({each.deviation_percent:+.2f} %)" for each in compared)
    return Step(name=name, is_right=all(each.is_right for each in compared), seen=f"{job.job_id}: {numbers}")
