from __future__ import annotations

from typing import Any

import pytest

from asgi import TestClient
from bench import Bench
from cloudmr.model.people import Caller


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
