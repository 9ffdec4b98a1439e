"""A real Brain that comes to AWS as its one role, and people whose units of the shipped template work for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from aws_accounts import OPERATOR, REPOSITORY, USER, Accounts, worker_image
from aws_stacks import Stack, deploy
from aws_units import BRAIN_ARN, brain_credentials
from cloudmr.client.answers import DataFile, Job
from cloudmr.client.brain import BrainClient
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.model.platforms import Platform
from mroptimum.flags import Flags
from real_brain import RealBrain, serving
from small_job import raw_data
from waiting import wait_until

PATIENCE_S = 180
IMAGE = f"{REPOSITORY}@sha256:{'b' * 64}"
"""The image that stands for this checkout's worker."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Somebody with a unit that is ready for jobs, and a scan."""

    client: BrainClient
    stack: Stack
    unit_id: str
    raw: Path

    def long_job(self, data_file: DataFile) -> Job:
        """Begin a job that takes a while, and wait until a task works at it."""
        task = Flags(method="pmr", reconstruction="sense", coil_maps="inner", replicas=10_000)
        job = self.client.submit(task.document(data_file.reference, None), platform=Platform.FARGATE)
        return self.until(job.job_id, JobState.RUNNING)

    def until(self, job_id: str, *states: JobState) -> Job:
        """Wait until a job is in one of these states, and return it."""

        def look() -> Job | None:
            job = self.client.job(job_id)
            assert job.status not in END_STATES or job.status in states, job
            return job if job.status in states else None

        return wait_until(look, what=f"{job_id} to be {' or '.join(states)}", deadline_s=PATIENCE_S)


def brains_environment(accounts: Accounts) -> dict[str, str]:
    """Return how the Brain comes to AWS, and whose certificates everybody believes.

    A Brain in this process reads them whenever it goes to an account for something new: set them for each test.
    """
    in_aws = accounts.environment(OPERATOR, credentials=brain_credentials(accounts))
    return {**in_aws, "SSL_CERT_FILE": str(accounts.ca_bundle)}


@contextmanager
def brain_in_aws(
    accounts: Accounts, folder: Path, environment: Mapping[str, str], **settings: str
) -> Iterator[RealBrain]:
    """Run a Brain that reaches units in AWS accounts."""
    accounts.put_image(IMAGE, worker_image())
    settings = {
        "CLOUDMR_OPERATOR_ACCOUNT_ID": OPERATOR,
        "CLOUDMR_BRAIN_PRINCIPAL_ARN": BRAIN_ARN,
        "CLOUDMR_IMAGE_REPOSITORY": IMAGE,
        "CLOUDMR_PRIVATE_URL_ALLOWED": "yes",
        **settings,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with serving(folder, **settings) as brain:
            yield brain


def own_unit(
    accounts: Accounts, brain: RealBrain, client: BrainClient, folder: Path, *, account: str = USER, **parameters: str
) -> Owner:
    """Deploy a stack that registers itself, and wait until its numbers are proven."""
    made = httpx.post(
        f"{brain.url}/api/token",
        headers={"Authorization": f"Bearer {client._connection.token}"},
        json={"name": "one registration", "scope": "unit:register"},
    ).json()
    given = {"CloudMRApiUrl": brain.url, "CloudMRUserToken": made["token"], **parameters}
    stack = deploy(accounts, f"own-{secrets.token_hex(3)}", given, account=account)
    assert stack.status == "CREATE_COMPLETE", stack.failures
    unit_id = stack.outputs["ComputingUnitId"]
    wait_until(
        lambda: client.computing_units.get(unit_id).snr_verified_at,
        what="the unit to be verified for SNR",
        deadline_s=PATIENCE_S,
    )
    raw = raw_data(folder / "scan.npz", np.random.default_rng(20260101))
    return Owner(client=client, stack=stack, unit_id=unit_id, raw=raw)
