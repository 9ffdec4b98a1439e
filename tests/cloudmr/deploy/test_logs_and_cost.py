"""What a unit wrote, in the order of time; what it cost, or why that cannot be told."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cloudmr.deploy.account import Stack
from cloudmr.deploy.cost import cost_of
from cloudmr.deploy.logs import log_lines
from scripted_account import ScriptedAccount, refusal

STACK = Stack(name="s", id="arn:s", status="CREATE_COMPLETE", reason="", parameters={}, outputs={"DataBucketName": "d"})
GROUPS = [
    {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": f"/cloudmr/{name}"}
    for name, kind in (("jobs", "AWS::Logs::LogGroup"), ("functions", "AWS::Logs::LogGroup"), ("x", "AWS::SQS::Queue"))
]


def event(at: int, message: str) -> dict[str, Any]:
    return {"eventId": message, "timestamp": at, "message": f"{message}\n", "logStreamName": "fargate/1"}


def test_lines_of_all_logs_come_in_the_order_of_time() -> None:
    written = {"/cloudmr/jobs": [event(3, "c"), event(1, "a")], "/cloudmr/functions": [event(2, "b")]}
    aws = ScriptedAccount(
        {
            "cloudformation:list_stack_resources": GROUPS,
            "logs:filter_log_events": lambda **asked: written[asked["logGroupName"]],
        }
    )
    lines = list(log_lines(aws, "s", since=timedelta(hours=1), of="job_1"))
    assert [line.text for line in lines] == ["a", "b", "c"]
    assert {asked["filterPattern"] for what, asked in aws.asked if what == "logs:filter_log_events"} == {'"job_1"'}


def test_what_was_counted_is_told_by_service() -> None:
    group = {"Keys": ["AWS Lambda"], "Metrics": {"UnblendedCost": {"Amount": "0.12"}}}
    dearer = {"Keys": ["Amazon ECS"], "Metrics": {"UnblendedCost": {"Amount": "1.50"}}}
    aws = ScriptedAccount(
        {
            "ce:get_cost_and_usage": {"ResultsByTime": [{"Groups": [group, dearer]}]},
            "s3:list_objects_v2": [{"Size": 10**9}],
        }
    )
    found = cost_of(aws, STACK, today=date(2026, 11, 30))
    assert [each.service for each in found.services] == ["Amazon ECS", "AWS Lambda"]
    assert found.dollars == Decimal("1.62")
    assert found.buckets[0].microdollars_a_month == 23_000
    [(_, asked)] = [call for call in aws.asked if call[0] == "ce:get_cost_and_usage"]
    assert asked["TimePeriod"] == {"Start": "2026-11-01", "End": "2026-12-01"}
    assert asked["Filter"]["Tags"] == {"Key": "cloudmr:unit", "Values": ["s"]}


def test_why_nothing_can_be_told_is_told() -> None:
    answers: list[Any] = [refusal("AccessDeniedException", "not for you"), {"ResultsByTime": []}]
    for answer in answers:
        aws = ScriptedAccount({"ce:get_cost_and_usage": answer, "s3:list_objects_v2": []})
        assert cost_of(aws, STACK, today=date(2026, 11, 1)).why_not
