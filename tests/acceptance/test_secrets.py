"""Secrets of a whole life with CloudMR Brain, looked for in everything that is left of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import numpy as np
import psutil
import pytest

from cloudmr.cli.own_brain import own_brain
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import Refused
from cloudmr.model.callbacks import derive_secret, key_id_of
from cloudmr.model.jobs import JobState
from cloudmr.model.messages import derive_webhook_secret
from cloudmr.model.tokens import Scope
from mroptimum.flags import Flags
from small_job import raw_data
from waiting import wait_until

pytestmark = pytest.mark.slow

EMAIL = "somebody@example.org"
PASSWORD = "correct-horse-battery-1"
WRONG_PASSWORD = "wrong-horse-battery-2"
NEW_PASSWORD = "another-horse-entirely-3"


def run_job(client: BrainClient, raw: Path, commands: set[str]) -> str:
    """Run a job to its end, noting the command lines of every process meanwhile, and return its id."""
    job = client.submit(Flags(method="ac", reconstruction="rss").document(client.upload(raw).reference, None))
    for _ in client.follow(job.job_id):
        commands |= {" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])}
    return job.job_id


def everything_in(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder), path.read_bytes()


def reset_code(home: Path) -> str:
    """Wait for the mail, which is a file where there is no mail server."""

    def found() -> str | None:
        for mail in (home / "outbox").glob("*.eml"):
            if code := re.search(r"#([0-9a-f]{64})", mail.read_text().replace("=\n", "")):
                return code[1]
        return None

    return wait_until(found, what="the mail with the link")


def test_no_secret_is_left_anywhere_but_where_it_belongs(home: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    commands: set[str] = set()
    secrets = {"password": PASSWORD, "wrong password": WRONG_PASSWORD, "new password": NEW_PASSWORD}
    with own_brain(home) as address, BrainClient(address, folder=tmp_path / "client") as client:
        client.register(email=EMAIL, password=PASSWORD)
        with pytest.raises(Refused):
            client.log_in(email=EMAIL, password=WRONG_PASSWORD)
        session = client.log_in(email=EMAIL, password=PASSWORD)
        secrets |= {"access token": session.access_token, "refresh token": session.refresh_token or ""}
        for scope in (Scope.READ, Scope.UNIT_REGISTER):
            secrets[f"{scope} token"] = client.account.create_token(name="x", scope=scope).token

        good = run_job(client, raw_data(tmp_path / "good.npz", rng), commands)
        bad = run_job(client, raw_data(tmp_path / "bad.npz", rng, noise=False), commands)
        assert (client.job(good).status, client.job(bad).status) == (JobState.SUCCEEDED, JobState.FAILED)
        result = client.result(good)
        client.download_files(result, tmp_path / "results")
        assert result.package is not None
        secrets["signed address"] = dict(parse_qsl(urlsplit(result.package.url).query))["signature"]

        # A fault of the server's own would be told with its stack: here a request that breaks off in the middle.
        with pytest.raises(httpx.HTTPError), httpx.Client(base_url=address) as http:
            http.post("/api/auth/login", content=_broken(PASSWORD), headers={"Content-Type": "application/json"})

        client.account.forgot_password(email=EMAIL)
        secrets["code of the mail"] = reset_code(home)
        client.account.reset_password(secret=secrets["code of the mail"], new_password=NEW_PASSWORD)
        session = client.log_in(email=EMAIL, password=NEW_PASSWORD)
        secrets["second access token"] = session.access_token
        user_id = session.user_id

    key = (home / "secret-key").read_bytes()
    for job_id in (good, bad):
        attempt = derive_secret(key, job_id=job_id, attempt=1, key_id=key_id_of(key))
        secrets[f"callback secret of {job_id}"] = attempt
    secrets["secret key"] = key.decode()
    secrets["webhook secret"] = derive_webhook_secret(key, user_id)
    assert all(len(secret) >= 20 for secret in secrets.values())

    belongs = {("secret key", "secret-key"), ("code of the mail", "outbox")}
    found = [
        (name, str(path))
        for folder in (home, tmp_path / "results")
        for path, content in everything_in(folder)
        for name, secret in secrets.items()
        if secret.encode() in content and (name, path.parts[0]) not in belongs
    ]
    assert found == []
    assert any("cloudmr.worker" in command for command in commands)
    assert [name for name, secret in secrets.items() if any(secret in command for command in commands)] == []


def _broken(password: str) -> Iterator[bytes]:
    yield f'{{"email": "{EMAIL}", "password": "{password}'.encode()
    raise httpx.WriteError("the line is cut")
