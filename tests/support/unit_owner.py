"""Somebody with an AWS account and an account at a CloudMR Brain: what they type at their machine, and see there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws_accounts import IMAGE_URI, OPERATOR, REGION, REPOSITORY, USER, Accounts, Credentials, worker_image
from aws_units import BRAIN_ARN, brain_credentials
from brain_process import BrainProcess
from cloudmr.client.brain import BrainClient
from code_blocks import ROOT
from commands import Machine
from real_brain import PASSWORD

DEPLOY = ROOT / "mode2-deployment" / "deploy-mode2.sh"
_LONGEST_S = 300


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What a command said, and how it ended."""

    exit_code: int
    output: str
    errors: str

    def value(self) -> Any:
        return json.loads(self.output)


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose account it is, with which credentials, and who they are at which Brain."""

    accounts: Accounts
    folder: Path
    url: str
    email: str
    account: str = USER
    credentials: Credentials | None = None
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, **changes: str) -> dict[str, str]:
        """Return what the machine's shell has, and nothing of the machine that the tests run on."""
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "CLOUDMR_CONFIG": str(self.folder / "config"),
            "LANG": "C.UTF-8",
            **self.accounts.environment(self.account, credentials=self.credentials),
            "SSL_CERT_FILE": str(self.accounts.ca_bundle),
            "CLOUDMR_API_URL": self.url,
            "CLOUDMR_EMAIL": self.email,
            "CLOUDMR_PASSWORD": PASSWORD,
            **self.variables,
            **changes,
        }

    def types(self, command: str | Path, *arguments: object, **changes: str) -> Typed:
        """Type a command, with variables of the environment changed, and wait for its end."""
        done = subprocess.run(
            [str(command), *map(str, arguments)],
            cwd=ROOT,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        return Typed(exit_code=done.returncode, output=done.stdout, errors=done.stderr)

    def unit(self, *arguments: object, **changes: str) -> Typed:
        """Type `cloudmr unit …`; it runs in this process, which is sooner."""
        said = Machine(environment=self.environment(**changes)).run("unit", *arguments)
        return Typed(exit_code=said.exit_code, output=said.output, errors=said.errors)

    def client(self, service: str) -> Any:
        """Return AWS's own client, for the account's root."""
        return self.accounts.session(self.account).client(service)  # type: ignore[call-overload]

    @contextmanager
    def brain(self) -> Iterator[BrainClient]:
        """Give the Brain, signed in."""
        with BrainClient(self.url, folder=self.folder / "client") as brain:
            brain.log_in(email=self.email, password=PASSWORD)
            yield brain


def open_the_network(accounts: Accounts, account: str = USER) -> None:
    """Give the default network its route out, which AWS's has and the emulator's lacks."""
    ec2: Any = accounts.session(account).client("ec2")
    [gateway, *_] = ec2.describe_internet_gateways()["InternetGateways"]
    for table in ec2.describe_route_tables()["RouteTables"]:
        if not any(route.get("DestinationCidrBlock") == "0.0.0.0/0" for route in table["Routes"]):
            ec2.create_route(
                RouteTableId=table["RouteTableId"],
                DestinationCidrBlock="0.0.0.0/0",
                GatewayId=gateway["InternetGatewayId"],
            )


def offer_image(accounts: Accounts, account: str = USER) -> None:
    """Have the operator's image where the account looks for it: the emulator has no registry across accounts."""
    accounts.put_image(IMAGE_URI, worker_image())
    ecr: Any = accounts.session(account).client("ecr")
    try:
        ecr.create_repository(repositoryName="mroptimum")
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryAlreadyExistsException":
            raise
    manifest = json.dumps({"schemaVersion": 2})
    try:
        ecr.put_image(repositoryName="mroptimum", imageManifest=manifest, imageTag="latest")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ImageAlreadyExistsException":
            raise


@contextmanager
def brain_for_units(accounts: Accounts, folder: Path) -> Iterator[BrainProcess]:
    """Run a Brain in the operator's account, that units in other accounts can be registered with."""
    brain = BrainProcess(
        home=folder / "home",
        variables={
            **accounts.environment(OPERATOR, credentials=brain_credentials(accounts)),
            "AWS_REGION": REGION,
            "CLOUDMR_OPERATOR_ACCOUNT_ID": OPERATOR,
            "CLOUDMR_BRAIN_PRINCIPAL_ARN": BRAIN_ARN,
            "CLOUDMR_IMAGE_REPOSITORY": REPOSITORY,
            "CLOUDMR_PRIVATE_URL_ALLOWED": "yes",
        },
    )
    brain.start()
    try:
        yield brain
    finally:
        brain.stop()


def new_owner(accounts: Accounts, brain_url: str, folder: Path, email: str, **of_aws: Any) -> Owner:
    """Return somebody with a new account at the Brain."""
    folder.mkdir(parents=True, exist_ok=True)
    with BrainClient(brain_url, folder=folder / "client") as brain:
        brain.register(email=email, password=PASSWORD)
    return Owner(accounts=accounts, folder=folder, url=brain_url, email=email, **of_aws)
