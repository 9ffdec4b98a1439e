"""Registering a stack that is there: everything is read from its outputs, and CloudMR Brain is told.

A stack that was made with a token has registered itself; to register it again changes nothing. A unit that was removed
at the Brain is announced anew, and the stack gets what that answers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from cloudmr.aws.said import AwsSaid
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import Refused, SignInNeeded
from cloudmr.client.unit_answers import RegisteredUnit
from cloudmr.deploy.account import Asks, Person, Stack, find_stack, who
from cloudmr.deploy.carry_out import Hear, Pause, change_stack
from cloudmr.deploy.errors import StandsInTheWay
from cloudmr.deploy.explain import explain_refusal
from cloudmr.deploy.options import Given
from cloudmr.deploy.plan import Announced, Parameter, decide_mode
from cloudmr.deploy.sign_in import known
from cloudmr.deploy.template import Template
from cloudmr.deploy.troubles import Problem, Trouble, problem
from cloudmr.model.arns import Arn
from cloudmr.model.registration import Registration
from cloudmr.model.units import Mode

_ANNOUNCED_ANEW = frozenset({"not_found", "not_prepared"})
OUTPUTS = (
    "CalculationStateMachineArn",
    "DataBucketName",
    "ResultsBucketName",
    "FailedBucketName",
    "CloudMRCrossAccountRoleArn",
    "ClusterName",
    "ComputingUnitId",
    "RegistrationStatus",
    "Region",
    "ImageDigest",
)
"""The outputs of a stack: the only things of it that are read."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A registered unit, the stack it is, and whether the Brain had to be told of it anew."""

    unit: RegisteredUnit
    stack: Stack
    was_announced_anew: bool


def stack_of(aws: Asks, said: Given) -> tuple[Stack, Person]:
    """Return the stack that was said, and whose credentials see it. Raise `StandsInTheWay` if it is not there."""
    try:
        person = who(aws)
        stack = find_stack(aws, said.need("stack_name"))
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal
    if stack is None:
        details = {"stack": said.need("stack_name"), "region": aws.region, "account": person.account_id}
        raise StandsInTheWay([problem(Trouble.STACK_MISSING, **details)])
    return stack, person


def stack_to_register(aws: Asks, said: Given) -> tuple[Stack, Person]:
    """Return the stack and whose credentials see it. Raise `StandsInTheWay` if it, or a machine given, is not there."""
    stack, person = stack_of(aws, said)
    if (arn := said.get("state_machine_arn")) is not None:
        _look_for_machine(aws, arn, person)
    elif "CalculationStateMachineArn" not in stack.outputs:
        raise StandsInTheWay([problem(Trouble.STATE_MACHINE_MISSING, what=f"among the outputs of {stack.name}")])
    return stack, person


def register(
    aws: Asks,
    brain: BrainClient,
    stack: Stack,
    person: Person,
    said: Given,
    template: Template,
    *,
    hear: Hear,
    pause: Pause = time.sleep,
) -> Done:
    """Tell the Brain of a stack. Raise `StandsInTheWay`, and what the client raises."""
    wanted = registration_of(stack.outputs, person, aws.region, said)
    if isinstance(wanted, Problem):
        raise StandsInTheWay([wanted])
    try:
        return Done(unit=brain.computing_units.register(wanted), stack=stack, was_announced_anew=False)
    except (Refused, SignInNeeded) as refusal:
        if refusal.instance_code not in _ANNOUNCED_ANEW:
            raise known(refusal) from refusal
    announced = announce(brain, person, aws.region, said)
    mode = decide_mode(person.account_id, said.get("mode"), announced)
    if isinstance(mode, Problem):
        raise StandsInTheWay([mode])
    try:
        stack = _given_anew(aws, stack, template, announced, hear=hear, pause=pause)
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal
    wanted = registration_of({**stack.outputs, "ComputingUnitId": announced.unit_id}, person, aws.region, said)
    assert isinstance(wanted, Registration)
    try:
        return Done(unit=brain.computing_units.register(wanted), stack=stack, was_announced_anew=True)
    except (Refused, SignInNeeded) as refusal:
        raise known(refusal) from refusal


def announce(brain: BrainClient, person: Person, region: str, said: Given) -> Announced:
    """Announce a unit to the Brain. Raise `StandsInTheWay` in known words, and what the client raises."""
    try:
        prepared = brain.computing_units.prepare(
            aws_account_id=person.account_id, region=region, image_tag=said.need("image_tag")
        )
    except (Refused, SignInNeeded) as refusal:
        raise known(refusal) from refusal
    return Announced(
        unit_id=prepared.computing_unit_id,
        external_id=prepared.external_id,
        brain_principal_arn=prepared.brain_principal_arn,
        image_uri=prepared.image_uri,
    )


def announcement(announced: Announced) -> tuple[Parameter, ...]:
    """Return the parameters with which a stack is made for an announced unit without asking the Brain itself."""
    return (
        Parameter(name="ComputingUnitId", value=announced.unit_id),
        Parameter(name="ExternalId", value=announced.external_id, is_secret=True),
        Parameter(name="BrainPrincipalArn", value=announced.brain_principal_arn),
        Parameter(name="ImageUri", value=announced.image_uri),
    )


def registration_of(outputs: Mapping[str, str], person: Person, region: str, said: Given) -> Registration | Problem:
    """Return what the Brain is told of a stack; the machine is the one that was said, if one was."""
    machine = said.get("state_machine_arn") or outputs.get("CalculationStateMachineArn", "")
    mode = said.get("mode")
    absent = [name for name in OUTPUTS[1:5] if not outputs.get(name)]
    if absent:
        return problem(Trouble.STATE_MACHINE_MISSING, what=f"with {' and '.join(absent)} among the stack's outputs")
    return Registration(
        unit_id=outputs.get("ComputingUnitId") or None,
        mode=Mode(mode) if mode else None,
        aws_account_id=person.account_id,
        region=outputs.get("Region") or region,
        state_machine_arn=machine,
        cross_account_role_arn=outputs["CloudMRCrossAccountRoleArn"],
        data_bucket=outputs["DataBucketName"],
        results_bucket=outputs["ResultsBucketName"],
        failed_bucket=outputs["FailedBucketName"],
    )


def _given_anew(
    aws: Asks, stack: Stack, template: Template, announced: Announced, *, hear: Hear, pause: Pause
) -> Stack:
    """Have the stack ask for the ExternalId of the new announcement; everything else of it stays."""
    changed = {each.name: each for each in (*announcement(announced), Parameter(name="CloudMRUserToken", value=""))}
    kept = [Parameter(name=name, value=None) for name in stack.parameters if name not in changed]
    return change_stack(aws, stack.name, template, [*kept, *changed.values()], is_new=False, hear=hear, pause=pause)


def _look_for_machine(aws: Asks, arn: str, person: Person) -> None:
    account = Arn.of_state_machine(arn).account
    if account != person.account_id:
        details = {"what": arn, "found": account, "account": person.account_id}
        raise StandsInTheWay([problem(Trouble.ACCOUNTS_DIFFER, **details)])
    try:
        aws.ask("stepfunctions", "describe_state_machine", stateMachineArn=arn)
    except AwsSaid as refusal:
        if refusal.aws_code == "StateMachineDoesNotExist":
            raise StandsInTheWay([problem(Trouble.STATE_MACHINE_MISSING, what=arn)]) from refusal
        raise explain_refusal(refusal) from refusal
