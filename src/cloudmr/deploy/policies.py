"""Reading IAM policies: who may assume a role, and what it may do, compared with what the template declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

_SHORTEST_EXTERNAL_ID = 16

STARTS_TASKS = (
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
)
"""What the role that starts tasks must be able to do."""


class On(StrEnum):
    """What CloudMR Brain has a right on."""

    MACHINE = "the unit's state machine"
    """It runs jobs."""
    EXECUTIONS = "executions of it"
    """Jobs."""
    RESULTS = "results/* of the results bucket"
    """What jobs came to."""
    UPLOADS = "uploads/* and regions/* of the data bucket"
    """Raw data, masks, regions of interest."""
    FAILURES = "failed/* of the bucket for failures"
    """What is known of jobs that failed."""
    BUCKETS = "the three buckets, by these prefixes"
    """Whether an object is there."""
    EVERYTHING = "what is in the three buckets"
    """Data, results, failure packages."""
    LOGS = "the log group of its jobs"
    """What workers wrote."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """One thing that CloudMR Brain may do, and the parameter of the template that grants it (None: it always may)."""

    action: str
    on: On
    switch: str | None = None


RIGHTS = (
    Right(action="states:StartExecution", on=On.MACHINE),
    Right(action="states:DescribeExecution", on=On.EXECUTIONS),
    Right(action="s3:GetObject", on=On.RESULTS),
    Right(action="states:StopExecution", on=On.EXECUTIONS, switch="AllowStop"),
    Right(action="s3:PutObject", on=On.UPLOADS, switch="AllowUpload"),
    Right(action="s3:GetObject", on=On.UPLOADS, switch="AllowUpload"),
    Right(action="s3:ListMultipartUploadParts", on=On.UPLOADS, switch="AllowUpload"),
    Right(action="s3:AbortMultipartUpload", on=On.UPLOADS, switch="AllowUpload"),
    Right(action="s3:GetObject", on=On.FAILURES, switch="AllowUpload"),
    Right(action="s3:ListBucket", on=On.BUCKETS, switch="AllowUpload"),
    Right(action="logs:FilterLogEvents", on=On.LOGS, switch="AllowLogs"),
)
"""Everything that the template grants CloudMR Brain in somebody's own account. It deletes nothing."""

RIGHTS_OF_MODE_1 = (Right(action="s3:DeleteObject", on=On.EVERYTHING),)
"""What comes to that in the operator's account, where the Brain itself keeps the times after which things go."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One action on one thing."""

    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


def listed(value: Any) -> list[Any]:
    """Return what a policy has as one thing or as a list of them, always as a list."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def grants(documents: Iterable[Mapping[str, Any]]) -> tuple[Grant, ...]:
    """Return everything that policies allow; `NotAction` and `NotResource` count as everything."""
    found = []
    for document in documents:
        for statement in listed(document.get("Statement")):
            if statement.get("Effect") != "Allow":
                continue
            actions = listed(statement.get("Action")) or ["*"]
            resources = listed(statement.get("Resource")) or ["*"]
            found += [Grant(action=action, resource=resource) for action in actions for resource in resources]
    return tuple(found)


def lacks(needed: Sequence[str], allowed: Sequence[Grant]) -> tuple[str, ...]:
    """Return the actions that nothing allows."""
    return tuple(action for action in needed if not any(_covers(grant.action, action) for grant in allowed))


def why_open(document: Mapping[str, Any]) -> str | None:
    """Return why a trust policy lets in others than one role with one ExternalId, None if it does not."""
    statements = [each for each in listed(document.get("Statement")) if each.get("Effect") == "Allow"]
    if not statements:
        return "nobody may assume it"
    return next((why for why in map(_why_statement_is_open, statements) if why), None)


def beyond(allowed: Sequence[Grant], declared: Sequence[Grant]) -> tuple[Grant, ...]:
    """Return what is allowed and not declared; a declared resource may end in `*`."""
    return tuple(
        grant
        for grant in allowed
        if not any(
            grant.action == may.action and (grant.resource == may.resource or fnmatchcase(grant.resource, may.resource))
            for may in declared
        )
    )


def declared_for_brain(
    *,
    machine_arn: str,
    data_bucket: str,
    results_bucket: str,
    failed_bucket: str,
    log_group: str,
    is_operators: bool = False,
) -> tuple[Grant, ...]:
    """Return all that a unit's role may ever let CloudMR Brain do, with every switch of the template on."""
    data, results, failed = (f"arn:aws*:s3:::{name}" for name in (data_bucket, results_bucket, failed_bucket))
    places: Mapping[On, Sequence[str]] = {
        On.MACHINE: [machine_arn],
        On.EXECUTIONS: [machine_arn.replace(":stateMachine:", ":execution:") + ":*"],
        On.RESULTS: [f"{results}/results/*"],
        On.UPLOADS: [f"{data}/uploads/*", f"{data}/regions/*"],
        On.FAILURES: [f"{failed}/failed/*"],
        On.BUCKETS: [data, results, failed],
        On.EVERYTHING: [f"{data}/*", f"{results}/results/*", f"{failed}/failed/*"],
        On.LOGS: [f"{log_group}*"],
    }
    rights = (*RIGHTS, *RIGHTS_OF_MODE_1) if is_operators else RIGHTS
    return tuple(Grant(action=right.action, resource=each) for right in rights for each in places[right.on])


def _covers(pattern: str, action: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def _why_statement_is_open(statement: Mapping[str, Any]) -> str | None:
    principal = statement.get("Principal")
    if principal == "*" or not isinstance(principal, Mapping):
        return "everybody may ask for it"
    if strange := [kind for kind in principal if kind != "AWS"]:
        return f"{strange[0]} principals may ask for it"
    who = listed(principal.get("AWS"))
    if any("*" in each for each in who):
        return "every AWS account may ask for it"
    if len(who) != 1:
        return f"{len(who)} principals may ask for it"
    equals = statement.get("Condition", {}).get("StringEquals", {})
    named = {name.lower(): listed(value) for name, value in equals.items()}
    external_ids, principals = named.get("sts:externalid", []), named.get("aws:principalarn", [])
    if len(external_ids) != 1 or len(str(external_ids[0])) < _SHORTEST_EXTERNAL_ID:
        return "it asks for no ExternalId of its own"
    if who[0].endswith(":root") and (len(principals) != 1 or _account(principals[0]) != _account(who[0])):
        return f"everybody in the account {_account(who[0])} may ask for it"
    return None


def _account(arn: str) -> str:
    parts = str(arn).split(":")
    return parts[4] if len(parts) > 4 else ""
