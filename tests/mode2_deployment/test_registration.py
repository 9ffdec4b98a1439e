"""The registration function: what it asks the Brain, when it asks nobody; CloudFormation is always answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from listener import Listener, listening

PREPARE, REGISTER = "/api/computing-unit/prepare", "/api/computing-unit/register"
ANSWERED = "/cloudformation"
TOKEN = "worth-one-registration"
PREPARED = {
    "computingUnitId": "unit_1",
    "externalId": "an-external-id",
    "brainPrincipalArn": "arn:aws:iam::262361552878:role/cloudmr-brain",
    "imageUri": "262361552878.dkr.ecr.us-east-1.amazonaws.com/mroptimum@sha256:0",
}
REGISTERED = {"computingUnitId": "unit_1", "status": "unverified", "isDefault": False, "message": "It is verified now."}
PARTS = {
    "ComputingUnitId": "unit_1",
    "AppName": "MR Optimum",
    "Mode": "",
    "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:a-jobs",
    "CrossAccountRoleArn": "arn:aws:iam::123456789012:role/a-cloudmr",
    "DataBucket": "a-data-123456789012",
    "ResultsBucket": "a-results-123456789012",
    "FailedBucket": "a-failed-123456789012",
    "Alias": "",
}


class Asked:
    """CloudFormation and the Brain in one listener; `brain` gives the Brain's answers."""

    def __init__(self, listener: Listener, function: ModuleType) -> None:
        self.listener = listener
        self.function = function
        self.brain({PREPARE: (201, PREPARED), REGISTER: (200, REGISTERED)})

    def brain(self, answers: dict[str, tuple[int, dict[str, Any]]]) -> None:
        for path, (status, said) in answers.items():
            self.listener.answers[path] = (status, json.dumps(said).encode())

    def event(self, kind: str, request: str = "Create", **properties: str) -> dict[str, Any]:
        given = {
            "ApiUrl": self.listener.url,
            "Token": TOKEN,
            "AwsAccountId": "123456789012",
            "Region": "us-east-1",
            **({"ImageTag": "latest"} if kind == "Preparation" else PARTS),
            **properties,
        }
        return {
            "RequestType": request,
            "ResourceType": f"Custom::CloudMR{kind}",
            "ResponseURL": self.listener.url + ANSWERED,
            "StackId": "a-stack",
            "RequestId": "a-request",
            "LogicalResourceId": kind,
            "ResourceProperties": given,
        }

    def handle(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the answer that CloudFormation got."""
        self.function.handler(event, None)
        answer: dict[str, Any] = json.loads(self.listener.next(ANSWERED).body)
        return answer


@pytest.fixture
def asked(registration: ModuleType) -> Iterator[Asked]:
    with listening() as listener:
        yield Asked(listener, registration)


def test_a_unit_is_announced_for_its_account_region_and_image(asked: Asked) -> None:
    asked.function.handler(asked.event("Preparation"), None)
    heard = asked.listener.next()
    assert (heard.method, heard.path) == ("POST", PREPARE)
    assert heard.headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(heard.body) == {"awsAccountId": "123456789012", "region": "us-east-1", "imageTag": "latest"}


def test_what_the_brain_answers_is_what_the_stack_is_made_with(asked: Asked) -> None:
    answer = asked.handle(asked.event("Preparation"))
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {name[0].upper() + name[1:]: value for name, value in PREPARED.items()}
    assert len(answer["PhysicalResourceId"]) < 1024, "CloudFormation takes no longer one"


def test_a_unit_is_registered_with_the_parts_of_its_stack(asked: Asked) -> None:
    asked.function.handler(asked.event("Registration", Mode="mode_1", Alias="scanner room"), None)
    body = json.loads(asked.listener.next(REGISTER).body)
    assert body == {
        **{name[0].lower() + name[1:]: value for name, value in PARTS.items()},
        "awsAccountId": "123456789012",
        "region": "us-east-1",
        "mode": "mode_1",
        "alias": "scanner room",
    }


def test_the_stack_shows_what_the_brain_said_of_the_registration(asked: Asked) -> None:
    answer = asked.handle(asked.event("Registration"))
    assert answer["PhysicalResourceId"].endswith("|unit_1")
    assert answer["Data"] == {"ComputingUnitId": "unit_1", "RegistrationStatus": "unverified: It is verified now."}


def test_what_is_empty_is_not_said(asked: Asked) -> None:
    asked.function.handler(asked.event("Registration"), None)
    assert not {"mode", "alias"} & set(json.loads(asked.listener.next(REGISTER).body))


@pytest.mark.parametrize("kind", ["Preparation", "Registration"])
def test_deleting_calls_nobody(asked: Asked, kind: str) -> None:
    asked.function.handler({**asked.event(kind, "Delete"), "PhysicalResourceId": "unit_1"}, None)
    first = asked.listener.next()
    assert first.path == ANSWERED
    said = json.loads(first.body)
    assert (said["Status"], said["PhysicalResourceId"]) == ("SUCCESS", "unit_1")


@pytest.mark.parametrize("kind", ["Preparation", "Registration"])
def test_an_update_with_nothing_but_a_new_token_calls_nobody_and_answers_the_same(asked: Asked, kind: str) -> None:
    created = asked.handle(asked.event(kind))
    event = asked.event(kind, "Update", Token="another") | {"PhysicalResourceId": created["PhysicalResourceId"]}
    asked.function.handler(event, None)
    first = asked.listener.next()
    assert first.path == ANSWERED
    said = json.loads(first.body)
    assert said["PhysicalResourceId"] == created["PhysicalResourceId"]
    assert said["Data"]["ComputingUnitId"] == created["Data"]["ComputingUnitId"]
    if kind == "Preparation":
        assert said["Data"] == created["Data"]


def test_an_update_with_another_state_machine_registers_again(asked: Asked) -> None:
    created = asked.handle(asked.event("Registration"))
    event = asked.event("Registration", "Update", StateMachineArn="another")
    asked.function.handler(event | {"PhysicalResourceId": created["PhysicalResourceId"]}, None)
    assert asked.listener.next().path == REGISTER


@pytest.mark.parametrize("kind", ["Preparation", "Registration"])
def test_an_update_that_failed_is_rolled_back_without_a_token_that_is_still_good(asked: Asked, kind: str) -> None:
    created = asked.handle(asked.event(kind))
    failed = asked.handle(asked.event(kind, "Update", ApiUrl="http://127.0.0.1:1") | _of(created))
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", created["PhysicalResourceId"])
    asked.function.handler(asked.event(kind, "Update") | _of(failed), None)
    first = asked.listener.next()
    assert first.path == ANSWERED, "nobody is called"
    assert json.loads(first.body)["Data"]["ComputingUnitId"] == created["Data"]["ComputingUnitId"]


def test_an_announcement_is_taken_back_when_something_later_fails(asked: Asked) -> None:
    created = asked.handle(asked.event("Preparation"))
    changed = asked.handle(asked.event("Preparation", "Update", ImageTag="next") | _of(created))
    again = asked.handle(asked.event("Preparation", "Update", ImageTag="after that") | _of(changed))
    assert len(again["PhysicalResourceId"]) < 1024
    asked.function.handler(asked.event("Preparation", "Update", ImageTag="next") | _of(again), None)
    first = asked.listener.next()
    assert first.path == ANSWERED, "nobody is called"
    assert json.loads(first.body)["Data"] == created["Data"]


def _of(answer: dict[str, Any]) -> dict[str, Any]:
    return {"PhysicalResourceId": answer["PhysicalResourceId"]}


def test_a_refusal_fails_the_stack_with_the_brains_own_words(asked: Asked) -> None:
    refusal = {"code": "token_spent", "message": "This token has been used.", "next_step": "Make another."}
    asked.brain({PREPARE: (403, refusal)})
    answer = asked.handle(asked.event("Preparation"))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == "This token has been used. Make another. (token_spent)"


def test_a_brain_that_is_not_up_yet_is_asked_again(asked: Asked) -> None:
    asked.brain({PREPARE: (503, {})})
    answer = asked.handle(asked.event("Preparation"))
    assert answer["Reason"] == "CloudMR Brain answered 503. Check CloudMRApiUrl."


def test_a_brain_that_cannot_be_reached_is_named(asked: Asked) -> None:
    answer = asked.handle(asked.event("Preparation", ApiUrl="http://127.0.0.1:1"))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("CloudMR Brain at 127.0.0.1:1 does not answer (")


def test_something_that_is_not_the_brain_is_named(asked: Asked) -> None:
    asked.listener.answers[PREPARE] = (200, b"<html>")
    answer = asked.handle(asked.event("Preparation"))
    assert "is not CloudMR Brain" in answer["Reason"]


def test_a_token_is_not_carried_to_where_an_answer_points(asked: Asked) -> None:
    asked.brain({PREPARE: (302, {})})
    answer = asked.handle(asked.event("Preparation"))
    assert "points elsewhere" in answer["Reason"]


@pytest.mark.parametrize("said", [{}, {"computingUnitId": None}])
def test_cloudformation_is_answered_whatever_goes_wrong(asked: Asked, said: dict[str, Any]) -> None:
    asked.brain({PREPARE: (201, said)})
    answer = asked.handle(asked.event("Preparation"))
    assert answer["Status"] == "FAILED"
    event = asked.event("Registration")
    del event["ResourceType"]
    assert asked.handle(event)["Status"] == "FAILED"


def test_nothing_of_the_token_stands_in_an_answer(asked: Asked) -> None:
    asked.brain({REGISTER: (500, {})})
    for kind in ("Preparation", "Registration"):
        assert TOKEN not in json.dumps(asked.handle(asked.event(kind)))
