"""What a person's own credentials see of their account, as values. Everything here only reads.

`Asks` is `cloudmr.aws.own_account.OwnAccount`; tests give one that answers from a table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.explain import StackEvent
from cloudmr.deploy.network import EgressRule, Route, RouteTable, SecurityGroup, SeenNetwork, Subnet, Vpc, way_out

LONGEST_BUCKET_NAME = 63
"""Of S3; nobody has a bucket with a longer one."""


class Asks(Protocol):
    """Asks AWS, with somebody's credentials, in one region."""

    region: str

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Ask one thing. Raise `AwsSaid`."""

    def pages(self, service: str, operation: str, field: str, **parameters: Any) -> Iterator[Any]:
        """Ask for a list that comes in pages. Raise `AwsSaid`."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whose credentials these are: the account, and who in it."""

    account_id: str
    arn: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A CloudFormation stack as it is now."""

    name: str
    id: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StackResource:
    """One thing that a stack consists of."""

    logical_id: str
    type: str
    physical_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket of the account: where it is, who may see it, how it is kept, which pages may use it (by method)."""

    name: str
    region: str
    blocks_public: bool
    is_encrypted: bool
    cors_origins: Mapping[str, frozenset[str]]
    requires_tls: bool


def who(aws: Asks) -> Person:
    """Return whose credentials these are. Raise `AwsSaid`."""
    answer = aws.ask("sts", "get_caller_identity")
    return Person(account_id=answer["Account"], arn=answer["Arn"])


def see_network(aws: Asks) -> SeenNetwork:
    """Return every network of the region, each subnet with its way out. Raise `AwsSaid`."""
    vpcs = [
        Vpc(id=vpc["VpcId"], cidr=vpc.get("CidrBlock", ""), is_default=vpc.get("IsDefault", False), name=_name(vpc))
        for vpc in aws.pages("ec2", "describe_vpcs", "Vpcs")
    ]
    tables = [_route_table(table) for table in aws.pages("ec2", "describe_route_tables", "RouteTables")]
    endpoints: dict[str, set[str]] = {}
    for endpoint in aws.pages("ec2", "describe_vpc_endpoints", "VpcEndpoints"):
        endpoints.setdefault(endpoint["VpcId"], set()).add(endpoint["ServiceName"])
    subnets = [
        Subnet(
            id=subnet["SubnetId"],
            vpc_id=subnet["VpcId"],
            zone=subnet["AvailabilityZone"],
            n_free_addresses=subnet.get("AvailableIpAddressCount", 0),
            way_out=way_out(subnet["SubnetId"], subnet["VpcId"], tables, endpoints.get(subnet["VpcId"], ())),
            name=_name(subnet),
        )
        for subnet in aws.pages("ec2", "describe_subnets", "Subnets")
    ]
    groups = [_group(group) for group in aws.pages("ec2", "describe_security_groups", "SecurityGroups")]
    return SeenNetwork(region=aws.region, vpcs=tuple(vpcs), subnets=tuple(subnets), security_groups=tuple(groups))


def find_stack(aws: Asks, name: str) -> Stack | None:
    """Return a stack by its name or id, None if there is none. Raise `AwsSaid`."""
    try:
        [stack] = aws.ask("cloudformation", "describe_stacks", StackName=name)["Stacks"]
    except AwsSaid as said:
        if said.aws_code == "ValidationError" and "does not exist" in said.said:
            return None
        raise
    return Stack(
        name=stack["StackName"],
        id=stack["StackId"],
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", ())},
        outputs={each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())},
    )


def stack_events(aws: Asks, stack_id: str) -> tuple[StackEvent, ...]:
    """Return what happened to the parts of a stack, the first thing first. Raise `AwsSaid`."""
    events = [
        StackEvent(
            id=event["EventId"],
            resource=event.get("LogicalResourceId", ""),
            type=event.get("ResourceType", ""),
            status=event.get("ResourceStatus", ""),
            reason=event.get("ResourceStatusReason", ""),
        )
        for event in aws.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=stack_id)
    ]
    return tuple(reversed(events))


def validation_failures(aws: Asks, stack_id: str) -> tuple[StackEvent, ...]:
    """Return what was found wrong with a stack before anything of it was made. Raise `AwsSaid`."""
    return tuple(
        StackEvent(
            id=event.get("EventId", ""),
            resource=event.get("LogicalResourceId", ""),
            type=event.get("ResourceType", ""),
            status="CREATE_FAILED",
            reason=event["ValidationStatusReason"],
        )
        for event in aws.pages("cloudformation", "describe_events", "OperationEvents", StackName=stack_id)
        if event.get("ValidationStatus") == "FAILED" and event.get("ValidationStatusReason")
    )


def stack_resources(aws: Asks, name: str) -> tuple[StackResource, ...]:
    """Return what a stack consists of. Raise `AwsSaid`."""
    return tuple(
        StackResource(
            logical_id=each["LogicalResourceId"],
            type=each["ResourceType"],
            physical_id=each.get("PhysicalResourceId", ""),
            status=each.get("ResourceStatus", ""),
        )
        for each in aws.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=name)
    )


def own_bucket_names(aws: Asks) -> frozenset[str]:
    """Return the names of the account's buckets. Raise `AwsSaid`."""
    return frozenset(bucket["Name"] for bucket in aws.ask("s3", "list_buckets").get("Buckets", ()))


def is_bucket_name_free(aws: Asks, name: str) -> bool:
    """Tell whether nobody has a bucket of this name. Raise `AwsSaid`."""
    if len(name) > LONGEST_BUCKET_NAME:
        return True
    try:
        aws.ask("s3", "head_bucket", Bucket=name)
    except AwsSaid as said:
        if said.aws_code in {"404", "NoSuchBucket", "NotFound"}:
            return True
        if said.aws_code in {"403", "301", "AccessDenied", "Forbidden", "PermanentRedirect"}:
            return False
        raise
    return False


def see_bucket(aws: Asks, name: str) -> Bucket:
    """Return how a bucket of the account is kept. Raise `AwsSaid`."""
    location = aws.ask("s3", "get_bucket_location", Bucket=name).get("LocationConstraint") or "us-east-1"
    blocks = _asked_of(aws, name, "get_public_access_block").get("PublicAccessBlockConfiguration", {})
    # S3 encrypts by itself since 2023; before that a bucket could be without.
    encryption = _asked_of(aws, name, "get_bucket_encryption").get("ServerSideEncryptionConfiguration")
    return Bucket(
        name=name,
        region="eu-west-1" if location == "EU" else location,
        blocks_public=len(blocks) == 4 and all(blocks.values()),
        is_encrypted=bool(encryption),
        cors_origins=_origins(cors_rules(aws, name)),
        requires_tls=any(_requires_tls(statement) for statement in policy_of(aws, name).get("Statement", ())),
    )


def cors_rules(aws: Asks, name: str) -> list[dict[str, Any]]:
    """Return which pages may use a bucket, and how. Raise `AwsSaid`."""
    rules: list[dict[str, Any]] = _asked_of(aws, name, "get_bucket_cors").get("CORSRules", [])
    return rules


def policy_of(aws: Asks, name: str) -> dict[str, Any]:
    """Return a bucket's policy, empty if it has none. Raise `AwsSaid`."""
    policy: dict[str, Any] = json.loads(_asked_of(aws, name, "get_bucket_policy").get("Policy", "{}"))
    return policy


def _origins(rules: list[dict[str, Any]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for rule in rules:
        for method in rule["AllowedMethods"]:
            found[method] = found.get(method, frozenset()) | frozenset(rule["AllowedOrigins"])
    return found


_ABSENT = frozenset(
    {
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchCORSConfiguration",
        "NoSuchBucketPolicy",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)


def _asked_of(aws: Asks, bucket: str, operation: str) -> dict[str, Any]:
    try:
        return aws.ask("s3", operation, Bucket=bucket)
    except AwsSaid as said:
        if said.aws_code in _ABSENT:
            return {}
        raise


def _requires_tls(statement: Mapping[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return statement.get("Effect") == "Deny" and str(condition).lower() == "false"


def _name(thing: Mapping[str, Any]) -> str:
    return next((str(tag["Value"]) for tag in thing.get("Tags", ()) if tag["Key"] == "Name"), "")


def _route_table(table: Mapping[str, Any]) -> RouteTable:
    associations = table.get("Associations", ())
    return RouteTable(
        vpc_id=table["VpcId"],
        is_main=any(each.get("Main") for each in associations),
        subnet_ids=frozenset(each["SubnetId"] for each in associations if each.get("SubnetId")),
        routes=tuple(
            Route(
                destination=route.get("DestinationCidrBlock", ""),
                target=next((str(route[key]) for key in route if key.endswith("Id") and "Prefix" not in key), ""),
                is_active=route.get("State", "active") == "active",
            )
            for route in table.get("Routes", ())
        ),
    )


def _group(group: Mapping[str, Any]) -> SecurityGroup:
    return SecurityGroup(
        id=group["GroupId"],
        vpc_id=group.get("VpcId", ""),
        rules=tuple(
            EgressRule(
                protocol=str(rule.get("IpProtocol", "")),
                from_port=rule.get("FromPort"),
                to_port=rule.get("ToPort"),
                cidr=each["CidrIp"],
            )
            for rule in group.get("IpPermissionsEgress", ())
            for each in rule.get("IpRanges", ())
        ),
    )
