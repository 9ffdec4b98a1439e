"""Somebody's AWS account, with their own credentials: questions asked of its services, and every no as one error.

The Brain never comes here; it has the role of each unit (`cloudmr.aws` beside this file). What the answers mean is for
`cloudmr.deploy` to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions as refusals
from botocore.config import Config

from cloudmr.aws.said import AwsSaid

_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=10,
    read_timeout=60,
    s3={"addressing_style": "path"},
)


class OwnAccount:
    """An account as one person may use it, in one region."""

    def __init__(self, *, profile: str | None, region: str) -> None:
        """Read the credentials of a profile, or those of the environment. Raise `AwsSaid` if there is none such."""
        self.region = region
        try:
            self._session: Any = boto3.Session(profile_name=profile or None, region_name=region)
        except refusals.ProfileNotFound as error:
            raise AwsSaid("NoCredentials", str(error), "reading the profile") from error
        self._clients: dict[str, Any] = {}

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Ask one thing and return the answer. Raise `AwsSaid` for every kind of no."""
        try:
            answer: dict[str, Any] = getattr(self._client(service), operation)(**parameters)
        except (refusals.ClientError, refusals.BotoCoreError) as error:
            raise _said(error, f"{service}:{operation}") from error
        return answer

    def pages(self, service: str, operation: str, field: str, **parameters: Any) -> Iterator[Any]:
        """Yield one field of an answer that comes in pages, item by item. Raise `AwsSaid`."""
        try:
            for page in self._client(service).get_paginator(operation).paginate(**parameters):
                yield from page.get(field) or ()
        except (refusals.ClientError, refusals.BotoCoreError) as error:
            raise _said(error, f"{service}:{operation}") from error

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=_CONFIG)
        return self._clients[service]


def _said(error: Exception, operation: str) -> AwsSaid:
    match error:
        case refusals.ClientError():
            explained = error.response.get("Error", {})
            return AwsSaid(str(explained.get("Code", "")), str(explained.get("Message", error)), operation)
        case refusals.NoCredentialsError() | refusals.PartialCredentialsError() | refusals.ProfileNotFound():
            return AwsSaid("NoCredentials", str(error), operation)
        case refusals.SSOTokenLoadError() | refusals.UnauthorizedSSOTokenError() | refusals.TokenRetrievalError():
            return AwsSaid("SsoExpired", str(error), operation)
        case _:
            return AwsSaid("Unreachable", str(error), operation)
