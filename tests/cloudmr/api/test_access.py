"""Every route, tried by everybody: without a token, with an ended one, with one of another scope, by a stranger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from asgi import TestClient
from bench import Bench, task_of
from cloudmr.model.ids import Kind
from cloudmr.model.people import Caller
from cloudmr.model.tokens import ACCESS_LIFETIME, Scope, Token, new_secret, secret_hash
from cloudmr.services.sessions import authenticate
from cloudmr.services.settle_job import settle_job
from cloudmr.services.upload_data import start_upload


@dataclass(frozen=True, kw_only=True)
class Things:
    """What the owner has."""

    data_id: str
    upload_id: str
    job_id: str
    task: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A request, which scope it needs, and what the owner and a stranger are answered."""

    method: str
    path: str
    scope: Scope
    owner: int
    stranger: int
    body: Callable[[Things], dict[str, Any]] | None = None


ROUTES = (
    Route(method="GET", path="/api/auth/profile", scope=Scope.READ, owner=200, stranger=200),
    Route(method="POST", path="/api/auth/logout", scope=Scope.ACCOUNT, owner=200, stranger=200),
    Route(method="GET", path="/api/computing-unit/list", scope=Scope.READ, owner=200, stranger=200),
    Route(
        method="POST",
        path="/api/data/upload",
        scope=Scope.JOB_WRITE,
        owner=201,
        stranger=201,
        body=lambda _: {"filename": "m", "size": 1},
    ),
    Route(
        method="POST",
        path="/api/data/{upload_id}/parts/{number}",
        scope=Scope.JOB_WRITE,
        owner=200,
        stranger=404,
        body=lambda _: {"sha256": "A" * 43 + "="},
    ),
    Route(method="GET", path="/api/data/{upload_id}/parts", scope=Scope.READ, owner=200, stranger=404),
    Route(method="POST", path="/api/data/{data_id}/complete", scope=Scope.JOB_WRITE, owner=200, stranger=404),
    Route(method="POST", path="/api/data/{upload_id}/abort", scope=Scope.JOB_WRITE, owner=204, stranger=404),
    Route(method="GET", path="/api/data", scope=Scope.READ, owner=200, stranger=200),
    Route(method="GET", path="/api/data/{data_id}", scope=Scope.READ, owner=200, stranger=404),
    Route(
        method="PATCH",
        path="/api/data/{data_id}",
        scope=Scope.JOB_WRITE,
        owner=200,
        stranger=404,
        body=lambda _: {"filename": "n"},
    ),
    Route(method="DELETE", path="/api/data/{data_id}", scope=Scope.JOB_WRITE, owner=204, stranger=404),
    Route(method="GET", path="/api/data/{data_id}/download", scope=Scope.READ, owner=200, stranger=404),
    Route(
        method="POST",
        path="/api/job",
        scope=Scope.JOB_WRITE,
        owner=201,
        stranger=404,
        body=lambda things: {"task": things.task},
    ),
    Route(method="GET", path="/api/job", scope=Scope.READ, owner=200, stranger=200),
    Route(method="GET", path="/api/job/{job_id}", scope=Scope.READ, owner=200, stranger=404),
    Route(method="GET", path="/api/job/{job_id}/events", scope=Scope.READ, owner=200, stranger=404),
    Route(method="GET", path="/api/job/{job_id}/log", scope=Scope.READ, owner=200, stranger=404),
    Route(method="GET", path="/api/job/{job_id}/result", scope=Scope.READ, owner=200, stranger=404),
    Route(method="POST", path="/api/job/{job_id}/cancel", scope=Scope.JOB_WRITE, owner=409, stranger=404),
    Route(
        method="POST",
        path="/api/data/add",
        scope=Scope.JOB_WRITE,
        owner=404,
        stranger=404,
        body=lambda _: {"computing_unit_id": "unit_x", "key": "uploads/x"},
    ),
    Route(
        method="POST",
        path="/api/data/delete",
        scope=Scope.JOB_WRITE,
        owner=200,
        stranger=404,
        body=lambda things: {"data_ids": [things.data_id]},
    ),
    Route(
        method="POST",
        path="/api/data/restore",
        scope=Scope.JOB_WRITE,
        owner=200,
        stranger=404,
        body=lambda things: {"data_ids": [things.data_id]},
    ),
    Route(method="POST", path="/api/data/{data_id}/restore", scope=Scope.JOB_WRITE, owner=200, stranger=404),
    Route(method="GET", path="/api/data/export", scope=Scope.READ, owner=200, stranger=200),
    Route(
        method="POST",
        path="/api/job/estimate",
        scope=Scope.READ,
        owner=200,
        stranger=404,
        body=lambda things: {"task": things.task},
    ),
    Route(method="GET", path="/api/job/export", scope=Scope.READ, owner=200, stranger=200),
    Route(method="GET", path="/api/job/shared", scope=Scope.READ, owner=200, stranger=200),
    Route(
        method="PATCH",
        path="/api/job/{job_id}",
        scope=Scope.JOB_WRITE,
        owner=200,
        stranger=404,
        body=lambda _: {"alias": "n"},
    ),
    Route(method="DELETE", path="/api/job/{job_id}", scope=Scope.JOB_WRITE, owner=200, stranger=404),
    Route(method="POST", path="/api/job/{job_id}/restore", scope=Scope.JOB_WRITE, owner=200, stranger=404),
    Route(method="POST", path="/api/job/{job_id}/rerun", scope=Scope.JOB_WRITE, owner=201, stranger=404),
    Route(method="GET", path="/api/job/{job_id}/shares", scope=Scope.READ, owner=200, stranger=404),
    Route(
        method="POST",
        path="/api/job/{job_id}/shares",
        scope=Scope.JOB_WRITE,
        owner=201,
        stranger=404,
        body=lambda _: {"days": 1},
    ),
    Route(method="DELETE", path="/api/job/{job_id}/shares", scope=Scope.JOB_WRITE, owner=204, stranger=404),
    Route(method="DELETE", path="/api/job/{job_id}/shares/{share_id}", scope=Scope.JOB_WRITE, owner=204, stranger=404),
    Route(method="GET", path="/api/quota", scope=Scope.READ, owner=200, stranger=200),
    Route(method="GET", path="/api/notifications", scope=Scope.ACCOUNT, owner=200, stranger=200),
    Route(method="PUT", path="/api/notifications", scope=Scope.ACCOUNT, owner=200, stranger=200, body=lambda _: {}),
    Route(method="POST", path="/api/notifications/test", scope=Scope.ACCOUNT, owner=200, stranger=200),
)
OPEN = {
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("GET", "/api/shared/{secret}"),
    ("GET", "/api/shared/{secret}/events"),
    ("GET", "/api/shared/{secret}/log"),
    ("GET", "/api/shared/{secret}/result"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
}
FROM_UNITS = {
    ("GET", "/api/job/{job_id}/document"),
    ("POST", "/api/job/{job_id}/progress"),
    ("POST", "/api/job/{job_id}/callback"),
}
NAMES = {f"{route.method} {route.path}": route for route in ROUTES}


@pytest.fixture
def owner(bench: Bench) -> Caller:
    return bench.person()


@pytest.fixture
def things(bench: Bench, owner: Caller) -> Things:
    job = bench.running_job(owner)
    bench.succeed(job)
    settle_job(bench.brain, job.id)
    data_file = bench.data_file(owner)
    upload = start_upload(bench.brain, owner, filename="m", size_bytes=1).view.data_file
    return Things(data_id=data_file.id, upload_id=upload.id, job_id=job.id, task=task_of(data_file))


def token_for(bench: Bench, caller: Caller, scope: Scope) -> str:
    secret = new_secret(bench.brain.entropy)
    token_id = bench.brain.new_id(Kind.TOKEN)
    token = Token(
        id=token_id,
        owner_id=caller.id,
        session_id=token_id,
        secret_hash=secret_hash(secret),
        scope=scope,
        created_at=bench.clock.now,
        expires_at=bench.clock.now + ACCESS_LIFETIME,
    )
    with bench.brain.database.write() as transaction:
        transaction.tokens.add([token])
    return secret


def ask(client: TestClient, route: Route, things: Things, token: str | None) -> tuple[int, str]:
    path = route.path.replace("{number}", "1").replace("{share_id}", "share_x").format(**vars(things))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body = route.body(things) if route.body else None
    response = client.request(route.method, path, json=body, headers=headers)
    is_error = response.status_code >= 400
    return response.status_code, response.json()["code"] if is_error else ""


def test_no_route_is_forgotten(client: TestClient) -> None:
    documented = {
        (method.upper(), path)
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    tried = {(route.method, route.path.replace("upload_id", "data_id")) for route in ROUTES}
    assert documented == tried | OPEN | FROM_UNITS


@pytest.mark.parametrize("name", NAMES)
def test_its_owner_is_let_in_with_the_scope_it_needs(
    client: TestClient, bench: Bench, owner: Caller, things: Things, name: str
) -> None:
    route = NAMES[name]
    assert ask(client, route, things, token_for(bench, owner, route.scope))[0] == route.owner


@pytest.mark.parametrize("name", NAMES)
def test_nobody_else_is(client: TestClient, bench: Bench, owner: Caller, things: Things, name: str) -> None:
    route = NAMES[name]
    ended = token_for(bench, owner, Scope.ACCOUNT)
    bench.clock.advance(seconds=ACCESS_LIFETIME.total_seconds())
    assert ask(client, route, things, None) == (401, "not_signed_in")
    assert ask(client, route, things, ended) == (401, "token_expired")
    assert ask(client, route, things, "cmr_guess") == (401, "token_invalid")
    for scope in Scope:
        token = token_for(bench, owner, scope)
        try:
            authenticate(bench.brain, token, route.scope)
        except Exception:
            assert ask(client, route, things, token) == (403, "wrong_scope")
    stranger = token_for(bench, bench.person(), Scope.ACCOUNT)
    status, code = ask(client, route, things, stranger)
    assert status == route.stranger
    assert code in {"", "not_found"}


@pytest.mark.parametrize("name", [name for name, route in NAMES.items() if "{" in route.path])
def test_ids_that_are_none_are_not_found(client: TestClient, bench: Bench, owner: Caller, name: str) -> None:
    token = token_for(bench, owner, Scope.ACCOUNT)
    for odd in ("x", "..%2F..%2Fetc", "%00", "x" * 1000, "job_01m81j18g0j1218zet8qksc3hx"):
        nowhere = Things(data_id=odd, upload_id=odd, job_id=odd, task={})
        assert ask(client, NAMES[name], nowhere, token)[0] in {404, 405, 422}


def test_an_administrator_sees_no_more_than_others(client: TestClient, bench: Bench, things: Things) -> None:
    administrator = replace(bench.person(), is_admin=True)
    token = token_for(bench, administrator, Scope.ACCOUNT)
    for route in ROUTES:
        if "{" in route.path:
            assert ask(client, route, things, token) == (404, "not_found")


def test_the_schema_says_where_a_token_is_needed(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for route in ROUTES:
        operation = paths[route.path.replace("upload_id", "data_id")][route.method.lower()]
        assert operation["security"] == [{"HTTPBearer": []}]
    for method, path in OPEN | FROM_UNITS:
        assert "security" not in paths[path][method.lower()]
