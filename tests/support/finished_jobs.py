"""Jobs of somebody that have ended well, for tests of what is shown of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cloudmr.client.brain import BrainClient
from cloudmr.model.jobs import JobState
from mroptimum.flags import Flags
from mroptimum.phantom.description import Phantom
from mroptimum.phantom.npz_file import write_npz
from mroptimum.phantom.simulation import simulate
from real_brain import PASSWORD, RealBrain


@dataclass(frozen=True, kw_only=True)
class FinishedJob:
    """A job, and the folder with what it left."""

    id: str
    alias: str
    package: Path


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody, and two jobs of theirs on scans of the same object with different noise."""

    email: str
    first: FinishedJob
    second: FinishedJob


@contextmanager
def person_with_results(brain: RealBrain, folder: Path) -> Iterator[Person]:
    """Run two small jobs: four slices whose axes are no two alike in length, read out to the left."""
    email = brain.new_email()
    with BrainClient(brain.url, folder=folder / "client") as client:
        client.log_in(email=email, password=PASSWORD)
        yield Person(
            email=email,
            first=_finished(client, folder, "first", seed=1),
            second=_finished(client, folder, "second", seed=2),
        )


def _finished(client: BrainClient, folder: Path, alias: str, *, seed: int) -> FinishedJob:
    raw = folder / f"{alias}.npz"
    write_npz(raw, simulate(Phantom(n_x=48, n_y=40, n_coils=4, n_slices=4, sigma=0.005, seed=seed)))
    flags = Flags(reconstruction="b1", coil_sensitivities=True)
    job = client.submit(flags.document(client.upload(raw).reference, None), alias=alias)
    for _ in client.follow(job.job_id):
        pass
    assert client.job(job.job_id).status is JobState.SUCCEEDED
    package = folder / alias
    client.download_files(client.result(job.job_id), package)
    return FinishedJob(id=job.job_id, alias=alias, package=package)
