"""The Brain put together as it is served: real settings, real server, real unit."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from asgi import TestClient
from bench import PASSWORD
from cloudmr.errors import Conflict, SettingsError
from cloudmr.services.administration import create_admin
from cloudmr.services.throttling import SIGN_IN
from cloudmr.settings import Settings
from cloudmr.wiring import _listen, create_app, on_the_server, running
from databases import ServerDatabases
from waiting import wait_until

CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}


def at(home: Path, **environment: str) -> Settings:
    return Settings.from_environment({"CLOUDMR_HOME": str(home), "CLOUDMR_PORT": "0", **environment})


def test_a_server_answers_and_its_links_lead_to_it(tmp_path: Path) -> None:
    with running(at(tmp_path)) as url, httpx.Client(base_url=url) as client:
        assert client.get("/healthz").json() == {"ok": True}
        assert client.get("/readyz").json() == {"ok": True}
        client.post("/api/auth/register", json=CREDENTIALS)
        token = client.post("/api/auth/login", json=CREDENTIALS).json()["id_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        started = client.post("/api/data/upload", json={"filename": "m", "size": 1}).json()
        parts = {"parts": [{"number": 1, "sha256": "A" * 43 + "="}]}
        [link] = client.post(f"/api/data/{started['data']['id']}/parts", json=parts).json()["links"]
        assert link["url"].startswith(f"{url}/objects/data/uploads/")
        assert "server" not in client.get("/healthz").headers
    assert {path.name for path in tmp_path.iterdir()} >= {"brain.sqlite", "brain.sqlite.lock", "secret-key", "storage"}


@pytest.mark.parametrize("is_left_open", [False, True])
def test_nobody_else_on_the_machine_reads_the_database(tmp_path: Path, is_left_open: bool) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere):
        folder.mkdir(mode=0o755)
    if is_left_open:
        for name in ("brain.sqlite", "brain.sqlite.lock"):
            (elsewhere / name).touch(mode=0o644)
    with running(at(home, DATABASE_URL=f"sqlite:///{elsewhere / 'brain.sqlite'}")) as url:
        httpx.post(f"{url}/api/auth/register", json=CREDENTIALS)
        files = [*elsewhere.iterdir(), home / "secret-key"]
        assert {file.name for file in files} >= {"brain.sqlite", "brain.sqlite-wal", "brain.sqlite-shm", "secret-key"}
        assert {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in files} == {
            file.name: "0o600" for file in files
        }


def test_nobody_chooses_the_address_they_are_counted_under(tmp_path: Path) -> None:
    with running(at(tmp_path)) as url, httpx.Client(base_url=url) as client:
        client.post("/api/auth/register", json=CREDENTIALS)
        wrong = {**CREDENTIALS, "password": "wrong password"}
        for number in range(SIGN_IN.limit + 1):
            answer = client.post("/api/auth/login", json=wrong, headers={"X-Forwarded-For": f"192.0.2.{number}"})
        assert answer.status_code == 429
    with sqlite3.connect(tmp_path / "brain.sqlite") as connection:
        addresses = {address for (address,) in connection.execute("SELECT address FROM audit_events")}
    connection.close()
    assert addresses == {"127.0.0.1"}


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    with running(at(tmp_path)) as url:
        httpx.post(f"{url}/api/auth/register", json=CREDENTIALS)
        token = httpx.post(f"{url}/api/auth/login", json=CREDENTIALS).json()["id_token"]
    with running(at(tmp_path)) as url:
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{url}/api/auth/profile", headers=headers).status_code == 200
        units = httpx.get(f"{url}/api/computing-unit/list", headers=headers).json()["computingUnits"]
        assert len(units) == 1


def test_links_carry_the_public_address(tmp_path: Path) -> None:
    settings = at(tmp_path, CLOUDMR_PUBLIC_URL="https://brain.example.org/Prod")
    with running(settings) as url:
        assert url == "https://brain.example.org/Prod"


def test_a_home_serves_one_brain(tmp_path: Path) -> None:
    with running(at(tmp_path)), pytest.raises(Conflict, match="Another CloudMR Brain"), running(at(tmp_path)):
        pass


def test_two_homes_do_not_share_a_database(tmp_path: Path) -> None:
    shared = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    with (
        running(at(tmp_path / "a", DATABASE_URL=shared)),
        pytest.raises(Conflict, match=r"shared\.sqlite"),
        running(at(tmp_path / "b", DATABASE_URL=shared)),
    ):
        pass


def test_a_database_that_cannot_be_is_explained(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match="cannot be used"),
        running(at(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'no' / 'brain.sqlite'}")),
    ):
        pass
    (tmp_path / "brain.sqlite").write_text("this was never a database" * 100)
    with pytest.raises(SettingsError, match="does not answer"), running(at(tmp_path)):
        pass


def test_a_port_that_is_taken_is_explained(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(SettingsError, match=port), running(at(tmp_path, CLOUDMR_PORT=port)):
            pass


def test_no_answer_waits_for_the_client_to_confirm_its_beginning() -> None:
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_brains_with_a_server_in_common_have_their_home_in_common(
    server_databases: ServerDatabases, tmp_path: Path
) -> None:
    shared = server_databases.lend()
    with running(at(tmp_path / "a", DATABASE_URL=shared)) as first, running(at(tmp_path / "a", DATABASE_URL=shared)):
        assert httpx.get(f"{first}/readyz").json() == {"ok": True}
        with (
            pytest.raises(Conflict, match="another home"),
            running(at(tmp_path / "b", DATABASE_URL=shared)),
        ):
            pass
        with running(
            at(tmp_path / "b", DATABASE_URL=shared, CLOUDMR_LOCAL_UNIT="off", CLOUDMR_SECRET_KEY="k" * 32)
        ) as elsewhere:
            assert httpx.get(f"{elsewhere}/readyz").json() == {"ok": True}
    server_databases.take_back(shared)


def test_brains_without_a_common_home_need_a_common_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="one secret key"), running(at(tmp_path, CLOUDMR_LOCAL_UNIT="off")):
        pass


def test_an_application_for_another_server(tmp_path: Path) -> None:
    app = create_app(at(tmp_path, CLOUDMR_PORT="8000"))
    with TestClient(app) as client:
        assert client.get("/Prod/readyz").json() == {"ok": True}
    with TestClient(create_app(at(tmp_path, CLOUDMR_PORT="8000"))) as client:
        assert client.get("/readyz").status_code == 200


def test_it_is_not_ready_with_a_database_of_another_shape(tmp_path: Path) -> None:
    with running(at(tmp_path)) as url:
        with sqlite3.connect(tmp_path / "brain.sqlite") as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'other'")
        connection.close()
        answer = httpx.get(f"{url}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ok": False})


PROGRAM = """
import os
from cloudmr.settings import Settings
from cloudmr.wiring import serve
serve(Settings.from_environment(os.environ), ready=lambda url: print(url, flush=True))
print("closed", flush=True)
"""


def waiting_job(client: httpx.Client, home: Path) -> str:
    """Submit a job that waits for ever, because its unit is ill; return its address."""
    with sqlite3.connect(home / "brain.sqlite") as connection:
        connection.execute("UPDATE units SET status = 'unwell'")
    connection.close()
    client.post("/api/auth/register", json=CREDENTIALS)
    token = client.post("/api/auth/login", json=CREDENTIALS).json()["id_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    data = client.post("/api/data/upload", json={"filename": "m", "size": 1}).json()["data"]
    parts = {"parts": [{"number": 1, "sha256": base64.b64encode(hashlib.sha256(b"x").digest()).decode()}]}
    [link] = client.post(f"/api/data/{data['id']}/parts", json=parts).json()["links"]
    httpx.put(link["url"], content=b"x")
    client.post(f"/api/data/{data['id']}/complete")
    reference = {"type": "file", "options": {"type": "s3", "filename": "m", "bucket": "data", "key": data["key"]}}
    task = {"name": "ac", "options": {"reconstructor": {"name": "rss", "options": {"signal": reference}}}}
    return f"/api/job/{client.post('/api/job', json={'task': task}).json()['jobId']}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_with_somebody_following_a_job(tmp_path: Path, number: int) -> None:
    environment = {**os.environ, "CLOUDMR_HOME": str(tmp_path), "CLOUDMR_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        with httpx.Client(base_url=process.stdout.readline().strip()) as client:
            job = waiting_job(client, tmp_path)
            with client.stream("GET", f"{job}/events") as stream:
                lines = stream.iter_lines()
                assert next(lines) == "event: state"
                process.send_signal(number)
                assert "event: end" not in list(lines)
        assert process.stdout.read() == "closed\n"
        assert process.wait() == 0


def test_a_command_on_the_server_works_before_the_first_brain_and_beside_one(tmp_path: Path) -> None:
    settings = at(tmp_path)
    with on_the_server(settings) as brain:
        create_admin(brain, email="root@example.org", password=PASSWORD)
    assert stat.S_IMODE((tmp_path / "brain.sqlite").stat().st_mode) == 0o600
    with running(settings) as url, httpx.Client(base_url=url) as client:
        with on_the_server(settings) as brain:
            create_admin(brain, email="second@example.org", password=PASSWORD)
        for email in ("root@example.org", "second@example.org"):
            session = client.post("/api/auth/login", json={"email": email, "password": PASSWORD}).json()
            signed_in = {"Authorization": f"Bearer {session['id_token']}"}
            assert client.get("/api/admin/users", headers=signed_in).status_code == 200


def test_a_command_on_the_server_changes_no_database_under_a_brain_of_another_release(tmp_path: Path) -> None:
    settings = at(tmp_path)
    with running(settings):
        with sqlite3.connect(tmp_path / "brain.sqlite") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.close()
        with pytest.raises(Conflict) as refused, on_the_server(settings):
            pass
        assert refused.value.instance_code == "brain_already_running"


def test_mails_wait_in_the_home_where_there_is_no_server_for_them(tmp_path: Path) -> None:
    with running(at(tmp_path)) as url, httpx.Client(base_url=url) as client:
        client.post("/api/auth/register", json=CREDENTIALS)
        client.post("/api/auth/forgot-password", json={"email": CREDENTIALS["email"]})
        mail = wait_until(lambda: next((tmp_path / "outbox").glob("*.eml"), None), what="the mail")
        assert stat.S_IMODE(mail.stat().st_mode) == 0o600
        assert b"To: ada@example.org" in mail.read_bytes()


def test_a_brain_that_is_to_reach_aws_and_cannot_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudmr.wiring.find_spec", lambda _: None)
    arn = "arn:aws:iam::262361552878:role/cloudmr-brain"
    with pytest.raises(SettingsError, match="CLOUDMR_BRAIN_PRINCIPAL_ARN") as refused:
        create_app(at(tmp_path, CLOUDMR_PORT="8000", CLOUDMR_BRAIN_PRINCIPAL_ARN=arn))
    assert "pip install 'mroptimum[server,aws]'" in refused.value.next_step


UNIT_IN_AWS = """
import sys
sys.modules["boto3"] = None
from datetime import UTC, datetime
from pathlib import Path
from cloudmr.errors import UnitUnavailable
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode, Provider, UnitStatus
from cloudmr.settings import Settings
from cloudmr.wiring import on_the_server
unit = ComputingUnit(
    id="unit_1", owner_id="user_1", app_name=APP_NAME, mode=Mode.MODE_2, provider=Provider.USER, alias="my own",
    status=UnitStatus.READY, is_default=True, data_bucket="data", results_bucket="results", failed_bucket="failed",
    created_at=datetime(2026, 1, 1, tzinfo=UTC), aws_account_id="123456789012", region="us-east-1",
)
with on_the_server(Settings.from_environment({"CLOUDMR_HOME": sys.argv[1]})) as brain:
    try:
        brain.connect(unit)
    except UnitUnavailable as error:
        print(error.next_step)
"""


def test_a_unit_in_aws_is_out_of_reach_of_a_brain_without_what_reaches_it(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", UNIT_IN_AWS, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stdout == "The operator of CloudMR Brain installs it: pip install 'mroptimum[server,aws]'\n", ended
