from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import cloudmr.errors
import cloudmr.storage.errors
from asgi import TestClient
from bench import BRAIN_URL, Bench
from cloudmr.api.app import build_app
from cloudmr.api.body_limit import MAX_BODY_BYTES
from cloudmr.api.errors import STATUS, status_of
from cloudmr.errors import SettingsError, UnitUnavailable
from cloudmr.model.people import Caller
from cloudmr.services.brain import UnitLink
from cloudmr.storage.errors import StorageError
from mroptimum.errors import ExplainedError


def check_shape(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert body.keys() == {"code", "message", "next_step", "error", "request_id"}
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert all(isinstance(value, str) and value for value in body.values())
    assert body["error"] == body["message"]
    assert "Traceback" not in response.text
    return body


def kinds(module: ModuleType) -> set[type]:
    return {kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, ExplainedError)}


def test_every_error_that_a_request_can_bring_about_has_a_status() -> None:
    known = kinds(cloudmr.errors) | kinds(cloudmr.storage.errors)
    assert known - STATUS.keys() == {ExplainedError, StorageError, SettingsError}


def test_a_status_counts_for_what_is_derived() -> None:
    class Derived(cloudmr.errors.Conflict):
        """One more."""

    assert status_of(Derived("m", "n")) is HTTPStatus.CONFLICT
    assert status_of(ExplainedError("m", "n")) is HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("prefix", ["", "/Prod"])
@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "no_such_route"),
        ("GET", "/api/job/", 404, "no_such_route"),
        ("PUT", "/api/job", 405, "method_not_allowed"),
        ("DELETE", "/api/auth/login", 405, "method_not_allowed"),
        ("GET", "/api/job", 401, "not_signed_in"),
        ("POST", "/api/auth/login", 422, "invalid_request"),
        ("GET", "/api/job/job_1/document", 422, "invalid_request"),
        ("GET", "/objects/data/uploads/x", 403, "signature_refused"),
    ],
)
def test_errors_of_the_protocol(
    client: TestClient, prefix: str, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, f"{prefix}{path}", follow_redirects=True)
    assert (response.status_code, check_shape(response)["code"]) == (status, code)
    if status == 405:
        assert response.headers["Allow"]


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[]", b"\xff", b'{"email": "\\ud800", "password": "x"}', b"null", b"1" * 5000]
)
def test_bodies_that_are_none(client: TestClient, body: bytes) -> None:
    response = client.post("/api/auth/login", content=body, headers={"Content-Type": "application/json"})
    check_shape(response)
    assert response.status_code in {400, 422}


def test_deep_nesting_is_refused_and_no_harm(ada: tuple[TestClient, Caller]) -> None:
    body = b'{"task":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001
    response = ada[0].post("/api/job", content=body, headers={"Content-Type": "application/json"})
    check_shape(response)
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_has_a_size(ada: tuple[TestClient, Caller], is_announced: bool) -> None:
    body = b'{"alias": "' + b"x" * MAX_BODY_BYTES + b'"}'

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    response = ada[0].post(
        "/api/job", content=body if is_announced else pieces(), headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, check_shape(response)["code"]) == (413, "body_too_large")


def with_route(bench: Bench, fail: Any) -> FastAPI:
    app = build_app(bench.brain, local_storage=bench.storage)
    app.add_api_route("/fail", fail)
    return app


def test_the_unexpected_is_not_explained_to_strangers(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("a secret of the house")

    with TestClient(with_route(bench, fail), base_url=BRAIN_URL, raise_server_exceptions=False) as client:
        response = client.get("/fail")
    assert (response.status_code, check_shape(response)["code"]) == (500, "internal_error")
    assert "secret" not in response.text


def test_an_error_without_a_status_is_the_servers_own(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise SettingsError("a path of the house", "n")

    with TestClient(with_route(bench, fail), base_url=BRAIN_URL, raise_server_exceptions=False) as client:
        response = client.get("/fail")
    assert (response.status_code, check_shape(response)["code"]) == (500, "internal_error")
    assert "house" not in response.text
    assert "without a status" in caplog.text


def test_a_unit_that_is_away_is_no_fault_of_the_caller(ada: tuple[TestClient, Caller], bench: Bench) -> None:
    client, caller = ada
    data_file = bench.data_file(caller)

    def away(_: object) -> UnitLink:
        raise UnitUnavailable("The unit does not answer.", "Try again later.")

    client.app.state.brain = replace(bench.brain, connect=away)  # type: ignore[attr-defined]
    response = client.get(f"/api/data/{data_file.id}/download")
    assert (response.status_code, check_shape(response)["code"]) == (503, "unit_unavailable")
