"""A computing unit in somebody's AWS account, made of the shipped template, and the Brain it is registered with."""

from __future__ import annotations

import contextlib
import hashlib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from aws_accounts import IMAGE_URI, USER, Accounts, Image, worker_image
from aws_stacks import Stack, deploy
from cloudmr.client.answers import DataFile, Job
from cloudmr.client.brain import BrainClient
from cloudmr.model.platforms import Platform
from cloudmr.model.tokens import Scope
from mroptimum.flags import Flags
from real_brain import PASSWORD
from waiting import wait_until

VERIFIED_WITHIN_S = 120
ENDED_WITHIN_S = 120


@dataclass(frozen=True, kw_only=True)
class UnitInAccount:
    """The unit, its stack, and its owner, signed in at the Brain."""

    accounts: Accounts
    stack: Stack
    brain: BrainClient
    unit_id: str

    def verified(self) -> UnitInAccount:
        """Wait until the unit is ready and has proven its numbers."""

        def look() -> bool:
            unit = self.brain.computing_units.get(self.unit_id)
            return unit.status == "ready" and unit.snr_verified_at is not None

        try:
            wait_until(look, what="the unit to be verified", deadline_s=VERIFIED_WITHIN_S)
        except AssertionError as error:
            findings = self.brain.computing_units.findings(self.unit_id).findings
            raise AssertionError(f"{error}: {[each for each in findings if each.outcome != 'passed']}") from None
        return self

    def submit(self, data_file: DataFile, platform: Platform, *, deadline_s: int | None = None) -> Job:
        """Have a file's SNR computed on a platform of the unit."""
        document = Flags().document(data_file.reference, None)
        return self.brain.submit(document, unit_id=self.unit_id, platform=platform, deadline_s=deadline_s)

    def end_of(self, job: Job, *, within_s: float = ENDED_WITHIN_S) -> Job:
        """Wait for a job's end."""

        def look() -> Job | None:
            found = self.brain.job(job.job_id)
            return found if found.has_ended else None

        return wait_until(look, what=f"the end of {job.job_id}", deadline_s=within_s)

    def result_of(self, job: Job, folder: Path) -> Mapping[str, str]:
        """Download a result, and return the SHA-256 of each of its maps."""
        self.brain.download_files(self.brain.result(job.job_id), folder)
        return digests_of_maps(folder)


def digests_of_maps(package: Path) -> Mapping[str, str]:
    """Return the SHA-256 of every map of a result package."""
    maps = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (package / "data").iterdir()}
    assert maps
    return maps


@contextlib.contextmanager
def unit_in_account(
    accounts: Accounts,
    brain_url: str,
    folder: Path,
    name: str,
    *,
    account: str = USER,
    image: Image | None = None,
    **parameters: str,
) -> Iterator[UnitInAccount]:
    """Make somebody's unit as the guide's `aws cloudformation deploy` does; what it leaves ends with the accounts."""
    accounts.put_image(IMAGE_URI, image or worker_image())
    # A client of a Brain on this machine reads nothing of the environment, so neither whom to trust.
    trust = ssl.create_default_context(cafile=str(accounts.ca_bundle))
    with BrainClient(brain_url, folder=folder, transport=httpx.HTTPTransport(verify=trust)) as brain:
        brain.register(email=f"{name}@example.org", password=PASSWORD)
        brain.log_in(email=f"{name}@example.org", password=PASSWORD)
        token = brain.account.create_token(name="a unit", scope=Scope.UNIT_REGISTER).token
        given = {"CloudMRApiUrl": brain_url, "CloudMRUserToken": token, **parameters}
        stack = deploy(accounts, name, given, account=account)
        assert stack.status == "CREATE_COMPLETE", stack.failures
        yield UnitInAccount(accounts=accounts, stack=stack, brain=brain, unit_id=stack.outputs["ComputingUnitId"])
