"""Requests leave traces that tell what was asked for, and give nothing away."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

import pytest

from asgi import TestClient
from bench import BRAIN_URL, PASSWORD, Bench
from cloudmr.api.app import build_app
from cloudmr.api.request_log import NO_ROUTE
from cloudmr.model.people import Caller
from cloudmr.services.data_files import download_data


def said(caplog: pytest.LogCaptureFixture) -> str:
    """Return what the Brain said; the client of these tests talks, too."""
    return "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("cloudmr"))


def access_lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "cloudmr.access"]


@pytest.mark.parametrize("prefix", ["", "/Prod"])
def test_a_line_names_the_route_and_not_the_address(
    ada: tuple[TestClient, Caller], bench: Bench, caplog: pytest.LogCaptureFixture, prefix: str
) -> None:
    client, caller = ada
    data_file = bench.data_file(caller)
    with caplog.at_level(logging.INFO):
        client.get(f"{prefix}/api/data/{data_file.id}?secret=yes")
    [line] = access_lines(caplog)
    assert line.getMessage() == "GET /api/data/{data_id} 200"
    assert data_file.id not in said(caplog)
    assert "secret" not in said(caplog)


def test_signed_addresses_and_passwords_stay_out_of_the_log(
    ada: tuple[TestClient, Caller], bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    client, caller = ada
    link = urlsplit(download_data(bench.brain, caller, bench.data_file(caller).id).url)
    with caplog.at_level(logging.DEBUG):
        assert client.get(f"{link.path}?{link.query}").status_code == 200
        client.post("/api/auth/login", json={"email": "person1@example.org", "password": PASSWORD})
        client.get("/api/shared/a-secret-of-a-link")
    assert [line.getMessage() for line in access_lines(caplog)] == [
        "GET /objects/{bucket}/{key:path} 200",
        "POST /api/auth/login 200",
        "GET /api/shared/{secret} 404",
    ]
    for secret in ("signature", link.path, PASSWORD, "a-secret-of-a-link"):
        assert secret not in said(caplog)


def test_what_is_nowhere_is_one_route(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        client.get("/wp-admin.php")
    [line] = access_lines(caplog)
    assert line.getMessage() == f"GET {NO_ROUTE} 404"


def test_an_error_carries_the_id_of_its_request(client: TestClient) -> None:
    given = client.get("/api/job", headers={"X-Request-Id": "from-the-proxy-1"})
    assert given.headers["X-Request-Id"] == given.json()["request_id"] == "from-the-proxy-1"
    made = client.get("/api/job")
    assert made.headers["X-Request-Id"] == made.json()["request_id"] != "from-the-proxy-1"
    assert len(client.get("/healthz").headers["X-Request-Id"]) == 16


def test_a_mistake_of_ours_carries_it_too(
    ada: tuple[TestClient, Caller], bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the code")

    monkeypatch.setattr("cloudmr.api.units.list_units", broken)
    with caplog.at_level(logging.INFO):
        answer = ada[0].get("/api/computing-unit/list")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"]
    assert "a secret of the code" not in answer.text
    [line] = access_lines(caplog)
    assert line.getMessage() == "GET /api/computing-unit/list 500"


def test_pages_elsewhere_may_ask_if_they_were_allowed_to(bench: Bench) -> None:
    asked = {"Origin": "https://page.example.org", "Access-Control-Request-Method": "POST"}
    for origins, allowed in (((), None), (("https://page.example.org",), "https://page.example.org")):
        app = build_app(bench.brain, local_storage=bench.storage, allowed_origins=origins)
        with TestClient(app, base_url=BRAIN_URL) as client:
            answer = client.options("/api/job", headers=asked)
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert "access-control-allow-credentials" not in answer.headers
            other = client.get("/healthz", headers={"Origin": "https://other.example.org"})
            assert "access-control-allow-origin" not in other.headers
