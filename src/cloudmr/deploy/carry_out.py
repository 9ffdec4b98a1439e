"""Carrying out a plan: a stack is made, changed or deleted, and followed event by event until that has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.account import Asks, Stack, find_stack, stack_events, validation_failures
from cloudmr.deploy.buckets import change_bucket
from cloudmr.deploy.errors import AwsRefused, DeployError, StandsInTheWay
from cloudmr.deploy.explain import StackEvent, explain_event, explain_refusal, own_words
from cloudmr.deploy.plan import Parameter, Plan
from cloudmr.deploy.situation import Step, has_ended, is_good
from cloudmr.deploy.template import Template

Hear = Callable[[StackEvent], None]
"""Is told of each thing that happens to a part of the stack."""
Pause = Callable[[float], object]

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
LONGEST_S = 45 * 60
"""A stack that takes longer than this hangs: its functions answer within minutes."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 5.0


class StackTookTooLong(DeployError):
    """A stack was still being changed when nobody waited any longer."""

    code = "stack_took_too_long"


class StackFailed(StandsInTheWay):
    """A stack could not be made or changed, for reasons that are known."""


def carry_out(aws: Asks, plan: Plan, template: Template, token: str, *, hear: Hear, pause: Pause = time.sleep) -> Stack:
    """Make or change the stack of a plan and return it, done. `token` is worth one registration; empty: none is made.

    Raise `StandsInTheWay` or `AwsRefused` with every reason that is known, `StackTookTooLong`.
    """
    try:
        if plan.step is Step.REPLACE:
            delete_stack(aws, plan.stack_name, hear=hear, pause=pause)
        for change in plan.changes:
            change_bucket(aws, change)
        parameters = plan.with_parameters(Parameter(name="CloudMRUserToken", value=token, is_secret=True))
        return change_stack(
            aws, plan.stack_name, template, parameters, is_new=plan.step is not Step.UPDATE, hear=hear, pause=pause
        )
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal


def change_stack(
    aws: Asks,
    name: str,
    template: Template,
    parameters: Sequence[Parameter],
    *,
    is_new: bool,
    hear: Hear,
    pause: Pause = time.sleep,
) -> Stack:
    """Make a stack, or change the one there is, and return it, done. Raise as `carry_out` does, and `AwsSaid`."""
    known = frozenset() if is_new else frozenset(event.id for event in stack_events(aws, name))
    request = {
        "StackName": name,
        "TemplateBody": template.text,
        "Parameters": [_request(each) for each in parameters],
        "Capabilities": list(CAPABILITIES),
    }
    try:
        stack_id = aws.ask("cloudformation", "create_stack" if is_new else "update_stack", **request)["StackId"]
    except AwsSaid as refusal:
        if "No updates are to be performed" not in refusal.said:
            raise
        stack_id = name
    stack = _follow(aws, stack_id, known, hear=hear, pause=pause)
    if not is_good(stack.status):
        raise _failure(aws, stack, known)
    return stack


def delete_stack(aws: Asks, name: str, *, hear: Hear, pause: Pause = time.sleep) -> None:
    """Delete a stack, and return when it is gone. Raise `StandsInTheWay`, `AwsRefused`, `AwsSaid`."""
    stack = find_stack(aws, name)
    if stack is None:
        return
    known = frozenset(event.id for event in stack_events(aws, stack.id))
    aws.ask("cloudformation", "delete_stack", StackName=name)
    # By its id a stack can still be asked for when it is gone.
    gone = _follow(aws, stack.id, known, hear=hear, pause=pause, has_begun=lambda status: status.startswith("DELETE_"))
    if gone.status == "DELETE_FAILED":
        raise _failure(aws, gone, known)


def failures(events: Sequence[StackEvent]) -> tuple[DeployError, ...]:
    """Return why a stack failed, the cause first: what failed by itself, in known words where there are any."""
    found: list[DeployError] = []
    for event in events:
        if event.has_failed and event.reason:
            explained = explain_event(event)
            error = StandsInTheWay([explained]) if explained else AwsRefused(event.resource, own_words(event.reason))
            if str(error) not in {str(each) for each in found}:
                found.append(error)
    return tuple(found)


def _follow(
    aws: Asks,
    stack_id: str,
    known: frozenset[str],
    *,
    hear: Hear,
    pause: Pause,
    has_begun: Callable[[str], bool] = lambda _: True,
) -> Stack:
    """Tell of events until nothing is changed any more, and return the stack as it then is."""
    heard = set(known)
    for pause_s in _pauses():
        stack = find_stack(aws, stack_id)
        if stack is None:
            return Stack(name=stack_id, id=stack_id, status="DELETE_COMPLETE", reason="", parameters={}, outputs={})
        for event in stack_events(aws, stack.id):
            if event.id not in heard:
                heard.add(event.id)
                hear(event)
        if has_ended(stack.status) and has_begun(stack.status):
            return stack
        pause(pause_s)
    raise StackTookTooLong(
        f"The stack {stack_id} is still being changed after {LONGEST_S // 60} minutes.",
        "Look at it in the AWS console; when it has ended, run the command again.",
    )


def _pauses() -> Iterator[float]:
    """Yield how long to wait before looking again: often at first, then every few seconds, for so long in all."""
    waited_s, pause_s = 0.0, _FIRST_PAUSE_S
    while waited_s < LONGEST_S:
        yield pause_s
        waited_s += pause_s
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def _failure(aws: Asks, stack: Stack, known: frozenset[str]) -> DeployError:
    events = [event for event in stack_events(aws, stack.id) if event.id not in known]
    if any("DescribeEvents" in event.reason for event in events):
        events = [*validation_failures(aws, stack.id), *events]
    found = failures(events)
    problems = [each for error in found if isinstance(error, StandsInTheWay) for each in error.problems]
    if problems:
        return StackFailed(problems)
    return next(iter(found), AwsRefused(stack.name, stack.reason or stack.status))


def _request(parameter: Parameter) -> dict[str, object]:
    if parameter.value is None:
        return {"ParameterKey": parameter.name, "UsePreviousValue": True}
    return {"ParameterKey": parameter.name, "ParameterValue": parameter.value}
