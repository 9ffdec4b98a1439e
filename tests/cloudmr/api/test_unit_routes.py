from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asgi import TestClient
from bench import Bench
from cloudmr.model.people import Caller
from units import OPERATOR, PUBLIC_URL


def units(client: TestClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.json().keys() == {"computingUnits"}
    found: list[dict[str, Any]] = answer.json()["computingUnits"]
    return found


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_the_list_of_the_guides(ada: tuple[TestClient, Caller], bench: Bench, prefix: str) -> None:
    client, caller = ada
    bench.own_unit(caller, region="us-east-1")
    shared, own = units(client, f"{prefix}/api/computing-unit/list?app_name=MR%20Optimum")
    assert (shared["mode"], shared["provider"]) == ("mode_1", "cloudmrhub")
    assert (own["mode"], own["provider"]) == ("mode_2", "user")
    assert (own["awsAccountId"], own["region"]) == ("123456789012", "us-east-1")
    assert own["computingUnitId"].startswith("unit_")
    assert {"alias", "status", "isDefault", "lastCheckedAt", "appName"} <= shared.keys()
    assert not {"ownerId", "crossAccountRoleArn"} & own.keys()


def test_a_stranger_does_not_see_it(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    bench.own_unit(bench.person())
    assert [unit["mode"] for unit in units(ada[0], "/api/computing-unit/list")] == ["mode_1"]


def test_another_application_has_none(ada: tuple[TestClient, Caller]) -> None:
    assert units(ada[0], "/api/computing-unit/list?app_name=Another") == []


REGISTRATION = {
    "appName": "MR Optimum",
    "mode": "mode_2",
    "provider": "user",
    "awsAccountId": "123456789012",
    "region": "us-east-1",
    "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:mroptimum-mode2-jobs",
    "crossAccountRoleArn": "arn:aws:iam::123456789012:role/mroptimum-mode2-cloudmr",
    "dataBucket": "mroptimum-mode2-data-123456789012",
    "resultsBucket": "mroptimum-mode2-results-123456789012",
    "failedBucket": "mroptimum-mode2-failed-123456789012",
    "alias": "",
    "isDefault": True,
}


@pytest.fixture
def announced(ada: tuple[TestClient, Caller], bench: Bench) -> dict[str, str]:
    ada[0].app.state.brain = replace(bench.brain, operator=OPERATOR, public_url=PUBLIC_URL)  # type: ignore[attr-defined]  # a FastAPI
    answer = ada[0].post("/api/computing-unit/prepare", json={"awsAccountId": "123456789012", "region": "us-east-1"})
    assert answer.status_code == 201
    prepared: dict[str, str] = answer.json()
    return prepared


def test_a_unit_is_announced_and_registered_under_the_names_of_the_guides(
    ada: tuple[TestClient, Caller], announced: dict[str, str]
) -> None:
    client, _ = ada
    assert announced.keys() == {"computingUnitId", "externalId", "brainPrincipalArn", "imageUri"}
    assert announced["brainPrincipalArn"] == OPERATOR.principal_arn
    answers = [client.post("/Prod/api/computing-unit/register", json=REGISTRATION) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    answer = answers[0].json()
    assert answer["computingUnitId"] == announced["computingUnitId"]
    assert (answer["status"], answer["isDefault"]) == ("unverified", False)
    assert "becomes your default unit" in answer["message"]
    _, own = units(client, "/api/computing-unit/list?app_name=MR%20Optimum")
    assert own["stateMachineArn"] == REGISTRATION["stateMachineArn"]
    assert announced["externalId"] not in str(own)


def test_a_refused_registration_says_why(ada: tuple[TestClient, Caller], announced: dict[str, str]) -> None:
    wrong = REGISTRATION | {"crossAccountRoleArn": "arn:aws:iam::999988887777:role/another"}
    answer = ada[0].post("/api/computing-unit/register", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (409, "accounts_differ")
    assert answer.json()["next_step"]
    answer = ada[0].post("/api/computing-unit/register", json=REGISTRATION | {"mode": "mode_3"})
    assert answer.status_code == 422


def test_a_unit_is_renamed_chosen_checked_and_removed(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    unit = bench.own_unit(caller)
    address = f"/api/computing-unit/{unit.id}"
    assert client.patch(address, json={"alias": "scanner room"}).json()["alias"] == "scanner room"
    assert client.post(f"{address}/default").json()["isDefault"] is True
    checked = client.post(f"{address}/check").json()
    assert checked["computingUnit"]["lastCheckedAt"] is not None
    assert {finding["outcome"] for finding in checked["findings"]} == {"passed"}
    assert client.get(f"{address}/check").json() == checked
    proving = client.post(f"{address}/check", json={"knownAnswer": True}).json()
    assert [finding["check"] for finding in proving["findings"] if finding["outcome"] == "awaited"] == ["known_answer"]
    permissions = client.get(f"{address}/permissions").json()["permissions"]
    assert [each["isAsDeclared"] for each in permissions] == [True, True, True]
    refused = client.delete(address)
    assert (refused.status_code, refused.json()["code"]) == (409, "unit_in_use")
    assert client.delete(f"{address}?cancel_jobs=true").status_code == 204
    assert client.get(address).status_code == 404


def test_the_shared_unit_is_seen_by_everybody_and_managed_by_administrators(
    ada: tuple[TestClient, Caller], bench: Bench
) -> None:
    client, _ = ada
    address = f"/api/computing-unit/{bench.local_unit.id}"
    assert client.get(address).json()["snrVerifiedAt"] is None
    for answer in (client.get(f"{address}/check"), client.post(f"{address}/check"), client.delete(address)):
        assert (answer.status_code, answer.json()["code"]) == (403, "admin_needed")
