"""Names of things in AWS accounts, as far as an account can be read out of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from cloudmr.errors import InvalidRequest

_STATE_MACHINE = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):states:(?P<region>[a-z0-9-]{1,32}):(?P<account>[0-9]{12})"
    r":stateMachine:(?P<name>[A-Za-z0-9_-]{1,80})"
)
_ROLE = re.compile(
    r"arn:(?P<partition>aws|aws-cn|aws-us-gov):iam::(?P<account>[0-9]{12}):role/(?P<name>[A-Za-z0-9+=,.@_/-]{1,576})"
)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ACCOUNT_IN_BUCKET = re.compile(r"(?:^|[.-])([0-9]{12})(?:$|[.-])")


@dataclass(frozen=True, kw_only=True)
class Arn:
    """A state machine's or a role's name, taken apart; a role belongs to no region."""

    text: str
    account: str
    region: str | None

    @classmethod
    def of_state_machine(cls, text: str) -> Self:
        """Read a state machine's ARN. Raise `InvalidRequest` for anything else."""
        return cls._read(_STATE_MACHINE, text, "stateMachineArn", "arn:aws:states:REGION:ACCOUNT:stateMachine:NAME")

    @classmethod
    def of_role(cls, text: str) -> Self:
        """Read a role's ARN. Raise `InvalidRequest` for anything else."""
        return cls._read(_ROLE, text, "crossAccountRoleArn", "arn:aws:iam::ACCOUNT:role/NAME")

    @classmethod
    def _read(cls, pattern: re.Pattern[str], text: str, field: str, shape: str) -> Self:
        found = pattern.fullmatch(text)
        if found is None:
            raise InvalidRequest(f"{field} is not such a name.", f"Give one of the shape {shape}.", code="invalid_arn")
        return cls(text=text, account=found["account"], region=found.groupdict().get("region"))


def check_account_id(text: str) -> str:
    """Return an account's number. Raise `InvalidRequest` for what is none."""
    if not re.fullmatch(r"[0-9]{12}", text):
        raise InvalidRequest("awsAccountId is not the number of an AWS account.", "Give its twelve digits.")
    return text


def check_region(text: str) -> str:
    """Return a region's name. Raise `InvalidRequest` for what cannot be one."""
    if len(text) > 32 or not _REGION.fullmatch(text):
        raise InvalidRequest("region is not the name of an AWS region.", "Give one such as us-east-1.")
    return text


def check_bucket_name(text: str, field: str) -> str:
    """Return a bucket's name. Raise `InvalidRequest` for what cannot be one."""
    if not _BUCKET.fullmatch(text) or ".." in text:
        raise InvalidRequest(
            f"{field} is not the name of a bucket.", "Give its name, without s3:// and without a path."
        )
    return text


def account_in_bucket_name(text: str) -> str | None:
    """Return the account that a bucket's name speaks of, None where it speaks of none."""
    found = _ACCOUNT_IN_BUCKET.search(text)
    return found[1] if found else None
