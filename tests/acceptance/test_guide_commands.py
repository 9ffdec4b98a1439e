"""The commands that the guides of the two modes give, against a Brain of ours: as they stand, and by their content.

export CLOUDMR_API_URL=… CLOUDMR_EMAIL=… CLOUDMR_PASSWORD=…
export ID_TOKEN=$(curl -s -X POST "$CLOUDMR_API_URL/api/auth/login" …
curl -s -H "Authorization: Bearer $ID_TOKEN" "$CLOUDMR_API_URL/api/computing-unit/list?app_name=MR%20Optimum" | jq .
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from real_brain import PASSWORD, RealBrain

Ask = Callable[[str, str, str], Any]

LOGIN = """
export ID_TOKEN=$(curl -s -X POST "$CLOUDMR_API_URL/api/auth/login" \\
  -H "Content-Type: application/json" \\
  -d "{\\"email\\":\\"$CLOUDMR_EMAIL\\",\\"password\\":\\"$CLOUDMR_PASSWORD\\"}" | jq -r '.id_token')
"""
LIST = """
curl -s -H "Authorization: Bearer $ID_TOKEN" \\
  "$CLOUDMR_API_URL/api/computing-unit/list?app_name=MR%20Optimum" | jq .
"""


def by_content(url: str, email: str, password: str) -> Any:
    """Make the requests that the commands make."""
    with httpx.Client() as http:
        body = f'{{"email":"{email}","password":"{password}"}}'
        login = http.post(f"{url}/api/auth/login", content=body, headers={"Content-Type": "application/json"})
        token = login.json().get("id_token", "null")
        return http.get(
            f"{url}/api/computing-unit/list?app_name=MR%20Optimum", headers={"Authorization": f"Bearer {token}"}
        ).json()


def by_shell(url: str, email: str, password: str) -> Any:
    """Run the commands as they stand in the guide."""
    variables = {"CLOUDMR_API_URL": url, "CLOUDMR_EMAIL": email, "CLOUDMR_PASSWORD": password}
    done = subprocess.run(
        ["bash", "-c", f"set -e{LOGIN}{LIST}"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


WAYS = [by_content, by_shell]


@pytest.fixture(scope="module")
def email(real_brain: RealBrain) -> str:
    return real_brain.new_email()


@pytest.mark.parametrize("prefix", ["", "/Prod"])
@pytest.mark.parametrize("ask", WAYS)
def test_the_units_are_listed(real_brain: RealBrain, email: str, ask: Ask, prefix: str) -> None:
    [unit] = ask(f"{real_brain.url}{prefix}", email, PASSWORD)["computingUnits"]
    assert (unit["mode"], unit["provider"]) == ("mode_1", "cloudmrhub")
    assert {"computingUnitId", "awsAccountId", "region", "alias", "status", "lastCheckedAt"} <= unit.keys()


@pytest.mark.parametrize("ask", WAYS)
def test_a_wrong_password_lists_nothing(real_brain: RealBrain, email: str, ask: Ask) -> None:
    answer = ask(real_brain.url, email, "wrong horse battery")
    assert answer.keys() >= {"code", "message", "next_step"}
    assert "computingUnits" not in answer


def test_a_login_answers_what_scripts_look_for(real_brain: RealBrain, email: str) -> None:
    answer = httpx.post(f"{real_brain.url}/api/auth/login", json={"email": email, "password": PASSWORD}).json()
    assert answer.keys() == {
        "success",
        "id_token",
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
        "user_id",
    }
    assert answer["success"] is True
    assert answer["token_type"] == "Bearer"
