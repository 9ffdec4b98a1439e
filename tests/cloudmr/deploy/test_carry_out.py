"""A plan is carried out: the stack is followed to its end, and a failure is told in known words with its fix."""

from __future__ import annotations

from typing import Any

import pytest

from cloudmr.aws.said import AwsSaid
from cloudmr.deploy.carry_out import StackTookTooLong, change_stack
from cloudmr.deploy.errors import AwsRefused, StandsInTheWay
from cloudmr.deploy.explain import StackEvent
from cloudmr.deploy.plan import Parameter
from cloudmr.deploy.template import Template
from scripted_account import ScriptedAccount, refusal

TEMPLATE = Template.of("Parameters:\n  VpcId: {Type: String}\n")
PARAMETERS = (Parameter(name="VpcId", value="vpc-1"), Parameter(name="Memory", value=None))


def described(status: str) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "s", "StackId": "arn:s", "StackStatus": status}]}


def event(number: int, status: str, reason: str = "", resource: str = "DataBucket") -> dict[str, Any]:
    return {
        "EventId": str(number),
        "LogicalResourceId": resource,
        "ResourceType": "AWS::S3::Bucket",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def account(states: list[str], events: list[dict[str, Any]], **changes: Any) -> ScriptedAccount:
    """Return an account whose stack goes through these states; AWS lists events from the last to the first."""
    coming = iter(states)
    answers: dict[str, Any] = {
        "cloudformation:create_stack": {"StackId": "arn:s"},
        "cloudformation:update_stack": {"StackId": "arn:s"},
        "cloudformation:describe_stacks": lambda **_: described(next(coming, states[-1])),
        "cloudformation:describe_stack_events": list(reversed(events)),
    }
    return ScriptedAccount(answers | {name.replace("__", ":"): answer for name, answer in changes.items()})


def changed(aws: ScriptedAccount, *, is_new: bool = True) -> list[StackEvent]:
    heard: list[StackEvent] = []
    change_stack(aws, "s", TEMPLATE, PARAMETERS, is_new=is_new, hear=heard.append, pause=lambda _: None)
    return heard


def test_each_thing_that_happens_is_told_once_and_in_order() -> None:
    events = [event(1, "CREATE_IN_PROGRESS"), event(2, "CREATE_COMPLETE")]
    heard = changed(account(["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"], events))
    assert [each.id for each in heard] == ["1", "2"]


def test_the_template_goes_along_with_its_parameters_and_what_stays_is_said_so() -> None:
    aws = account(["CREATE_COMPLETE"], [])
    changed(aws)
    [asked] = [asked for what, asked in aws.asked if what == "cloudformation:create_stack"]
    assert asked["Parameters"] == [
        {"ParameterKey": "VpcId", "ParameterValue": "vpc-1"},
        {"ParameterKey": "Memory", "UsePreviousValue": True},
    ]
    assert asked["Capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


def test_a_creation_that_fails_tells_every_cause_it_knows_with_its_fix() -> None:
    events = [
        event(1, "CREATE_FAILED", "s-data-1 already exists"),
        event(2, "CREATE_FAILED", "Resource creation cancelled", "Role"),
        event(3, "CREATE_FAILED", "User: me is not authorized to perform: iam:CreateRole", "OtherRole"),
    ]
    with pytest.raises(StandsInTheWay) as caught:
        changed(account(["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"], events))
    assert [each.code for each in caught.value.problems] == ["bucket_taken", "missing_rights"]


def test_a_cause_that_is_not_known_is_told_in_its_own_words() -> None:
    with pytest.raises(AwsRefused, match="Something new"):
        changed(account(["ROLLBACK_COMPLETE"], [event(1, "CREATE_FAILED", "Something new")]))


def test_what_was_found_wrong_before_anything_was_made_is_told() -> None:
    reason = "Validation failed with 1 error(s). Call DescribeEvents to retrieve the full list of issues"
    finding = {
        "LogicalResourceId": "DataBucket",
        "ResourceType": "AWS::S3::Bucket",
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": "Bucket 's-data-123456789012' already exists",
    }
    aws = account(["ROLLBACK_COMPLETE"], [event(1, "CREATE_FAILED", reason, "s")])
    aws.answers["cloudformation:describe_events"] = [finding, {"ValidationStatus": "SKIPPED"}]
    with pytest.raises(StandsInTheWay) as caught:
        changed(aws)
    assert [each.code for each in caught.value.problems] == ["bucket_taken"]


def test_an_update_that_fails_does_not_speak_of_earlier_failures() -> None:
    before, now = (
        event(1, "UPDATE_FAILED", "s-data-1 already exists"),
        event(2, "UPDATE_FAILED", "The quota is reached"),
    )
    listings = iter([[before]])
    aws = account(
        ["UPDATE_ROLLBACK_COMPLETE"],
        [],
        cloudformation__describe_stack_events=lambda **_: next(listings, [now, before]),
    )
    with pytest.raises(StandsInTheWay) as caught:
        changed(aws, is_new=False)
    assert [each.code for each in caught.value.problems] == ["limit_reached"]


def test_nothing_to_change_is_no_failure() -> None:
    nothing = AwsSaid("ValidationError", "No updates are to be performed.", "cloudformation:update_stack")
    assert changed(account(["UPDATE_COMPLETE"], [], cloudformation__update_stack=nothing), is_new=False) == []


def test_a_refused_request_is_passed_on() -> None:
    with pytest.raises(AwsSaid):
        changed(account([], [], cloudformation__create_stack=refusal("AccessDenied")))


def test_nobody_waits_for_ever() -> None:
    with pytest.raises(StackTookTooLong):
        changed(account(["CREATE_IN_PROGRESS"], []))
