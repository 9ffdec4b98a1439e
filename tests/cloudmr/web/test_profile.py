from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest

from bench import PASSWORD, Bench
from cloudmr.model.tokens import Scope
from cloudmr.services.sessions import authenticate
from page_readers import Reader, SignIn

OTHER = "another horse entirely"


def test_a_name_and_a_password_are_changed(ada: Reader, sign_in: SignIn) -> None:
    assert "The name is changed." in ada.send("/profile/name", name="Ada Lovelace")
    assert 'value="Ada Lovelace"' in ada.see("/profile")
    refused = ada.send("/profile/password", status=422, old_password="wrong", new_password=OTHER)
    assert "wrong_credentials" in refused
    assert "A password has 10" in ada.send("/profile/password", status=422, old_password=PASSWORD, new_password="short")
    assert "The password is changed." in ada.send("/profile/password", old_password=PASSWORD, new_password=OTHER)
    assert "Who you are" in ada.see("/profile"), "this session goes on"


def test_a_token_is_shown_once_listed_exported_and_revoked(bench: Bench, ada: Reader) -> None:
    made = ada.send("/profile/tokens", name="cluster in room 12", scope="job:write", expires_in=86400)
    found = re.search(r'<code id="secret">(cmr_[a-z2-7]+)</code>', made)
    assert found is not None
    authenticate(bench.brain, found[1], Scope.JOB_WRITE)
    later = ada.see("/profile/tokens")
    assert found[1] not in later
    assert "cluster in room 12" in later
    [row] = csv.DictReader(io.StringIO(ada.see("/profile/tokens/export")))
    assert (row["name"], row["scope"], row["spent_at"]) == ("cluster in room 12", "job:write", "")
    assert found[1] not in str(row)
    assert "good for nothing from now on" in ada.send(f"/profile/tokens/{row['id']}/revoke")
    assert "No token." in ada.see("/profile/tokens")


def test_a_token_for_a_registration_lives_an_hour_whatever_was_chosen(ada: Reader) -> None:
    assert "spent" not in ada.send("/profile/tokens", name="unit", scope="unit:register", expires_in=31536000)
    assert "1 to 100 characters" in ada.send("/profile/tokens", status=422, name=" ", scope="read", expires_in=86400)


def test_news_are_set_up_and_tried(bench: Bench, ada: Reader) -> None:
    assert "Saved." in ada.send("/profile/notifications", mail="never", webhook="always", webhook_url="")
    assert "nothing was sent" in ada.send("/profile/notifications/test")
    address = "https://lab.example.org/cloudmr"
    fields: dict[str, Any] = {"mail": "failure", "webhook": "always"}
    assert "whsec_" in ada.send("/profile/notifications", webhook_url=address, **fields)
    assert "on its way" in ada.send("/profile/notifications/test")
    refused = ada.send("/profile/notifications", status=422, webhook_url="http://localhost/", **fields)
    assert "webhook_url" in refused
    assert 'value="http://localhost/"' in refused, "what was typed can be mended"


def test_what_happened_is_listed_and_filtered(ada: Reader) -> None:
    ada.send("/profile/name", name="Ada")
    everything = ada.see("/profile/activity")
    assert "session opened" in everything
    assert "account renamed" in everything
    names = re.findall(r'<td class="name">([^<]+)</td>', ada.see("/profile/activity?action=account:renamed"))
    assert names == ["account renamed"]
    assert "account:renamed" in ada.see("/api/auth/audit/export?format=csv")


def test_an_account_is_deleted_with_its_password_only(ada: Reader) -> None:
    assert "wrong_credentials" in ada.send("/profile/delete", status=422, password="not this")
    assert "The account is deleted." in ada.send("/profile/delete", password=PASSWORD)
    assert "<h1>Sign in</h1>" in ada.see("/profile")


@pytest.mark.parametrize("path", ["/profile/name", "/profile/delete", "/profile/tokens", "/profile/notifications"])
def test_a_form_without_its_token_changes_nothing(ada: Reader, path: str) -> None:
    refused = ada.client.post(path, data={"name": "x", "password": PASSWORD, "mail": "never", "webhook": "never"})
    assert refused.status_code == 403
    assert "csrf_refused" in unescape(refused.text)
