"""Prefect's server as a contender, in an environment of its own (`make bench` makes it).

Asked for is a run of a deployment whose flow does nothing; a worker of type `process` runs it, or the flow's own
`serve`. Both ask the server again and again for what to run: every 10 s by default, and here every so many seconds.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.brain.contender import Connection, Contender, Request, Standing

PROGRAMS = Path(__file__).parents[2] / ".venv-prefect" / "bin"
_START_S = 180
_STOP_S = 30
_AUTH = "bench:correct horse battery"
_POOL = "bench"
_ENDS = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
_FLOW = """
import sys
from prefect import flow

@flow
def nothing():
    return None

if __name__ == "__main__":
    nothing.serve(name="served")
"""


class Prefect(Contender):
    """A running Prefect server with a deployment."""

    name = "Prefect"

    def __init__(self, process: psutil.Process, port: int, folder: Path, database: str) -> None:
        self.process = process
        self.port = port
        self.database = database
        self._folder = folder
        credentials = base64.b64encode(_AUTH.encode()).decode()
        self.headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
        self._deployment_id = ""

    def prepare(self) -> None:
        """Make the deployment."""
        flow = self._post("/flows/", {"name": "nothing"})
        self._post("/work_pools/", {"name": _POOL, "type": "process"})
        deployment = {
            "name": "worked",
            "flow_id": flow["id"],
            "work_pool_name": _POOL,
            "path": str(self._folder),
            "entrypoint": "nothing.py:nothing",
        }
        self._deployment_id = self._post("/deployments/", deployment)["id"]

    def submission(self, key: str) -> Request:
        """Return the request that asks for a run."""
        body = json.dumps({"parameters": {}, "idempotency_key": key}).encode()
        path = f"/api/deployments/{self._deployment_id}/create_flow_run"
        return Request(method="POST", path=path, headers=self.headers, body=body)

    def job_id(self, answer: Any) -> str:
        """Return the id of the run."""
        return str(answer["id"])

    def look(self, job_id: str) -> Request:
        """Return the request that asks how a run stands."""
        return Request(method="GET", path=f"/api/flow_runs/{job_id}", headers=self.headers)

    def standing(self, answer: Any) -> Standing:
        """Return what its answer says."""
        started = answer["start_time"]
        return Standing(
            started_at=datetime.fromisoformat(started) if started else None, has_ended=answer["state_type"] in _ENDS
        )

    @contextmanager
    def worker(self, ask_every_s: float) -> Iterator[None]:
        """Have a worker run what is asked for while the block runs."""
        options = {"PREFECT_WORKER_QUERY_SECONDS": str(ask_every_s)}
        with self._beside(["prefect", "worker", "start", "--pool", _POOL, "--type", "process"], options):
            self._await(f"/work_pools/{_POOL}/workers/filter", lambda found: bool(found))
            yield

    @contextmanager
    def served(self, ask_every_s: int) -> Iterator[None]:
        """Have the flow serve itself while the block runs, which makes a deployment of its own."""
        before = self._deployment_id
        with self._beside(["python", "nothing.py"], {"PREFECT_RUNNER_POLL_FREQUENCY": str(ask_every_s)}):
            wanted = {"deployments": {"name": {"any_": ["served"]}}}
            found = self._await("/deployments/filter", lambda found: bool(found), wanted)
            self._deployment_id = found[0]["id"]
            try:
                yield
            finally:
                self._deployment_id = before

    def _await(self, path: str, is_there: Any, body: object = None) -> Any:
        give_up_at_s = time.monotonic() + _START_S
        while time.monotonic() < give_up_at_s:
            found = self._post(path, body or {})
            if is_there(found):
                return found
            time.sleep(0.2)
        raise RuntimeError(f"nothing came to {path}")

    @contextmanager
    def _beside(self, command: list[str], options: dict[str, str]) -> Iterator[None]:
        process = _begin(command, self._folder, environment(self._folder, self.port) | options)
        try:
            yield
        finally:
            _end(process)

    def _post(self, path: str, body: object) -> Any:
        connection = Connection(self.host, self.port)
        try:
            return connection.ask(
                Request(method="POST", path=f"/api{path}", headers=self.headers, body=json.dumps(body).encode())
            )
        finally:
            connection.close()


def is_installed() -> bool:
    """Tell whether there is a Prefect to measure."""
    return (PROGRAMS / "prefect").exists()


def environment(folder: Path, port: int) -> dict[str, str]:
    """Return the environment of everything of Prefect's here: it keeps to its folder, and calls nobody."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://{Contender.host}:{port}/api",
        "PREFECT_API_AUTH_STRING": _AUTH,
        "PREFECT_SERVER_API_AUTH_STRING": _AUTH,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Runs that nobody takes would be marked as late, one by one, while submissions are measured.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "86400",
    }


@contextmanager
def prefect_server(folder: Path, database_url: str) -> Iterator[Prefect]:
    """Run a Prefect server on a database while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nothing.py").write_text(_FLOW, encoding="utf-8")
    port = _free_port()
    variables = environment(folder, port) | {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_url.replace("postgresql://", "postgresql+asyncpg://")
    }
    command = ["prefect", "server", "start", "--host", Contender.host, "--port", str(port)]
    process = _begin(command, folder, variables)
    try:
        database = database_url.partition("?")[0].rpartition("/")[2]
        server = Prefect(psutil.Process(process.pid), port, folder, database)
        _await_answer(server, process)
        server.prepare()
        yield server
    finally:
        _end(process)


def _await_answer(server: Prefect, process: subprocess.Popen[bytes]) -> None:
    give_up_at_s = time.monotonic() + _START_S
    while time.monotonic() < give_up_at_s and process.poll() is None:
        connection = Connection(server.host, server.port)
        try:
            connection.ask(Request(method="GET", path="/api/health", headers=server.headers))
            return
        except (OSError, RuntimeError):
            time.sleep(0.2)
        finally:
            connection.close()
    raise RuntimeError("Prefect's server did not start; its log is in its folder")


def _begin(command: list[str], folder: Path, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    program, *arguments = command
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [str(PROGRAMS / program), *arguments],
            env=variables,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it started."""
    family = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(family, timeout=5)
    for each in left:
        each.kill()


def _free_port() -> int:
    with socket.create_server((Contender.host, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
