"""Stacks of the shipped template in the emulated accounts, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from aws_accounts import CHECKOUT, USER, Accounts
from waiting import wait_until

TEMPLATE = CHECKOUT / "mode2-deployment" / "template-mode2.yaml"
_DEADLINE_S = 60


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What became of a stack: its status, its outputs, and why parts of it failed (logical id -> reason)."""

    name: str
    account: str
    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


def deploy(
    accounts: Accounts,
    name: str,
    parameters: Mapping[str, str],
    *,
    account: str = USER,
    updates: bool = False,
    template: str | None = None,
) -> Stack:
    """Create (or update) a stack in the account's default network, and wait for its end."""
    network = accounts.network(account)
    given = {
        "VpcId": network.vpc_id,
        "SubnetId1": network.subnet_ids[0],
        "SubnetId2": network.subnet_ids[1],
        **parameters,
    }
    client = accounts.session(account).client("cloudformation")
    act = client.update_stack if updates else client.create_stack
    act(
        StackName=name,
        TemplateBody=template or TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    return ended(accounts, name, account=account)


def ended(accounts: Accounts, name: str, *, account: str = USER) -> Stack:
    """Wait until nothing is in progress, and return what there is then."""
    client = accounts.session(account).client("cloudformation")

    def look() -> Stack | None:
        try:
            found = client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError:
            return Stack(name=name, account=account, status="GONE")
        if found["StackStatus"].endswith("IN_PROGRESS"):
            return None
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
        return Stack(name=name, account=account, status=found["StackStatus"], outputs=outputs)

    stack = wait_until(look, what=f"the stack {name}", deadline_s=_DEADLINE_S)
    if stack.status == "GONE":
        return stack
    failures: dict[str, str] = {}
    for event in reversed(client.describe_stack_events(StackName=name)["StackEvents"]):
        if event["ResourceStatus"].endswith("FAILED"):
            failures.setdefault(event["LogicalResourceId"], event.get("ResourceStatusReason", ""))
    return Stack(name=name, account=account, status=stack.status, outputs=stack.outputs, failures=failures)


def delete(accounts: Accounts, name: str, *, account: str = USER) -> Stack:
    """Delete a stack and wait for its end."""
    accounts.session(account).client("cloudformation").delete_stack(StackName=name)
    return ended(accounts, name, account=account)
