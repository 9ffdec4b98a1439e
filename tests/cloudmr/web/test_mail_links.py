from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import PASSWORD, Bench
from cloudmr.services.deliver_messages import deliver_messages
from page_readers import OpenPages

EMAIL = "ada@example.org"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, is_watched=False, confirms_addresses=True)
    yield bench
    bench.close()


def last_secret(bench: Bench) -> str:
    while deliver_messages(bench.brain):
        pass
    found = re.search(r"#([0-9a-f]{64})$", bench.mail.arrived[-1].body, re.MULTILINE)
    assert found is not None
    return found[1]


def test_an_account_begins_when_the_link_in_the_mail_was_opened_with_its_password(
    bench: Bench, open_pages: OpenPages
) -> None:
    client = open_pages(bench)
    account = {"email": EMAIL, "password": PASSWORD}
    assert "Look into your mail" in client.post("/register", data=account).text
    refused = client.post("/sign-in", data=account)
    assert refused.status_code == 422
    assert "account_not_active" in refused.text
    assert 'href="/confirm-again"' in refused.text
    assert "If there is such an account" in client.post("/confirm-again", data={"email": EMAIL}).text
    secret = last_secret(bench)
    wrong = client.post("/confirm", data={"token": secret, "password": "not the password"})
    assert (wrong.status_code, "wrong_credentials" in wrong.text) == (422, True)
    assert "Your address is confirmed." in client.post("/confirm", data={"token": secret, "password": PASSWORD}).text
    assert "<h1>Home</h1>" in client.post("/sign-in", data=account).text


def test_forms_of_other_sites_are_not_taken(bench: Bench, open_pages: OpenPages) -> None:
    client = open_pages(bench)
    for path in ("/confirm", "/confirm-again", "/forgot-password", "/reset-password"):
        refused = client.post(path, data={"email": EMAIL}, headers={"Sec-Fetch-Site": "cross-site"})
        assert (refused.status_code, "csrf_refused" in refused.text) == (403, True)
        assert client.get(path).status_code == 200
