"""How plans, events and problems of a deployment look in text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudmr.cli.layout import Table, in_bytes, local_time
from cloudmr.deploy.account import Stack
from cloudmr.deploy.explain import StackEvent, own_words
from cloudmr.deploy.network import described_subnet
from cloudmr.deploy.plan import Plan, example_jobs
from cloudmr.deploy.troubles import Problem
from cloudmr.model.prices import in_dollars, in_microdollars

if TYPE_CHECKING:
    from cloudmr.deploy.cost import Cost
    from cloudmr.deploy.logs import LogLine


TAB = "\t"


def plan_lines(plan: Plan) -> str:
    """Return a plan in words: what will be made, where, from what, at which price."""
    network = plan.network
    lines = [
        f"{plan.step.value.capitalize()} the stack {plan.stack_name} ({plan.mode})",
        f"in {plan.region} of the account {plan.person.account_id}, as {plan.person.arn}",
        "",
        f"Network: {network.vpc_id}, {network.reason}",
        *(f"  {described_subnet(subnet)}" for subnet in network.subnets),
        f"  security group: {network.security_group_id or 'made, lets things out only'}",
        f"  tasks get {'a public address to get out' if network.assigns_public_ip else 'no public address'}",
        "",
        "Buckets:",
        *(f"  {bucket.kind}: {bucket.name} ({bucket.origin})" for bucket in plan.buckets),
        *(f"  {line}" for change in plan.changes for line in change.lines()),
        *(f"  {line}  (only with --change-buckets)" for change in plan.proposals for line in change.lines()),
        "",
        f"Image: {plan.image_uri or 'what CloudMR Brain answers when the stack is made'}",
        "",
        "It will have:",
        *(f"  {n} x {kind}" for kind, n in _counted(plan.resources)),
        "",
        "CloudMR Brain may, with this unit's ExternalId only:",
        *(f"  {right.action} on {right.on}{f' ({right.switch})' if right.switch else ''}" for right in plan.rights),
        "",
        "Price: nothing while no job runs but storage and logs. A job, for example:",
        *(f"  {example.name}: {in_dollars(example.price.microdollars)}" for example in example_jobs()),
        f"  (list prices of {example_jobs()[0].price.dated}; left out: {', '.join(example_jobs()[0].price.left_out)})",
        *(["", *plan.notes] if plan.notes else []),
    ]
    return "\n".join(lines)


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON, without secrets."""
    return {
        "step": plan.step,
        "stack_name": plan.stack_name,
        "account_id": plan.person.account_id,
        "as": plan.person.arn,
        "region": plan.region,
        "mode": plan.mode,
        "network": {
            "vpc_id": plan.network.vpc_id,
            "subnets": [{"id": each.id, "zone": each.zone, "way_out": each.way_out} for each in plan.network.subnets],
            "security_group_id": plan.network.security_group_id,
            "assigns_public_ip": plan.network.assigns_public_ip,
            "reason": plan.network.reason,
        },
        "buckets": [{"kind": each.kind, "name": each.name, "origin": each.origin} for each in plan.buckets],
        "bucket_changes": [line for change in plan.changes for line in change.lines()],
        "bucket_proposals": [line for change in plan.proposals for line in change.lines()],
        "parameters": {each.name: each.shown for each in plan.parameters},
        "image_uri": plan.image_uri,
        "resources": dict(plan.resources),
        "rights": [{"action": each.action, "on": each.on, "switch": each.switch} for each in plan.rights],
        "price": [
            {"job": example.name, "microdollars": example.price.microdollars, "dated": example.price.dated}
            for example in example_jobs()
        ],
        "notes": list(plan.notes),
    }


def problem_lines(problems: Sequence[Problem]) -> Iterable[str]:
    """Yield problems in words, each with its fix."""
    for each in problems:
        yield f"{each.code}: {each.message}"
        yield f"Next: {each.fix}"


def event_line(event: StackEvent) -> str:
    """Return one thing that happened to a stack, in one line."""
    reason = f"  {own_words(event.reason)}" if event.reason and "FAILED" in event.status else ""
    return f"{event.status.lower().replace('_', ' '):28} {event.resource}{reason}"


def log_text(line: LogLine) -> str:
    """Return one line of a log."""
    return f"{local_time(line.at)}  {line.text.replace(TAB, ' ')}"


def cost_table(cost: Cost) -> Table:
    """Return what a unit has cost, and what is kept."""
    counted = [
        (each.service, in_dollars(in_microdollars(each.dollars)), f"since {cost.since}") for each in cost.services
    ]
    kept = [
        (
            f"keeping {each.bucket}",
            in_dollars(each.microdollars_a_month),
            f"a month, {in_bytes(each.n_bytes)}",
        )
        for each in cost.buckets
    ]
    return Table(columns=("what", "dollars", "when"), rows=(*counted, *kept))


def cost_json(cost: Cost) -> dict[str, Any]:
    """Return what a unit has cost, and what is kept, as JSON."""
    return {
        "since": cost.since.isoformat(),
        "dollars": str(cost.dollars),
        "services": [{"service": each.service, "dollars": str(each.dollars)} for each in cost.services],
        "why_not": cost.why_not,
        "buckets": [
            {
                "bucket": each.bucket,
                "n_objects": each.n_objects,
                "n_bytes": each.n_bytes,
                "microdollars_a_month": each.microdollars_a_month,
            }
            for each in cost.buckets
        ],
    }


def output_table(stack: Stack) -> Table:
    """Return the outputs of a stack."""
    return Table(columns=("output", "value"), rows=tuple(sorted(stack.outputs.items())))


def _counted(resources: Mapping[str, str]) -> list[tuple[str, int]]:
    kinds: dict[str, int] = {}
    for kind in resources.values():
        name = kind.removeprefix("AWS::") or "?"
        kinds[name] = kinds.get(name, 0) + 1
    return sorted(kinds.items())
