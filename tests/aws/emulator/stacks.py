"""CloudFormation, and what its stacks wire together: what AWS refuses and MiniStack lets pass.

A bucket that holds objects is not deleted; a size that Fargate does not offer is no task definition; an event is put
into a queue only where the queue's policy lets the service; conditions know the account and the region.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, sqs
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks
from tests.aws.emulator.tasks import FARGATE_SIZES

_bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
_definition = provisioners._RESOURCE_HANDLERS["AWS::ECS::TaskDefinition"]
_delete_bucket = _bucket["delete"]
_put_into_queue = eventbridge._dispatch_to_sqs
_evaluate_conditions = engine._evaluate_conditions


def install() -> None:
    """Put the additions in place."""
    _bucket["delete"] = _delete_empty_bucket
    for act in ("create", "update"):
        if act in _definition:
            _definition[act] = _sized(_definition[act])
    eventbridge._dispatch_to_sqs = _put_into_open_queue
    for module in (changesets, engine, handlers, provisioners, stacks):
        module._evaluate_conditions = _placed_conditions


def _delete_empty_bucket(name: str, properties: dict[str, Any]) -> Any:
    if (provisioners._s3._buckets.get(name) or {}).get("objects"):
        raise RuntimeError(f"The bucket you tried to delete is not empty ({name}, Status Code: 409)")
    return _delete_bucket(name, properties)


def _sized(act: Callable[..., Any]) -> Callable[..., Any]:
    def check_and_act(*given: Any, **named: Any) -> Any:
        # Of an update, the properties that there were come before those that there are to be.
        properties = [each for each in given if isinstance(each, dict) and "Cpu" in each][-1]
        cpu, memory = properties["Cpu"], properties["Memory"]
        if int(memory) not in FARGATE_SIZES.get(int(cpu), ()):
            raise RuntimeError(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.")
        return act(*given, **named)

    return check_and_act


def _put_into_open_queue(target: Any, payload: str, *given: Any, **named: Any) -> None:
    queue = sqs._queue_by_arn(str(target))
    policy = ((queue or {}).get("attributes") or {}).get("Policy")
    account, region = str(target).split(":")[4], str(target).split(":")[3]
    rule = f"arn:aws:events:{region}:{account}:rule/any"
    context = iam_evaluator.EvalContext(
        rule, "Service", account, "sqs:SendMessage", str(target), region, service_context={}, principal_keys={}
    )
    document = json.loads(policy) if isinstance(policy, str) else policy
    for statement in (document or {}).get("Statement", []):
        # The condition names the rule, which the target does not know; that it is there is tested on the template.
        statement.pop("Condition", None)
    decision = iam_evaluator.evaluate_resource_policy(document, context, service="events.amazonaws.com").decision
    if decision == "Allow":
        _put_into_queue(target, payload, *given, **named)


def _placed_conditions(template: dict[str, Any], parameters: dict[str, Any]) -> Any:
    placed = {"AWS::Region": get_region(), "AWS::AccountId": get_account_id(), "AWS::Partition": "aws"}
    known = {name: {"Value": value} for name, value in placed.items()}
    return _evaluate_conditions(template, {**known, **parameters})
