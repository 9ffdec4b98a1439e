"""The rights of a stack's roles beside the calls that were made with them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aws_accounts import Accounts, Call
from aws_stacks import Stack


@dataclass(frozen=True, kw_only=True, order=True)
class Right:
    """An action that a statement of a role's policies allows, on what."""

    role: str
    action: str
    resources: tuple[str, ...]

    def covers(self, call: Call) -> bool:
        """Whether a call was made with this right."""
        return call.action == self.action and any(_matches(each, call.resource) for each in self.resources)


def roles_of(accounts: Accounts, stack: Stack) -> Mapping[str, str]:
    """Return the names of a stack's roles by their logical ids."""
    cloudformation = accounts.session(stack.account).client("cloudformation")
    found = cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for each in found
        if each["ResourceType"] == "AWS::IAM::Role"
    }


def rights_of(accounts: Accounts, account: str, name: str, *, called: str) -> Sequence[Right]:
    """Return every right of a role, which is called so in what is returned."""
    iam: Any = accounts.session(account).client("iam")
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)
        documents.append(found["PolicyVersion"]["Document"])
    return sorted(right for document in documents for right in _rights(called, document))


def _rights(role: str, document: Any) -> Iterator[Right]:
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in _list(statement["Action"]):
            yield Right(role=role, action=action, resources=tuple(_list(statement["Resource"])))


def _matches(pattern: str, resource: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), resource) is not None


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
