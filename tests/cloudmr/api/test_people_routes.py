"""Accounts, tokens, trails and administration as HTTP has them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgi import TestClient
from bench import BRAIN_URL, PASSWORD, Bench
from cloudmr.api.app import build_app
from cloudmr.model.proxies import parse_networks
from cloudmr.services.deliver_messages import deliver_messages
from house import House

ADA = {"email": "ada@example.org", "password": PASSWORD}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "bench", is_watched=False, confirms_addresses=True)
    yield bench
    bench.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    with house.client:
        yield house
    house.bench.close()


def last_code(bench: Bench) -> str:
    while deliver_messages(bench.brain):
        pass
    found = re.search(r"#([0-9a-f]{64})", bench.mail.arrived[-1].body)
    assert found is not None
    return found[1]


def test_from_the_mail_to_a_session_and_through_a_reset(client: TestClient, bench: Bench) -> None:
    registered = client.post("/api/auth/register", json=ADA)
    assert (registered.status_code, registered.json()["status"]) == (201, "pending")
    refused = client.post("/api/auth/login", json=ADA)
    assert (refused.status_code, refused.json()["code"]) == (403, "account_not_active")
    confirmed = client.post("/api/auth/confirm", json={"token": last_code(bench), "password": PASSWORD})
    assert (confirmed.status_code, confirmed.json()) == (200, {"success": True})
    assert client.post("/api/auth/login", json=ADA).status_code == 200

    for path in ("forgot-password", "resend-confirmation"):
        answers = [
            client.post(f"/api/auth/{path}", json={"email": email}) for email in (ADA["email"], "nobody@example.org")
        ]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].json() == answers[1].json()
    code = last_code(bench)
    other = "another horse entirely"
    assert client.post("/api/auth/reset-password", json={"token": code, "new_password": other}).status_code == 200
    assert client.post("/api/auth/login", json=ADA).status_code == 401
    assert client.post("/api/auth/login", json=ADA | {"password": other}).status_code == 200


def test_registering_a_known_address_has_the_answer_of_an_unknown_one(client: TestClient, bench: Bench) -> None:
    first = client.post("/api/auth/register", json=ADA)
    again = client.post("/api/auth/register", json=ADA)
    assert (first.status_code, first.json().keys()) == (again.status_code, again.json().keys())
    varying = {"user_id", "created_at"}
    fixed = [{name: value for name, value in each.json().items() if name not in varying} for each in (first, again)]
    assert fixed[0] == fixed[1]


@pytest.mark.parametrize("email", ["a@b.org\r\nBcc: eve@b.org", "a@b.org,eve@b.org", "Eve <eve@b.org>"])
def test_no_mail_goes_where_an_address_smuggles_it(client: TestClient, bench: Bench, email: str) -> None:
    assert client.post("/api/auth/register", json={"email": email, "password": PASSWORD}).status_code == 400
    for path in ("forgot-password", "resend-confirmation"):
        assert client.post(f"/api/auth/{path}", json={"email": email}).status_code == 202
    assert deliver_messages(bench.brain) == 0


def test_a_token_is_shown_once(house: House) -> None:
    with_session = {"Authorization": f"Bearer {house.session()}"}
    made = house.client.post("/api/token", json={"name": "x", "scope": "read", "expires_in": 600}, headers=with_session)
    assert made.status_code == 201
    secret = made.json()["token"]
    listed = house.client.get("/api/token", headers=with_session)
    assert secret not in listed.text
    with_token = {"Authorization": f"Bearer {secret}"}
    assert house.client.get("/api/auth/profile", headers=with_token).status_code == 200
    refused = house.client.post("/api/token", json={"name": "y", "scope": "read"}, headers=with_token)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_scope")


def test_a_trail_is_exported_whole_and_safe_for_spreadsheets(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.session()}"}
    house.client.post("/api/token", json={"name": "=1+1", "scope": "read"}, headers=headers)
    exported = house.client.get("/api/auth/audit/export", headers=headers)
    assert exported.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert exported.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    listed = house.client.get("/api/auth/audit?limit=200", headers=headers).json()["events"]
    assert [int(row["number"]) for row in rows] == [entry["number"] for entry in listed]
    as_json = house.client.get("/api/auth/audit/export?format=json", headers=headers).json()
    assert as_json == listed
    assert rows[0]["reason"] == "read: =1+1"


def test_administrators_see_what_nobody_else_does(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.session(house.owner_with_rights())}"}
    page = house.client.get("/api/admin/users?limit=1", headers=headers).json()
    assert len(page["users"]) == 1
    assert (
        page["users"][0]["user_id"]
        != house.client.get(f"/api/admin/users?limit=1&before={page['next']}", headers=headers).json()["users"][0][
            "user_id"
        ]
    )
    path = f"/api/admin/users/{house.things.user_id}"
    set_apart = house.client.put(f"{path}/limits", json={"n_monthly": 7}, headers=headers).json()
    assert (set_apart["limits"]["n_monthly"], set_apart["limits"]["n_running"]) == (7, 2)
    assert house.client.post(f"{path}/suspend", json={}, headers=headers).status_code == 400
    assert house.client.post(f"{path}/suspend", json={"reason": "x"}, headers=headers).json()["status"] == "suspended"
    trail = house.client.get(f"/api/admin/audit?user_id={house.things.user_id}", headers=headers).json()["events"]
    assert [entry["action"] for entry in trail[:2]] == ["account:suspended", "account:limited"]
    assert house.client.get("/api/admin/failures", headers=headers).json() == {"jobs": [], "by_code": {}, "next": None}


@pytest.mark.parametrize(("trusted", "expected"), [("", "testclient"), ("0.0.0.0/0", "testclient")])
def test_the_address_in_the_trail_is_the_connections_unless_a_proxy_is_trusted(
    bench: Bench, trusted: str, expected: str
) -> None:
    app = build_app(bench.brain, local_storage=None, trusted_proxies=parse_networks(trusted))
    with TestClient(app, base_url=BRAIN_URL) as client:
        client.post("/api/auth/register", json=ADA, headers={"X-Forwarded-For": "198.51.100.7"})
    assert last_address(bench) == expected


def test_a_trusted_proxys_word_counts(bench: Bench) -> None:
    app = build_app(bench.brain, local_storage=None, trusted_proxies=parse_networks("192.0.2.1"))
    with TestClient(app, base_url=BRAIN_URL, client=("192.0.2.1", 4711)) as client:
        client.post("/api/auth/register", json=ADA, headers={"X-Forwarded-For": "1.2.3.4, 198.51.100.7"})
    assert last_address(bench) == "198.51.100.7"


def last_address(bench: Bench) -> str | None:
    with bench.brain.database.read() as transaction:
        account = transaction.accounts.by_email(ADA["email"])
        assert account is not None
        return transaction.accounts.audit_trail(account.id, limit=1)[0].address
