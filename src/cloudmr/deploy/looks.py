"""Looking at an account before anything is made there: everything that a plan is decided from."""

from __future__ import annotations

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.account import (
    Asks,
    Person,
    Stack,
    find_stack,
    is_bucket_name_free,
    own_bucket_names,
    see_bucket,
    see_network,
    who,
)
from cloudmr.deploy.buckets import Kind
from cloudmr.deploy.explain import explain_refusal
from cloudmr.deploy.network import SeenNetwork, choose_network
from cloudmr.deploy.options import Given, Origin
from cloudmr.deploy.plan import Announced, Seen, SeenBucket, bucket_name, decide_mode, shared_bucket_name
from cloudmr.deploy.situation import Step, step_of
from cloudmr.model.units import Mode

_OF_STACK = {
    "vpc_id": "VpcId",
    "subnet_id_1": "SubnetId1",
    "subnet_id_2": "SubnetId2",
    "security_group_id": "SecurityGroupId",
    "image_tag": "ImageTag",
    "image_uri": "ImageUri",
}
"""What a stack that is there says of itself, unless somebody says otherwise."""


def look_at_account(aws: Asks, said: Given, announced: Announced | None = None) -> tuple[Seen, Given, SeenNetwork]:
    """Return what is seen, what was said with what the stack adds to it, and every network there is.

    Raise `StandsInTheWay` or `AwsRefused` where AWS refuses to be asked.
    """
    try:
        person = who(aws)
        stack = find_stack(aws, said.need("stack_name"))
        said = with_stack(said, stack)
        network, mine = see_network(aws), own_bucket_names(aws)
        is_shared = decide_mode(person.account_id, said.get("mode"), announced) is Mode.MODE_1
        seen = Seen(
            person=person,
            region=aws.region,
            stack=stack,
            network=choose_network(network, said),
            buckets={kind: _bucket(aws, said, kind, person, stack, mine, is_shared=is_shared) for kind in Kind},
        )
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal
    return seen, said, network


def with_stack(said: Given, stack: Stack | None) -> Given:
    """Return what was said, and what the stack is made with where nobody said otherwise."""
    if stack is None or step_of(stack) is not Step.UPDATE:
        return said
    for name, parameter in _OF_STACK.items():
        if said.origin(name) in {None, Origin.DEFAULT} and (value := stack.parameters.get(parameter)):
            said = said.from_stack(name, value)
    return said


def _bucket(
    aws: Asks, said: Given, kind: Kind, person: Person, stack: Stack | None, mine: frozenset[str], *, is_shared: bool
) -> SeenBucket:
    name = said.get(f"{kind}_bucket")
    if name is None and stack is not None and step_of(stack) is Step.UPDATE:
        name = stack.outputs.get(kind.parameter)
    if name is None and is_shared:
        name = shared_bucket_name(kind, aws.region)
    if name is None:
        name = bucket_name(said.need("stack_name"), kind, account_id=person.account_id, region=aws.region)
    if name in mine:
        return SeenBucket(name=name, is_free=False, own=see_bucket(aws, name))
    return SeenBucket(name=name, is_free=is_bucket_name_free(aws, name))
