"""Build the two shipped images without a registry, run them, and measure.

    make image

The unit's runs both its entry points in emulated accounts; the Brain's serves, and has a job done. It takes some
minutes, most of them for installing packages into the images, and needs root (for the engine). Nothing is left behind
but Debian's package of the engine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tools.image.base import make_base
from tools.image.brain import try_brain
from tools.image.building import build, describe
from tools.image.engine import engine

from aws_accounts import Image, aws_accounts, worker_image
from cloudmr.model.jobs import JobState
from cloudmr.model.platforms import Platform
from small_job import raw_data
from unit_in_account import UnitInAccount, unit_in_account
from unit_owner import brain_for_units

NAME = "mroptimum-custom"
_STARTS = 3
_LOAD = "import time, cloudmr.worker.aws_lambda; print(time.process_time())"


def main() -> None:
    """Do all of it; ends with an error where something is not as it should be."""
    with tempfile.TemporaryDirectory(prefix="cloudmr-image-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        (place / "engine").mkdir()
        with engine(place / "engine") as environment:
            began = time.monotonic()
            base = make_base(environment)
            print(f"base image from this machine's own Python: {time.monotonic() - began:.1f} s", flush=True)
            (place / "person").mkdir()
            try_brain(environment, base, place / "person")
            build(environment, NAME, base)
            describe(environment, NAME)
            _measure_start(environment)
            os.environ["DOCKER_HOST"] = environment["DOCKER_HOST"]
            _run_in_accounts(place)


def _measure_start(environment: Mapping[str, str]) -> None:
    starts = []
    for _ in range(_STARTS):
        began = time.monotonic()
        command = ["docker", "run", "--rm", "--network=host", "--read-only", "--tmpfs", "/tmp:exec"]  # noqa: S108
        command += ["--entrypoint", "python", NAME, "-c", _LOAD]
        loaded = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        starts.append((time.monotonic() - began, float(loaded.stdout)))
    whole, of_processor = min(starts)
    print(f"cold start, until the worker is loaded: {whole:.2f} s, {of_processor:.2f} s of processor time", flush=True)


def _run_in_accounts(folder: Path) -> None:
    raw = raw_data(folder / "scan.npz", np.random.default_rng(20261130))
    for name in ("accounts", "brain", "owner"):
        (folder / name).mkdir()
    with aws_accounts(folder / "accounts") as accounts, brain_for_units(accounts, folder / "brain") as brain:
        image = Image(docker=NAME)
        with unit_in_account(accounts, brain.url, folder / "owner", "imaged", image=image) as unit:
            began = time.monotonic()
            unit.verified()
            print(f"a unit proves its numbers in a container: {time.monotonic() - began:.1f} s", flush=True)
            in_container = {
                platform: _digests(unit, raw, platform, folder) for platform in (Platform.LAMBDA, Platform.FARGATE)
            }
            accounts.put_image(unit.stack.outputs["ImageDigest"], worker_image())
            as_process = _digests(unit, raw, Platform.FARGATE, folder, where="process")
    if len({*map(str, in_container.values()), str(as_process)}) != 1:
        sys.exit(f"the results differ: {in_container} {as_process}")
    print(f"Lambda, Fargate and a process of this machine give the same {len(as_process)} maps, to the last digit")


def _digests(
    unit: UnitInAccount, raw: Path, platform: Platform, folder: Path, *, where: str = "container"
) -> dict[str, str]:
    data_file = unit.brain.upload(raw, unit_id=unit.unit_id)
    began = time.monotonic()
    job = unit.end_of(unit.submit(data_file, platform))
    if job.status is not JobState.SUCCEEDED:
        sys.exit(f"a job on {platform} {job.status}: {job.failure}")
    print(f"a small job on {platform} in a {where}: {time.monotonic() - began:.1f} s", flush=True)
    return dict(unit.result_of(job, folder / f"{where}-{platform}"))


if __name__ == "__main__":
    main()
