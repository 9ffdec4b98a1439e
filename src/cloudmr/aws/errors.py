"""What can go wrong between the Brain, or a worker, and AWS, told in words; the one place that reads botocore's errors.

UnitUnavailable (cloudmr)
├── AccessRefused           AWS refused it: the role may not (any more), or it is not there any more
│   └── RoleRefused         the role itself did not let itself be assumed
├── NotThere                what was called is not there any more
├── OwnCredentials          the caller's own credentials are missing, or have expired
├── Throttled               too many calls at the moment
└── Unreachable             AWS did not answer
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as NoConnection,
)

from cloudmr.errors import UnitUnavailable

_log = logging.getLogger(__name__)
REFUSED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden", "UnauthorizedOperation"}
)
"""AWS's words for: you may not."""
_BAD_CREDENTIALS = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken"),
        *("RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired"),
        "UnrecognizedClientException",
    }
)
_NOT_THERE = frozenset({"NoSuchBucket", "ResourceNotFoundException", "StateMachineDoesNotExist"})
_THROTTLED = frozenset(
    {
        *("RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException"),
        *("ThrottledException", "RequestThrottled", "ServiceUnavailable"),
    }
)


class AccessRefused(UnitUnavailable):
    """AWS refused it: the role may not (any more), or it is not there any more."""

    code = "aws_access_refused"
    is_lasting = True


class RoleRefused(AccessRefused):
    """The role did not let itself be assumed; AWS says the same where there is no such role."""

    code = "aws_role_refused"


class NotThere(UnitUnavailable):
    """What was called is not there any more."""

    code = "aws_not_there"
    is_lasting = True


class OwnCredentials(UnitUnavailable):
    """The caller's own credentials are missing, or have expired."""

    code = "aws_credentials"


class Throttled(UnitUnavailable):
    """Too many calls at the moment."""

    code = "aws_throttled"


class Unreachable(UnitUnavailable):
    """AWS did not answer."""

    code = "aws_unreachable"


def code_of(error: ClientError) -> str:
    """Return AWS's word for an error; of a HEAD, which has no body, the status."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Translate what botocore raises while something is done. `doing` goes into a sentence: "start the job"."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ParamValidationError):
            raise  # a mistake of ours
        # AWS's own words name principals and resources, for the operator; nothing secret is in them.
        _log.info("AWS, asked to %s: %s", doing, error)
        raise explain(error, doing) from error


def explain(error: ClientError | BotoCoreError, doing: str) -> UnitUnavailable:
    """Return what an error means to a person."""
    if isinstance(error, ClientError):
        return _of_answer(code_of(error), doing)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | TokenRetrievalError):
        return OwnCredentials(
            f"There are no AWS credentials to {doing} with.",
            "Give the process credentials: a role, a profile (AWS_PROFILE), or keys in the environment.",
        )
    if isinstance(error, HTTPClientError | NoConnection):
        return Unreachable(
            f"AWS did not answer when asked to {doing} ({type(error).__name__}).",
            "Try again in a minute; if it stays so, check the network of CloudMR Brain.",
        )
    return Unreachable(f"AWS could not be asked to {doing} ({type(error).__name__}).", "See the log, and try again.")


def _of_answer(code: str, doing: str) -> UnitUnavailable:
    if code in REFUSED:
        return AccessRefused(
            f"AWS refused to {doing} ({code}).",
            "See what the unit's check says (`cloudmr unit check`), and deploy its stack anew if its role was changed.",
        )
    if code in _BAD_CREDENTIALS:
        return OwnCredentials(
            f"AWS did not accept the credentials to {doing} with ({code}).",
            "Check the clock and the credentials of the process; expired ones are renewed by signing in to AWS again.",
        )
    if code in _NOT_THERE:
        return NotThere(
            f"AWS has not what is needed to {doing} ({code}).",
            "See whether the unit's stack was deleted; deploy it again, or choose another unit.",
        )
    if code in _THROTTLED:
        return Throttled(f"AWS takes no more calls at the moment to {doing} ({code}).", "Try again in a minute.")
    return UnitUnavailable(f"AWS could not {doing} ({code}).", "Try again; if it stays so, see the log.")
