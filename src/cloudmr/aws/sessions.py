"""Sessions in somebody's account: the Brain assumes the unit's role, for one job or one data file at a time.

    access = RoleAccess(sessions, unit)
    with access.calling(scope_of_job(job_id), "stop the job") as aws:
        aws.step_functions.stop_execution(…)

A session lives for an hour, the most that AWS gives to a role that assumes another one, and is replaced after 45
minutes: what is signed in it is good for a quarter of an hour at least.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypedDict
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudmr.aws.errors import AccessRefused, OwnCredentials, RoleRefused, code_of, explained
from cloudmr.aws.scopes import Scope, session_policy
from cloudmr.aws.unit import AwsUnit
from cloudmr.model.instants import Clock, utc_now

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_stepfunctions import SFNClient
    from types_boto3_sts import STSClient
    from types_boto3_sts.type_defs import AssumeRoleRequestTypeDef, CredentialsTypeDef

SESSION_S = 60 * 60
RENEWED_AFTER = timedelta(minutes=45)
_MOST_SESSIONS = 500
CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=20,
    user_agent_extra="cloudmr",
)
S3_CONFIG = CONFIG.merge(
    Config(
        signature_version="s3v4",
        s3={"us_east_1_regional_endpoint": "regional", "addressing_style": "virtual"},
        request_checksum_calculation="when_required",
    )
)
"""Signed URLs need this signature, and the host of the bucket's own region: said to choose a style by itself, botocore
signs for the host of all regions, which answers a new bucket with a redirect that no browser follows. Which checksum an
object has is ours to say."""


class Workshop:
    """Makes clients, one after the other: what botocore knows of AWS is read once, and making is not for many threads.

    The credentials are the process's own (`AWS_PROFILE`, a role, keys in the environment) unless others are given.
    """

    def __init__(self) -> None:
        self._core = botocore.session.get_session()
        self._session = boto3.Session(botocore_session=self._core)
        self._lock = threading.Lock()

    @property
    def ca_bundle(self) -> str | None:
        """Whose certificates are believed, where that is not left to the libraries (`AWS_CA_BUNDLE`)."""
        bundle: str | None = self._core.get_config_variable("ca_bundle")
        return bundle

    def sts(self, region: str) -> STSClient:
        """Return a client of AWS's token service in a region."""
        with self._lock:
            return self._session.client("sts", region_name=region, config=CONFIG)

    def s3(self, region: str, credentials: CredentialsTypeDef | None) -> S3Client:
        """Return a client for objects."""
        with self._lock:
            return self._session.client("s3", region_name=region, config=S3_CONFIG, **_shown(credentials))

    def step_functions(self, region: str, credentials: CredentialsTypeDef | None) -> SFNClient:
        """Return a client for executions."""
        with self._lock:
            return self._session.client("stepfunctions", region_name=region, config=CONFIG, **_shown(credentials))

    def iam(self, region: str, credentials: CredentialsTypeDef | None) -> IAMClient:
        """Return a client for rights."""
        with self._lock:
            return self._session.client("iam", region_name=region, config=CONFIG, **_shown(credentials))

    def bucket_origin(self, region: str, bucket_name: str) -> str:
        """Return what the addresses of a bucket's objects begin with; asks nobody.

        A bucket has a host of its own, unless its name has a dot, which no certificate covers.
        """
        with self._lock:
            config = S3_CONFIG.merge(Config(signature_version=UNSIGNED))
            nobodys = self._session.client("s3", region_name=region, config=config)
        url = nobodys.generate_presigned_url("get_object", Params={"Bucket": bucket_name, "Key": "x"})
        parts = urlsplit(url)
        path = f"/{bucket_name}/" if parts.path.startswith(f"/{bucket_name}/") else ""
        return f"{parts.scheme}://{parts.netloc}{path}"

    def logs(self, region: str, credentials: CredentialsTypeDef | None) -> CloudWatchLogsClient:
        """Return a client for logs."""
        with self._lock:
            return self._session.client("logs", region_name=region, config=CONFIG, **_shown(credentials))


class Clients:
    """The clients of one session, made when they are used."""

    def __init__(self, workshop: Workshop, *, region: str, credentials: CredentialsTypeDef | None = None) -> None:
        self._workshop = workshop
        self._region = region
        self._credentials = credentials

    @property
    def expires_at(self) -> datetime | None:
        """When the session ends; None where it renews itself."""
        return None if self._credentials is None else self._credentials["Expiration"].astimezone(UTC)

    @cached_property
    def s3(self) -> S3Client:
        """Objects."""
        return self._workshop.s3(self._region, self._credentials)

    @cached_property
    def step_functions(self) -> SFNClient:
        """Executions."""
        return self._workshop.step_functions(self._region, self._credentials)

    @cached_property
    def iam(self) -> IAMClient:
        """Rights."""
        return self._workshop.iam(self._region, self._credentials)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Logs."""
        return self._workshop.logs(self._region, self._credentials)


class Access(Protocol):
    """A way into an account."""

    def calling(self, scope: Scope, doing: str) -> AbstractContextManager[Clients]:
        """Give the clients to do something with; what they raise becomes a `UnitUnavailable` that says so."""


class OwnAccess:
    """A worker's way: it is in the account, with a role of its own, whatever the scope."""

    def __init__(self, *, region: str) -> None:
        self._clients = Clients(Workshop(), region=region)

    @contextmanager
    def calling(self, scope: Scope, doing: str) -> Iterator[Clients]:  # noqa: ARG002 - the role has one scope
        """Give the clients."""
        with explained(doing):
            yield self._clients


@dataclass(frozen=True, kw_only=True)
class _Key:
    role_arn: str
    external_id: str
    scope: Scope


class _Slot:
    """One session, there or not; whoever makes it keeps others that want the same waiting, and nobody else."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clients: Clients | None = None
        self.renew_at: datetime | None = None


class Sessions:
    """The Brain's sessions in all units; kept for as long as they are good, and shared between threads."""

    def __init__(self, workshop: Workshop | None = None, *, clock: Clock = utc_now) -> None:
        self.workshop = workshop or Workshop()
        self._clock = clock
        self._slots: OrderedDict[_Key, _Slot] = OrderedDict()
        self._sts_in: dict[str, STSClient] = {}
        self._lock = threading.Lock()

    def clients(self, unit: AwsUnit, scope: Scope) -> Clients:
        """Return clients in a session of the unit's role. Raise `RoleRefused`, and what `explained` raises."""
        slot = self._slot(_key(unit, scope))
        with slot.lock:
            if slot.clients is None or slot.renew_at is None or self._clock() >= slot.renew_at:
                began_at = self._clock()
                slot.clients = self.assume(unit, scope, external_id=unit.external_id)
                slot.renew_at = began_at + RENEWED_AFTER
            return slot.clients

    def forget(self, unit: AwsUnit, scope: Scope) -> None:
        """Begin a new session the next time: what this one was refused may be granted by now."""
        with self._lock:
            self._slots.pop(_key(unit, scope), None)

    def assume(self, unit: AwsUnit, scope: Scope, *, external_id: str | None) -> Clients:
        """Begin a session that is not kept, showing this ExternalId (None: none). Raises what `clients` raises."""
        request: AssumeRoleRequestTypeDef = {
            "RoleArn": unit.role_arn,
            "RoleSessionName": scope.name,
            "DurationSeconds": SESSION_S,
        }
        if external_id is not None:
            request["ExternalId"] = external_id
        if (policy := session_policy(unit, scope)) is not None:
            request["Policy"] = policy
        sts = self._sts(unit.region)
        with explained("enter the unit's account"):
            try:
                answer = sts.assume_role(**request)
            except ClientError as error:
                if code_of(error) in {"AccessDenied", "AccessDeniedException"}:
                    raise _role_refused(unit) from error
                raise
        return Clients(self.workshop, region=unit.region, credentials=answer["Credentials"])

    def _slot(self, key: _Key) -> _Slot:
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > _MOST_SESSIONS:
                self._slots.popitem(last=False)
            return slot

    def _sts(self, region: str) -> STSClient:
        with self._lock:
            if region not in self._sts_in:
                self._sts_in[region] = self.workshop.sts(region)
            return self._sts_in[region]


class RoleAccess:
    """The Brain's way into a unit: by its role."""

    def __init__(self, sessions: Sessions, unit: AwsUnit) -> None:
        self._sessions = sessions
        self._unit = unit

    @contextmanager
    def calling(self, scope: Scope, doing: str) -> Iterator[Clients]:
        """Give the clients of a session for this scope."""
        clients = self._sessions.clients(self._unit, scope)
        try:
            with explained(doing):
                yield clients
        except (AccessRefused, OwnCredentials):
            self._sessions.forget(self._unit, scope)
            raise


class _Shown(TypedDict, total=False):
    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str


def _shown(credentials: CredentialsTypeDef | None) -> _Shown:
    if credentials is None:
        return {}
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def _key(unit: AwsUnit, scope: Scope) -> _Key:
    return _Key(role_arn=unit.role_arn, external_id=unit.external_id, scope=scope)


def _role_refused(unit: AwsUnit) -> RoleRefused:
    return RoleRefused(
        f"The role {unit.role_arn} did not let CloudMR Brain in: it is not there, or asks for something else.",
        "One that was just made is known to AWS within a minute or two. Else `cloudmr unit check`, with your own "
        "credentials, says what it asks for; `cloudmr unit remove` and deploying anew mends it, and buckets stay.",
    )
