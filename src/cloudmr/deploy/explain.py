"""From what AWS says to what is known of it: events of stacks, refused calls, stopped tasks, and the Brain's own codes.

What is not known stays in AWS's words. The patterns are AWS's texts, as its services send them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.errors import AwsRefused, DeployError, StandsInTheWay
from cloudmr.deploy.troubles import Problem, Trouble, problem

_OF_CODE: Mapping[str, Trouble] = {
    "ExpiredToken": Trouble.CREDENTIALS_EXPIRED,
    "ExpiredTokenException": Trouble.CREDENTIALS_EXPIRED,
    "RequestExpired": Trouble.CREDENTIALS_EXPIRED,
    "SsoExpired": Trouble.CREDENTIALS_EXPIRED,
    "InvalidClientTokenId": Trouble.CREDENTIALS_INVALID,
    "UnrecognizedClientException": Trouble.CREDENTIALS_INVALID,
    "InvalidAccessKeyId": Trouble.CREDENTIALS_INVALID,
    "SignatureDoesNotMatch": Trouble.CREDENTIALS_INVALID,
    "AuthFailure": Trouble.CREDENTIALS_INVALID,
    "NoCredentials": Trouble.CREDENTIALS_MISSING,
    "AccessDenied": Trouble.MISSING_RIGHTS,
    "AccessDeniedException": Trouble.MISSING_RIGHTS,
    "UnauthorizedOperation": Trouble.MISSING_RIGHTS,
    "StateMachineDoesNotExist": Trouble.STATE_MACHINE_MISSING,
    "LimitExceededException": Trouble.LIMIT_REACHED,
}

_OF_TASK: tuple[tuple[str, Trouble], ...] = (
    (r"not authorized to perform: (ecr|logs|secretsmanager|ssm):", Trouble.EXECUTION_ROLE),
    (
        r"i/o timeout|dial tcp|connection (timed out|refused)|Client\.Timeout|context deadline exceeded",
        Trouble.NO_WAY_OUT,
    ),
    (r"CannotPull\w*Error|pull access denied|ImageNotFound|manifest unknown", Trouble.IMAGE_NOT_PULLED),
    (
        r"(?i)capacity is unavailable|insufficient capacity|reached the limit|RESOURCE:|no container instances",
        Trouble.NO_CAPACITY,
    ),
    (r"unable to assume the role|AssumeRole", Trouble.EXECUTION_ROLE),
)
"""Why a task did not start, from the particular to the general: a pull that is refused names a right, one that
times out a network."""

_OF_EVENT: tuple[tuple[str, Trouble], ...] = (
    (r"\((not_signed_in|token_invalid|token_spent|token_expired|wrong_scope)\)", Trouble.INVALID_TOKEN),
    (r"\(account_not_active\)", Trouble.ACCOUNT_NOT_ACTIVE),
    (r"\(region_without_image\)", Trouble.REGION_WITHOUT_IMAGE),
    (
        r"CloudMR Brain at \S+ does not answer|is not CloudMR Brain|CloudMR Brain answered \d+",
        Trouble.BRAIN_NOT_REACHED,
    ),
    (r"MemorySize.*(3008|less than or equal)", Trouble.LAMBDA_MEMORY),
    (r"permission to access the ECR image|Source image .* does not exist|ECR permissions", Trouble.IMAGE_NOT_PULLED),
    (r"security token included in the request is expired|ExpiredToken", Trouble.CREDENTIALS_EXPIRED),
    (r"BucketAlreadyExists|BucketAlreadyOwnedByYou|bucket name is not available", Trouble.BUCKET_TAKEN),
    (r"bucket you tried to delete is not empty|BucketNotEmpty", Trouble.BUCKET_NOT_EMPTY),
    (r"not authorized to perform|AccessDenied|UnauthorizedOperation", Trouble.MISSING_RIGHTS),
    (r"LimitExceeded|limit (was )?exceeded|maximum limit|reached the limit|quota", Trouble.LIMIT_REACHED),
)

_OF_BRAIN: Mapping[str, Trouble] = {
    "wrong_credentials": Trouble.WRONG_CREDENTIALS,
    "account_not_active": Trouble.ACCOUNT_NOT_ACTIVE,
    "not_signed_in": Trouble.INVALID_TOKEN,
    "token_invalid": Trouble.INVALID_TOKEN,
    "wrong_scope": Trouble.INVALID_TOKEN,
    "token_spent": Trouble.INVALID_TOKEN,
    "token_expired": Trouble.INVALID_TOKEN,
    "region_without_image": Trouble.REGION_WITHOUT_IMAGE,
}

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}-(data|results|failed)-[a-z0-9-]*[0-9]{12}")
_QUOTED = re.compile(r"Message returned: (?P<said>.*?)(?: \(RequestId: [^)]*\))?$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class StackEvent:
    """One thing that happened to a part of a stack."""

    id: str
    resource: str
    type: str
    status: str
    reason: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether it is a failure of its own, and not one that was cancelled because of another."""
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason.lower()


def explain_refusal(said: AwsSaid) -> DeployError:
    """Return the error that a refused call comes to."""
    trouble = _OF_CODE.get(said.aws_code)
    if trouble is None:
        return AwsRefused(said.operation, said.said)
    return StandsInTheWay([problem(trouble, said=said.said, what=said.said)])


def explain_brain(code: str, message: str, next_step: str = "") -> Problem | None:
    """Return what the Brain's no comes to when a unit is deployed or registered; None: it speaks for itself."""
    trouble = _OF_BRAIN.get(code)
    # Which regions there are only the Brain knows.
    said = f"{message} {next_step}" if trouble is Trouble.REGION_WITHOUT_IMAGE else message
    return problem(trouble, said=said) if trouble else None


def explain_event(event: StackEvent) -> Problem | None:
    """Return what a failed part of a stack comes to, None where nothing more is known than its own words."""
    for pattern, trouble in _OF_EVENT:
        if re.search(pattern, event.reason):
            return _of_event(trouble, event)
    if event.type == "AWS::S3::Bucket" and "already exists" in event.reason:
        return _of_event(Trouble.BUCKET_TAKEN, event)
    return None


def explain_task(reason: str, subnets: str = "A subnet of the unit") -> Problem | None:
    """Return why a Fargate task did not start, None where nothing more is known than its own words."""
    for pattern, trouble in _OF_TASK:
        if re.search(pattern, reason):
            return problem(trouble, said=reason, what=subnets)
    return None


def own_words(reason: str) -> str:
    """Return what a function of ours said, without what CloudFormation says around it."""
    found = _QUOTED.search(reason)
    return found["said"] if found else reason


def _of_event(trouble: Trouble, event: StackEvent) -> Problem:
    bucket = _BUCKET.search(event.reason)
    kind = bucket[1] if bucket else event.resource.removesuffix("Bucket").lower()
    return problem(
        trouble,
        said=own_words(event.reason),
        what=event.resource,
        bucket=bucket[0] if bucket else event.resource,
        kind=kind,
    )
