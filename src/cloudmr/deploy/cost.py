"""What a unit costs: what AWS has counted for it this month, by its tag, and what its buckets cost to keep."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.account import Asks, Stack
from cloudmr.deploy.explain import explain_refusal
from cloudmr.deploy.remove import Stays, buckets_of, content

TAG = "cloudmr:unit"


@dataclass(frozen=True, kw_only=True)
class ServiceCost:
    """What one service has cost this month."""

    service: str
    dollars: Decimal


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was counted and since when, or `why_not` nothing could be; and what is kept."""

    since: date
    services: tuple[ServiceCost, ...]
    why_not: str
    buckets: tuple[Stays, ...]

    @property
    def dollars(self) -> Decimal:
        """The sum of what was counted."""
        return sum((each.dollars for each in self.services), Decimal(0))


def cost_of(aws: Asks, stack: Stack, *, today: date) -> Cost:
    """Return what a stack has cost this month. Raise `StandsInTheWay`, `AwsRefused` for buckets that cannot be seen."""
    since = today.replace(day=1)
    services, why_not = _counted(aws, stack.name, since, today)
    try:
        buckets = [content(aws, name) for name in buckets_of(stack)]
    except AwsSaid as refusal:
        raise explain_refusal(refusal) from refusal
    return Cost(
        since=since, services=services, why_not=why_not, buckets=tuple(each for each in buckets if each is not None)
    )


def _counted(aws: Asks, stack_name: str, since: date, today: date) -> tuple[tuple[ServiceCost, ...], str]:
    try:
        answer = aws.ask(
            "ce",
            "get_cost_and_usage",
            # The end is the first day that is not counted any more.
            TimePeriod={"Start": since.isoformat(), "End": (today + timedelta(days=1)).isoformat()},
            Granularity="MONTHLY",
            Metrics=["UnblendedCost"],
            GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
            Filter={"Tags": {"Key": TAG, "Values": [stack_name]}},
        )
    except AwsSaid as refusal:
        return (), f"AWS Cost Explorer does not tell: {refusal.said}"
    services = [
        ServiceCost(service=group["Keys"][0], dollars=Decimal(group["Metrics"]["UnblendedCost"]["Amount"]))
        for month in answer.get("ResultsByTime", ())
        for group in month.get("Groups", ())
    ]
    if services:
        return tuple(sorted(services, key=lambda each: -each.dollars)), ""
    return (), (
        f"AWS has counted nothing under the tag {TAG} yet. It does so a day after the tag is switched on under "
        "Billing > Cost allocation tags."
    )
