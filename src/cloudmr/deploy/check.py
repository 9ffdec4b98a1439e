"""Looking at a unit with its owner's own credentials: everything, also what CloudMR Brain cannot see from outside.

One look that AWS refuses hides no other: it is told as unseen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

from cloudmr.aws.said import AwsSaid
from cloudmr.client.answers import ComputingUnit
from cloudmr.deploy.account import Asks, Person, Stack, StackResource, see_bucket, see_network, stack_resources
from cloudmr.deploy.buckets import Kind, Setting, lacking
from cloudmr.deploy.explain import explain_task
from cloudmr.deploy.network import SeenNetwork, WayOut
from cloudmr.deploy.plan import page_origin, unfit
from cloudmr.deploy.policies import STARTS_TASKS, Grant, beyond, declared_for_brain, grants, lacks, why_open
from cloudmr.deploy.situation import has_ended, is_good, step_of
from cloudmr.deploy.troubles import Trouble, problem
from cloudmr.model.findings import Outcome
from cloudmr.model.units import Mode, UnitStatus

_ROLE_POLICY_OF_AWS = "service-role/AmazonECSTaskExecutionRolePolicy"
_FEW_TASKS = 20


class Look(StrEnum):
    """What is looked at."""

    STACK = "stack"
    """The stack is there, and in one piece."""
    REGISTRATION = "registration"
    """CloudMR Brain knows the unit, as what it is, and gives it jobs."""
    TRUST = "trust"
    """Nobody but CloudMR Brain can assume the role, and only with this unit's ExternalId."""
    RIGHTS = "rights"
    """The role may do what was declared, and nothing else."""
    STATE_MACHINE = "state machine"
    """The state machine is there."""
    SMALL_JOBS = "small jobs"
    """The Lambda function is ready."""
    IMAGE = "image"
    """Lambda and Fargate run the same image, and it is there."""
    SUBNETS = "subnets"
    """Each subnet has a way out."""
    SECURITY_GROUP = "security group"
    """What goes out by https is let out."""
    EXECUTION_ROLE = "execution role"
    """The role that starts tasks may fetch the image and write logs."""
    DATA_BUCKET = "data bucket"
    """It is there, private, encrypted, for TLS only, and open to the pages' uploads."""
    RESULTS_BUCKET = "results bucket"
    """The same, without uploads."""
    FAILED_BUCKET = "failed bucket"
    """The same."""
    TASKS = "tasks"
    """Fargate tasks of the last hour have started."""
    REPORTS = "reports"
    """CloudMR Brain could be told of every end."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one look came to; `code` is that of a known trouble."""

    look: Look
    outcome: Outcome
    message: str
    fix: str = ""
    code: str = ""

    def as_json(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return {
            "check": self.look,
            "outcome": self.outcome,
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
        }


Looks = Iterable[Found]


def check_stack(aws: Asks, person: Person, stack: Stack, *, api_url: str | None, unit: ComputingUnit | None) -> Looks:
    """Yield everything that is found of a stack; `unit` is what CloudMR Brain knows of it, None: it was not asked."""
    yield judge_stack(stack)
    if unit is not None:
        yield from judge_unit(unit, stack, person)
    try:
        parts = {each.logical_id: each for each in stack_resources(aws, stack.name)}
    except AwsSaid as refusal:
        yield _unseen(Look.STACK, refusal)
        return
    each_look: Sequence[tuple[Look, Callable[[], Looks]]] = (
        (Look.TRUST, lambda: _role(aws, stack, parts)),
        (Look.STATE_MACHINE, lambda: _machine(aws, stack)),
        (Look.SMALL_JOBS, lambda: _functions(aws, parts)),
        (Look.EXECUTION_ROLE, lambda: _execution_role(aws, parts)),
        (Look.SUBNETS, lambda: judge_network(see_network(aws), stack.parameters, _group_id(stack, parts))),
        *((_bucket_look(kind), lambda kind=kind: _bucket(aws, stack, kind, api_url)) for kind in Kind),
        (Look.TASKS, lambda: _tasks(aws, stack)),
        (Look.REPORTS, lambda: _reports(aws, parts)),
    )
    for look, how in each_look:
        try:
            yield from how()
        except AwsSaid as refusal:
            yield _unseen(look, refusal)


def is_well(found: Iterable[Found]) -> bool:
    """Tell whether jobs can run, and nobody else can get in."""
    return not any(each.outcome in {Outcome.FAILED, Outcome.REFUSED, Outcome.GONE} for each in found)


def judge_stack(stack: Stack) -> Found:
    """Return what the state of the stack comes to."""
    if is_good(stack.status):
        return _passed(Look.STACK, f"{stack.name} is {stack.status}.")
    details: dict[str, Any] = {
        "stack": stack.name,
        "status": stack.status,
        "region": stack.id.split(":")[3] if ":" in stack.id else "",
    }
    if not has_ended(stack.status):
        return _bad(Look.STACK, Trouble.STACK_BUSY, outcome=Outcome.DOUBTFUL, **details)
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return Found(
            look=Look.STACK,
            outcome=Outcome.DOUBTFUL,
            message=f"The last change of {stack.name} failed; it is as it was before.",
            fix="Run `cloudmr unit deploy` again: it says why, if it fails again.",
        )
    trouble = Trouble.STACK_ROLLED_BACK if step_of(stack) is not None else Trouble.STACK_STUCK
    return _bad(Look.STACK, trouble, command="delete-stack", **details)


def judge_unit(unit: ComputingUnit, stack: Stack, person: Person) -> Looks:
    """Yield what CloudMR Brain knows of the unit, compared with what the stack is."""
    look = Look.REGISTRATION
    if unit.aws_account_id != person.account_id:
        details: dict[str, Any] = {
            "what": "The registered unit",
            "found": unit.aws_account_id,
            "account": person.account_id,
        }
        yield _bad(look, Trouble.ACCOUNTS_DIFFER, **details)
        return
    if unit.state_machine_arn != stack.outputs.get("CalculationStateMachineArn"):
        yield _bad(
            look, Trouble.STATE_MACHINE_MISSING, what=f"of this stack in the registration ({unit.state_machine_arn})"
        )
        return
    if unit.status != UnitStatus.READY:
        outcome = Outcome.AWAITED if unit.status == UnitStatus.UNVERIFIED else Outcome.FAILED
        details = {"status": unit.status, "why": unit.status_reason or "", "unit": unit.computing_unit_id}
        yield _bad(look, Trouble.UNIT_NOT_READY, outcome=outcome, **details)
        return
    default = "it is your default unit" if unit.is_default else "it is not your default unit"
    if unit.mode == Mode.MODE_1:
        default = "it is a shared unit"
    yield _passed(look, f"{unit.computing_unit_id} is {unit.status} ({unit.mode}, {unit.provider}); {default}.")


def judge_network(seen: SeenNetwork, parameters: Mapping[str, str], group_id: str) -> Looks:
    """Yield what the subnets and the security group of a stack come to."""
    there = {subnet.id: subnet for subnet in seen.subnets}
    ids = [parameters.get(name, "") for name in ("SubnetId1", "SubnetId2")]
    bad = [subnet_id for subnet_id in ids if subnet_id not in there or there[subnet_id].way_out is WayOut.NONE]
    for subnet_id in bad:
        trouble = Trouble.NO_WAY_OUT if subnet_id in there else Trouble.NETWORK_UNKNOWN
        yield _bad(Look.SUBNETS, trouble, what=subnet_id)
    public = parameters.get("AssignPublicIp", "ENABLED") == "ENABLED"
    locked = [each for each in ids if each not in bad and there[each].way_out is WayOut.INTERNET_GATEWAY and not public]
    for subnet_id in locked:
        yield _bad(Look.SUBNETS, Trouble.NO_WAY_OUT, what=f"{subnet_id} (AssignPublicIp is DISABLED)")
    if not bad and not locked:
        yield _passed(Look.SUBNETS, "; ".join(f"{each}: out by {there[each].way_out}" for each in ids) + ".")
    group = next((group for group in seen.security_groups if group.id == group_id), None)
    if group is None:
        yield _bad(Look.SECURITY_GROUP, Trouble.NETWORK_UNKNOWN, what=f"security group {group_id}")
    elif not group.lets_https_out:
        yield _bad(Look.SECURITY_GROUP, Trouble.SECURITY_GROUP_CLOSED, what=group_id)
    else:
        yield _passed(Look.SECURITY_GROUP, f"{group_id} lets https out.")


def judge_role(name: str, trust: Mapping[str, Any], allowed: Sequence[Grant], declared: Sequence[Grant]) -> Looks:
    """Yield whether only CloudMR Brain can assume the role, and whether it may do no more than was declared."""
    if why := why_open(trust):
        yield _bad(Look.TRUST, Trouble.TRUST_OPEN, outcome=Outcome.REFUSED, role=name, why=why)
    else:
        yield _passed(Look.TRUST, f"{name} can be assumed by one role, with one ExternalId.")
    if more := beyond(allowed, declared):
        what = "; ".join(map(str, more))
        yield _bad(Look.RIGHTS, Trouble.ROLE_WIDE, outcome=Outcome.REFUSED, role=name, what=what)
    else:
        actions = sorted({grant.action for grant in allowed})
        yield _passed(Look.RIGHTS, f"{name} may do {len(actions)} things: {', '.join(actions)}.")


def judge_execution_role(name: str, allowed: Sequence[Grant], attached: Sequence[str]) -> Found:
    """Return whether the role that starts tasks may do what it must."""
    if any(arn.endswith(_ROLE_POLICY_OF_AWS) for arn in attached):
        return _passed(Look.EXECUTION_ROLE, f"{name} has AWS's own policy.")
    if absent := lacks(STARTS_TASKS, allowed):
        return _bad(Look.EXECUTION_ROLE, Trouble.EXECUTION_ROLE, said=f"{name} lacks {', '.join(absent)}")
    return _passed(Look.EXECUTION_ROLE, f"{name} may fetch the image and write logs.")


def judge_tasks(reasons: Sequence[str]) -> Looks:
    """Yield why tasks did not start, each reason once."""
    known = {each.message: each for each in map(explain_task, reasons) if each is not None}
    for each in known.values():
        yield Found(look=Look.TASKS, outcome=Outcome.FAILED, message=each.message, fix=each.fix, code=each.code)
    if not known:
        yield _passed(Look.TASKS, f"No task of the {len(reasons)} that ended last failed to start.")


def _role(aws: Asks, stack: Stack, parts: Mapping[str, StackResource]) -> Looks:
    arn = stack.outputs.get("CloudMRCrossAccountRoleArn", "")
    name = arn.rpartition("/")[2]
    try:
        role = aws.ask("iam", "get_role", RoleName=name)["Role"]
    except AwsSaid as refusal:
        if refusal.aws_code in {"NoSuchEntity", "ValidationError"}:
            yield _bad(Look.TRUST, Trouble.PART_MISSING, outcome=Outcome.GONE, what=f"The role {name}", how="gone")
            return
        raise
    allowed, attached = _rights_of(aws, name)
    allowed = (*allowed, *(Grant(action="*", resource=policy) for policy in attached))
    declared = declared_for_brain(
        machine_arn=stack.outputs.get("CalculationStateMachineArn", ""),
        data_bucket=stack.outputs.get("DataBucketName", ""),
        results_bucket=stack.outputs.get("ResultsBucketName", ""),
        failed_bucket=stack.outputs.get("FailedBucketName", ""),
        log_group=f"arn:aws*:logs:*:log-group:{parts['JobLogs'].physical_id}" if "JobLogs" in parts else "",
        is_operators=stack.parameters.get("Mode") == Mode.MODE_1,
    )
    yield from judge_role(name, _document(role["AssumeRolePolicyDocument"]), allowed, declared)


def _rights_of(aws: Asks, role: str) -> tuple[tuple[Grant, ...], tuple[str, ...]]:
    """Return what the policies inside a role allow, and the ARNs of those that are attached to it."""
    names = aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=role)
    documents = [
        _document(aws.ask("iam", "get_role_policy", RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names
    ]
    attached = aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return grants(documents), tuple(policy["PolicyArn"] for policy in attached)


def _document(document: Any) -> Mapping[str, Any]:
    """Return a policy as it is; AWS has it as JSON in a URL's spelling, SDKs mostly undo that."""
    found: Mapping[str, Any] = json.loads(unquote(document)) if isinstance(document, str) else document
    return found


def _machine(aws: Asks, stack: Stack) -> Looks:
    arn = stack.outputs.get("CalculationStateMachineArn", "")
    try:
        machine = aws.ask("stepfunctions", "describe_state_machine", stateMachineArn=arn)
    except AwsSaid as refusal:
        if refusal.aws_code in {"StateMachineDoesNotExist", "InvalidArn"}:
            yield _bad(Look.STATE_MACHINE, Trouble.STATE_MACHINE_MISSING, outcome=Outcome.GONE, what=arn)
            return
        raise
    yield _passed(Look.STATE_MACHINE, f"{machine['name']} is {machine.get('status', 'ACTIVE').lower()}.")


def _functions(aws: Asks, parts: Mapping[str, StackResource]) -> Looks:
    name = parts["SmallJobFunction"].physical_id if "SmallJobFunction" in parts else ""
    try:
        function = aws.ask("lambda", "get_function", FunctionName=name or "SmallJobFunction")
    except AwsSaid as refusal:
        if refusal.aws_code == "ResourceNotFoundException":
            yield _bad(
                Look.SMALL_JOBS,
                Trouble.PART_MISSING,
                outcome=Outcome.GONE,
                what="The function for small jobs",
                how="gone",
            )
            return
        raise
    state = function["Configuration"].get("State", "Active")
    if state in {"Active", "Inactive"}:
        memory = function["Configuration"].get("MemorySize")
        yield _passed(Look.SMALL_JOBS, f"{name} is ready, with {memory} MB.")
    else:
        why = function["Configuration"].get("StateReason", "")
        yield _bad(Look.SMALL_JOBS, Trouble.PART_MISSING, what=f"The function {name}", how=f"{state}. {why}".strip())
    image = function.get("Code", {}).get("ImageUri", "")
    task = _task_definition(aws, parts)
    yield _judge_image(image, task["containerDefinitions"][0]["image"])
    yield from _image_in_registry(aws, task["containerDefinitions"][0]["image"])


def _judge_image(of_function: str, of_task: str) -> Found:
    if of_function != of_task:
        return Found(
            look=Look.IMAGE,
            outcome=Outcome.DOUBTFUL,
            message=f"Lambda runs {of_function}, Fargate {of_task}.",
            fix="`cloudmr unit remove`, and deploy anew: both get the same; buckets stay.",
        )
    return _passed(Look.IMAGE, f"Lambda and Fargate run {of_task}.")


def _image_in_registry(aws: Asks, uri: str) -> Looks:
    """Yield why the image cannot be fetched, nothing where it can."""
    host, _, name = uri.partition("/")
    repository, _, digest = name.partition("@")
    repository, _, tag = repository.partition(":")
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
    try:
        answer = aws.ask(
            "ecr", "batch_get_image", registryId=host.split(".")[0], repositoryName=repository, imageIds=[wanted]
        )
    except AwsSaid as refusal:
        if refusal.aws_code == "RepositoryNotFoundException":
            yield _bad(Look.IMAGE, Trouble.IMAGE_NOT_PULLED, said=refusal.said)
            return
        raise
    for failure in answer.get("failures", ()):
        yield _bad(Look.IMAGE, Trouble.IMAGE_NOT_PULLED, said=f"{uri}: {failure.get('failureReason', '')}")


def _execution_role(aws: Asks, parts: Mapping[str, StackResource]) -> Looks:
    name = _task_definition(aws, parts).get("executionRoleArn", "").rpartition("/")[2]
    try:
        allowed, attached = _rights_of(aws, name)
    except AwsSaid as refusal:
        if refusal.aws_code == "NoSuchEntity":
            yield _bad(Look.EXECUTION_ROLE, Trouble.EXECUTION_ROLE, outcome=Outcome.GONE, said=f"{name} is gone")
            return
        raise
    yield judge_execution_role(name, allowed, attached)


def _task_definition(aws: Asks, parts: Mapping[str, StackResource]) -> Mapping[str, Any]:
    arn = parts["FargateTaskDefinition"].physical_id
    found: Mapping[str, Any] = aws.ask("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"]
    return found


def _group_id(stack: Stack, parts: Mapping[str, StackResource]) -> str:
    if given := stack.parameters.get("SecurityGroupId"):
        return given
    return parts["SecurityGroup"].physical_id if "SecurityGroup" in parts else ""


def _bucket_look(kind: Kind) -> Look:
    return {Kind.DATA: Look.DATA_BUCKET, Kind.RESULTS: Look.RESULTS_BUCKET, Kind.FAILED: Look.FAILED_BUCKET}[kind]


def _bucket(aws: Asks, stack: Stack, kind: Kind, api_url: str | None) -> Looks:
    look, name = _bucket_look(kind), stack.outputs.get(kind.parameter, "")
    try:
        bucket = see_bucket(aws, name)
    except AwsSaid as refusal:
        if refusal.aws_code in {"NoSuchBucket", "404"}:
            yield _bad(look, Trouble.PART_MISSING, outcome=Outcome.GONE, what=f"The bucket {name}", how="gone")
            return
        raise
    origin = stack.parameters.get("AllowedOrigin") or page_origin(api_url or stack.parameters.get("CloudMRApiUrl", ""))
    bad = False
    if why := unfit(bucket, aws.region):
        bad = True
        yield _bad(look, Trouble.BUCKET_UNFIT, bucket=name, kind=kind, why="; ".join(why))
    lacks_settings = lacking(bucket, kind, origin)
    if Setting.TLS in lacks_settings:
        bad = True
        yield _bad(look, Trouble.TLS_NOT_REQUIRED, outcome=Outcome.DOUBTFUL, bucket=name)
    if Setting.CORS in lacks_settings:
        bad = True
        yield _bad(look, Trouble.PAGES_LOCKED_OUT, outcome=Outcome.DOUBTFUL, bucket=name, origin=origin)
    if not bad:
        yield _passed(look, f"{name} is private, encrypted, and for TLS only.")


def _tasks(aws: Asks, stack: Stack) -> Looks:
    cluster = stack.outputs.get("ClusterName", "")
    try:
        arns = list(aws.pages("ecs", "list_tasks", "taskArns", cluster=cluster, desiredStatus="STOPPED"))[:_FEW_TASKS]
    except AwsSaid as refusal:
        if refusal.aws_code == "ClusterNotFoundException":
            yield _bad(
                Look.TASKS, Trouble.PART_MISSING, outcome=Outcome.GONE, what=f"The cluster {cluster}", how="gone"
            )
            return
        raise
    tasks = aws.ask("ecs", "describe_tasks", cluster=cluster, tasks=arns)["tasks"] if arns else []
    yield from judge_tasks(
        [
            " ".join([task.get("stoppedReason", ""), *(each.get("reason", "") for each in task.get("containers", ()))])
            for task in tasks
        ]
    )


def _reports(aws: Asks, parts: Mapping[str, StackResource]) -> Looks:
    if "UnheardQueue" not in parts:
        return
    url = parts["UnheardQueue"].physical_id
    answer = aws.ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    n = int(answer.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))
    if n:
        yield _bad(Look.REPORTS, Trouble.REPORTS_UNHEARD, outcome=Outcome.DOUBTFUL, n=n)
    else:
        yield _passed(Look.REPORTS, "CloudMR Brain was told of every end.")


def _passed(look: Look, message: str) -> Found:
    return Found(look=look, outcome=Outcome.PASSED, message=message)


def _bad(look: Look, trouble: Trouble, *, outcome: Outcome = Outcome.FAILED, **details: object) -> Found:
    found = problem(trouble, **details)
    return Found(look=look, outcome=outcome, message=found.message, fix=found.fix, code=found.code)


def _unseen(look: Look, refusal: AwsSaid) -> Found:
    return Found(
        look=look,
        outcome=Outcome.UNSEEN,
        message=f"It could not be looked at: {refusal.operation}: {refusal.said}",
        fix="Use credentials that may (mode2-deployment/deployer-policy.json has what this needs).",
        code=refusal.aws_code,
    )
