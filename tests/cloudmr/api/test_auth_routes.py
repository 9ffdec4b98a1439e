from __future__ import annotations

import pytest

from asgi import TestClient
from bench import PASSWORD, Bench
from cloudmr.model.people import Caller
from cloudmr.model.tokens import ACCESS_LIFETIME
from cloudmr.services.throttling import SIGN_IN

CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_from_register_to_logout(client: TestClient, prefix: str) -> None:
    registered = client.post(f"{prefix}/api/auth/register", json=CREDENTIALS)
    assert registered.status_code == 201
    account = registered.json()
    assert account.keys() == {"user_id", "email", "name", "status", "is_admin", "created_at"}
    assert (account["email"], account["status"], account["is_admin"]) == ("ada@example.org", "active", False)

    login = client.post(f"{prefix}/api/auth/login", json=CREDENTIALS)
    assert login.status_code == 200
    assert login.headers["Cache-Control"] == "no-store"
    assert login.headers["X-Content-Type-Options"] == "nosniff"
    session = login.json()
    assert session.keys() == {
        "success",
        "id_token",
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
        "user_id",
    }
    assert session["success"] is True
    assert session["id_token"] == session["access_token"]
    assert (session["token_type"], session["expires_in"]) == ("Bearer", ACCESS_LIFETIME.total_seconds())
    assert session["user_id"] == account["user_id"]

    signed_in = {"Authorization": f"Bearer {session['id_token']}"}
    assert client.get(f"{prefix}/api/auth/profile", headers=signed_in).json() == account
    assert client.post(f"{prefix}/api/auth/logout", headers=signed_in).json() == {"success": True}
    assert client.get(f"{prefix}/api/auth/profile", headers=signed_in).status_code == 401


def test_a_session_is_renewed(client: TestClient) -> None:
    client.post("/api/auth/register", json=CREDENTIALS)
    first = client.post("/api/auth/login", json=CREDENTIALS).json()
    second = client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert second.json().keys() == first.keys()
    again = client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (again.status_code, again.json()["code"]) == (401, "token_expired")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: TestClient) -> None:
    client.post("/api/auth/register", json=CREDENTIALS)
    wrong = client.post("/api/auth/login", json=CREDENTIALS | {"password": "wrong password"})
    unknown = client.post("/api/auth/login", json=CREDENTIALS | {"email": "bob@example.org"})
    assert wrong.status_code == unknown.status_code == 401
    # The number of the request is all that tells the two apart.
    wrong_id, unknown_id = (answer.json()["request_id"].encode() for answer in (wrong, unknown))
    assert wrong.content.replace(wrong_id, b"") == unknown.content.replace(unknown_id, b"")
    assert wrong.json()["code"] == "wrong_credentials"
    differing = {"content-length", "x-request-id"}
    assert {name: value for name, value in wrong.headers.items() if name not in differing} == {
        name: value for name, value in unknown.headers.items() if name not in differing
    }


def test_guessing_is_told_when_to_come_back(client: TestClient, bench: Bench) -> None:
    client.post("/api/auth/register", json=CREDENTIALS)
    for _ in range(SIGN_IN.limit):
        client.post("/api/auth/login", json=CREDENTIALS | {"password": "wrong password"})
    refused = client.post("/api/auth/login", json=CREDENTIALS)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_tries")
    wait_s = int(refused.headers["Retry-After"])
    assert 0 < wait_s <= SIGN_IN.window.total_seconds()
    bench.clock.advance(seconds=wait_s)
    assert client.post("/api/auth/login", json=CREDENTIALS).status_code == 200


def test_an_account_is_made_once(client: TestClient) -> None:
    client.post("/api/auth/register", json=CREDENTIALS)
    again = client.post("/api/auth/register", json=CREDENTIALS)
    assert (again.status_code, again.json()["code"]) == (409, "account_exists")


def test_what_is_wrong_with_a_registration_never_quotes_the_password(client: TestClient) -> None:
    for body in ({"email": 3, "password": "s3cret-s3cret"}, {"password": "s3cret-s3cret"}, ["s3cret-s3cret"]):
        refused = client.post("/api/auth/register", json=body)
        assert refused.status_code == 422
        assert "s3cret" not in refused.text


def test_a_token_in_another_scheme_is_none(client: TestClient, ada: tuple[TestClient, Caller]) -> None:
    token = ada[0].headers["Authorization"].removeprefix("Bearer ")
    for header in ("Basic abc", "Bearer", token):
        refused = client.get("/api/auth/profile", headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
