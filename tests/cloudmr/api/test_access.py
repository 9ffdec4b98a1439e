"""Every route, tried by everybody, as `route_rules` declares it; a route without a rule fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from fastapi import FastAPI

from asgi import TestClient
from cloudmr.api.app import PREFIXES
from cloudmr.model.tokens import Scope
from house import House
from route_rules import RULES, Proof, Rule, Things

WITH_TOKEN = {name: rule for name, rule in RULES.items() if isinstance(rule.needs, Scope)}
WITHOUT_TOKEN = {name: rule for name, rule in RULES.items() if isinstance(rule.needs, Proof)}
UNKNOWN_JOB = "job_01m81j18g0j1218zet8qksc3hx"


@pytest.fixture(scope="module")
def shut_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house for those who are not let in, and so change nothing of the owner's."""
    yield from a_house(tmp_path_factory)


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from a_house(tmp_path_factory)


@pytest.fixture
def house(open_house: House) -> House:
    """A house whose owner has one of everything, whatever those before did with theirs."""
    open_house.furnish()
    return open_house


def a_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house") / "house")
    with house.client:
        yield house
    house.bench.close()


def ask(client: TestClient, rule: Rule, things: Things, token: str | None) -> tuple[int, str]:
    """Return the status, and the code of an error."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = rule.body(things) if rule.body else None
    response = client.request(rule.method, things.path(rule), json=body, headers=headers)
    is_error = response.status_code >= 400
    return response.status_code, response.json()["code"] if is_error else ""


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """Return every route there is, in the schema or not."""
    found = set()
    routes: list[Any] = list(app.routes)
    for route in routes:
        contexts = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
        for context in contexts:
            found |= {(method, context.path) for method in context.methods}
    return found


def test_every_route_has_a_rule_and_every_rule_a_route(shut_house: House) -> None:
    declared = {(rule.method, f"{prefix}{rule.path}") for prefix in PREFIXES for rule in RULES.values()}
    declared -= {("GET", "/Prod/openapi.json")}
    assert routes_of(shut_house.app) - {("HEAD", "/openapi.json")} == declared


@pytest.mark.parametrize("name", WITH_TOKEN)
def test_nobody_is_let_in_without_the_right_token(shut_house: House, name: str) -> None:
    house, rule, client = shut_house, RULES[name], shut_house.client
    now = house.bench.clock.now
    answers = {
        "no token": ask(client, rule, house.things, None),
        "a guess": ask(client, rule, house.things, "cmr_guess"),
        "expired": ask(client, rule, house.things, house.token(house.owner, Scope.ACCOUNT, expires_at=now)),
        "revoked": ask(client, rule, house.things, house.token(house.owner, Scope.ACCOUNT, revoked_at=now)),
    }
    assert answers == {
        "no token": (401, "not_signed_in"),
        "a guess": (401, "token_invalid"),
        "expired": (401, "token_expired"),
        "revoked": (401, "token_expired"),
    }
    good = {
        Scope.READ: {Scope.ACCOUNT, Scope.JOB_WRITE, Scope.READ},
        Scope.JOB_WRITE: {Scope.ACCOUNT, Scope.JOB_WRITE},
        Scope.UNIT_REGISTER: {Scope.ACCOUNT, Scope.UNIT_REGISTER},
        Scope.ACCOUNT: {Scope.ACCOUNT},
    }
    assert isinstance(rule.needs, Scope)
    for scope in set(Scope) - good[rule.needs]:
        assert ask(client, rule, house.things, house.token(house.owner, scope)) == (403, "wrong_scope"), scope


@pytest.mark.parametrize("name", WITH_TOKEN)
def test_others_see_what_is_theirs_to_see(shut_house: House, name: str) -> None:
    house, rule, client = shut_house, RULES[name], shut_house.client
    tokens = {
        who: house.token(caller, Scope.ACCOUNT)
        for who, caller in {
            "stranger": house.person(),
            "shared": house.friend,
            "admin": house.person(is_admin=True),
        }.items()
    }
    if name == "POST /api/auth/delete-account":
        del tokens["shared"]  # the friend is needed again
    answers = {who: ask(client, rule, house.things, token) for who, token in tokens.items()}
    assert {who: status for who, (status, _) in answers.items()} == {who: getattr(rule, who) for who in tokens}
    for status, code in answers.values():
        assert code == {404: "not_found", 403: "not_admin"}.get(status, code)


@pytest.mark.parametrize("name", [name for name, rule in WITH_TOKEN.items() if rule.method == "GET"])
def test_the_owner_may_look(shut_house: House, name: str) -> None:
    rule = RULES[name]
    assert isinstance(rule.needs, Scope)
    token = shut_house.token(shut_house.owner, rule.needs)
    assert ask(shut_house.client, rule, shut_house.things, token)[0] == rule.owner


@pytest.mark.parametrize("name", [name for name, rule in WITH_TOKEN.items() if rule.method != "GET"])
def test_the_owner_may_act_with_the_scope_it_needs(house: House, name: str) -> None:
    rule = RULES[name]
    assert isinstance(rule.needs, Scope)
    token = house.token(house.owner, rule.needs)
    assert ask(house.client, rule, house.things, token)[0] == rule.owner


@pytest.mark.parametrize("name", WITHOUT_TOKEN)
def test_a_token_is_no_proof_where_something_else_is_asked_for(shut_house: House, name: str) -> None:
    rule, client = RULES[name], shut_house.client
    things = replace(shut_house.things, secret="x" * 40) if rule.needs is Proof.LINK else shut_house.things
    expected = {404 if rule.needs is Proof.LINK else rule.owner}
    if rule.path == "/api/auth/register":
        expected.add(409)  # the second time, there is that account
    path = replace(rule, path=rule.path.replace("{bucket}", "data").replace("{key:path}", f"uploads/{things.data_id}"))
    if rule.method == "HEAD":
        return  # as GET, without a body to read the code in
    for token in (None, shut_house.token(shut_house.owner, Scope.ACCOUNT)):
        assert ask(client, path, things, token)[0] in expected


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.needs is Proof.LINK])
def test_a_link_shows_the_job_it_was_made_for(shut_house: House, name: str) -> None:
    assert ask(shut_house.client, RULES[name], shut_house.things, None)[0] == RULES[name].owner


@pytest.mark.parametrize("name", [name for name, rule in WITH_TOKEN.items() if "{" in rule.path])
def test_ids_that_are_none_are_not_found(shut_house: House, name: str) -> None:
    house, rule = shut_house, RULES[name]
    who = house.person(is_admin="/admin/" in rule.path)
    token = house.token(who, Scope.ACCOUNT)
    for odd in ("x", "..%2F..%2Fetc", "%00", "x" * 1000, UNKNOWN_JOB):
        ids: dict[str, Any] = {
            field.name: odd for field in fields(Things) if field.name not in {"task", "password", "upload_name"}
        }
        nowhere = replace(house.things, **ids)
        assert ask(house.client, rule, nowhere, token)[0] in {404, 405, 422}


def test_the_schema_says_where_a_token_is_needed(shut_house: House) -> None:
    paths = shut_house.app.openapi()["paths"]
    for rule in RULES.values():
        operation = paths.get(rule.path, {}).get(rule.method.lower())
        if operation is not None:
            needed = [{"HTTPBearer": [rule.needs]}] if isinstance(rule.needs, Scope) else []
            assert operation.get("security", []) == needed
