"""Emulated AWS accounts: as many as one likes behind one address, with TLS, signatures and rights enforced.

    with aws_accounts(folder) as accounts:
        accounts.put_image("262361552878.dkr.ecr.us-east-1.amazonaws.com/mroptimum:latest", worker_image())
        accounts.session(USER).client("s3").list_buckets()

What they add to MiniStack, and how, stands in `tests/aws/emulator`. Every account has its root's credentials (the
number of the account is the key) and a network: the default VPC with its subnets.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
import trustme
from botocore.config import Config

OPERATOR = "262361552878"
"""The account that CloudMR Brain runs in."""
USER = "123456789012"
"""Somebody's own account."""
REGION = "us-east-1"
REPOSITORY = f"{OPERATOR}.dkr.ecr.{REGION}.amazonaws.com/mroptimum"
IMAGE_URI = f"{REPOSITORY}:latest"
"""The image that the operator offers."""

CHECKOUT = Path(__file__).parents[2]
PYTHON = CHECKOUT / ".venv-ministack" / "bin" / "python"
_SECRET = "test"  # MiniStack's secret of every account's root.
_START_WITHIN_S = 30.0
_END_WITHIN_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Of a root, a user, or a session; a session has a token."""

    key: str
    secret: str = field(default=_SECRET, repr=False)
    token: str | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """Return them as AWS's tools and SDKs read them."""
        given = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_SESSION_TOKEN": self.token}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Network:
    """A VPC and two of its subnets, in different zones."""

    vpc_id: str
    subnet_ids: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One decision on a right: who wanted to do what, and whether it was let."""

    principal: str
    action: str
    resource: str
    allowed: bool
    service: bool
    """AWS itself did it in the role's name, without a request."""

    @property
    def role(self) -> str | None:
        """The name of the role, None for a user or a root."""
        parts = self.principal.split("/")
        return parts[1] if ":assumed-role/" in self.principal else None


@dataclass(frozen=True, kw_only=True)
class Image:
    """How to run what an image's address stands for; see `tests.aws.emulator.settings.Image`."""

    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    docker: str | None = None


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """The running emulator."""

    url: str
    ca_bundle: Path
    folder: Path
    pid: int

    def session(self, account: str = USER, *, credentials: Credentials | None = None) -> boto3.Session:
        """Return a session of an account's root, or with the credentials given; nothing of it leaves this machine."""
        return _session(self, credentials or Credentials(key=account))

    def environment(self, account: str = USER, *, credentials: Credentials | None = None) -> dict[str, str]:
        """Return the variables with which a process of its own works in an account."""
        used = credentials or Credentials(key=account)
        return {
            **used.environment(),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def network(self, account: str = USER) -> Network:
        """Return where an account's tasks may run."""
        ec2 = self.session(account).client("ec2")
        vpc_id = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = sorted(ec2.describe_subnets()["Subnets"], key=lambda subnet: subnet["AvailabilityZone"])
        first, second = (subnet["SubnetId"] for subnet in subnets[:2])
        return Network(vpc_id=vpc_id, subnet_ids=(first, second))

    def put_image(self, uri: str, image: Image | None) -> None:
        """Have an image's address stand for something (None: for nothing); from the next start on."""
        path = self.folder / "images.json"
        described = None if image is None else {**vars(image), "environment": dict(image.environment)}
        known = json.loads(path.read_text()) | {uri: described}
        new = path.with_suffix(".new")
        new.write_text(json.dumps(known))
        new.replace(path)

    def calls(self) -> list[Call]:
        """Return every decision on a right so far."""
        path = self.folder / "calls.jsonl"
        return [Call(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def children(self) -> list[Mapping[str, Any]]:
        """Return what runs for functions and tasks now: its `owner` (a function's ARN, or "task"), `pid` and `argv`."""
        found = []
        for about in (self.folder / "children").glob("*/about.json"):
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                found.append(json.loads(about.read_text()))
        return found


class AddressedSession(boto3.Session):
    """A session whose clients go to the emulator, whatever this machine's own settings for AWS are."""

    def __init__(self, accounts: Accounts, credentials: Credentials) -> None:
        super().__init__(
            aws_access_key_id=credentials.key,
            aws_secret_access_key=credentials.secret,
            aws_session_token=credentials.token,
            region_name=REGION,
        )
        self._address: dict[str, Any] = {"endpoint_url": accounts.url, "verify": str(accounts.ca_bundle)}
        self._made: dict[str, Any] = {}

    def client(self, service_name: Any, *given: Any, **named: Any) -> Any:
        if not given and not named:
            if service_name not in self._made:
                self._made[service_name] = self.client(service_name, endpoint_url=self._address["endpoint_url"])
            return self._made[service_name]
        settings = Config(signature_version="s3v4", s3={"addressing_style": "path"}) if service_name == "s3" else None
        return super().client(service_name, *given, **{**self._address, "config": settings, **named})


@lru_cache(maxsize=64)
def _session(accounts: Accounts, credentials: Credentials) -> AddressedSession:
    """Return a session, the same for the same: what it reads of AWS's interfaces takes it a while."""
    return AddressedSession(accounts, credentials)


def worker_image() -> Image:
    """Return the unit's image as this checkout would build it: its own interpreter and sources, its entry point."""
    environment = {"PYTHONPATH": str(CHECKOUT / "src"), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return Image(argv=(sys.executable, "-m", "cloudmr.worker.entry"), environment=environment)


@contextlib.contextmanager
def aws_accounts(folder: Path) -> Iterator[Accounts]:
    """Start the emulator in a folder, and end it, with everything it started."""
    ca_bundle = _make_certificates(folder)
    (folder / "images.json").write_text("{}")
    port = _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(folder / "server.pem"),
        "MINISTACK_SSL_KEY": str(folder / "server.key"),
        "AWS_CA_BUNDLE": str(ca_bundle),
        "SSL_CERT_FILE": str(ca_bundle),
        "EMULATOR_FOLDER": str(folder),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "SFN_WAIT_SCALE": "0.01",
        **{name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ},
    }
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "tests.aws.emulator"], env=environment, cwd=CHECKOUT, stdin=subprocess.PIPE,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    accounts = Accounts(url=f"https://127.0.0.1:{port}", ca_bundle=ca_bundle, folder=folder, pid=process.pid)
    try:
        _await_start(accounts, process)
        yield accounts
    finally:
        _end(process)


def _make_certificates(folder: Path) -> Path:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    (folder / "server.pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return bundle


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_start(accounts: Accounts, process: subprocess.Popen[bytes]) -> None:
    trust = ssl.create_default_context(cafile=str(accounts.ca_bundle))
    deadline = time.monotonic() + _START_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{accounts.url}/_ministack/health", context=trust, timeout=2):
                return
        except (OSError, urllib.error.URLError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (accounts.folder / "emulator.log").read_text(errors="replace")
                raise RuntimeError(f"The emulated accounts did not start:\n{log[-4000:]}") from error
            time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close what it listens to; it may ignore a signal, so it is killed if that does not end it."""
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_WITHIN_S)
    process.kill()
    process.wait()
