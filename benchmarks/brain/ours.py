"""CloudMR Brain as a contender: `cloudmr serve` with a home of its own and one person."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.brain.contender import Connection, Contender, Request, Standing
from brain_process import BrainProcess
from cloudmr.cli.left_processes import end_processes_in
from cloudmr.client.brain import BrainClient
from mroptimum.flags import Flags
from mroptimum.task import TaskDocument
from small_job import raw_data

EMAIL, PASSWORD = "bench@example.org", "correct horse battery"
_PLENTY = "100000"
_START_S = 120
_ENDS = {"succeeded", "failed", "cancelled", "timed_out"}


class OwnBrain(Contender):
    """A running CloudMR Brain; its jobs are the analytic SNR of a disc, 32 x 32, four coils."""

    name = "CloudMR Brain"

    def __init__(self, brain: BrainProcess, folder: Path, database: str) -> None:
        self.url = brain.url
        self.port = int(brain.url.rpartition(":")[2])
        self.process = psutil.Process(brain.process.pid)
        self.database = database
        scan = raw_data(folder / "scan.npz", np.random.default_rng(0))
        with BrainClient(self.url, folder=folder / "client") as client:
            client.register(email=EMAIL, password=PASSWORD)
            self.token = client.log_in(email=EMAIL, password=PASSWORD).access_token
            self.reference = client.upload(scan).reference
        self.headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self._body = self.body(Flags(method="ac", reconstruction="rss"))

    def body(self, flags: Flags) -> bytes:
        """Return what is sent to ask for a job."""
        document: TaskDocument = flags.document(self.reference, None)
        return json.dumps({"app_name": "MR Optimum", "alias": "bench", **document.as_json()}).encode()

    def submission(self, key: str) -> Request:
        """Return the request that submits a job."""
        return Request(method="POST", path="/api/job", headers=self.headers | {"Idempotency-Key": key}, body=self._body)

    def job_id(self, answer: Any) -> str:
        """Return the id of the job that was submitted."""
        return str(answer["jobId"])

    def look(self, job_id: str) -> Request:
        """Return the request that asks how a job stands."""
        return Request(method="GET", path=f"/api/job/{job_id}", headers=self.headers)

    def standing(self, answer: Any) -> Standing:
        """Return what its answer says."""
        started = answer["startedAt"]
        return Standing(
            started_at=datetime.fromisoformat(started) if started else None, has_ended=answer["status"] in _ENDS
        )

    def occupy(self) -> None:
        """Fill the unit with a job that stands still, so that all others wait and take nothing from the server."""
        connection = Connection(self.host, self.port)
        long = Flags(method="pmr", reconstruction="rss", replicas=10_000)
        job = connection.ask(Request(method="POST", path="/api/job", headers=self.headers, body=self.body(long)))
        give_up_at_s = time.monotonic() + _START_S
        while not self.standing(told := connection.ask(self.look(self.job_id(job)))).started_at:
            if time.monotonic() > give_up_at_s:
                raise RuntimeError(f"the unit does not begin: {told['waitingReason']}")
            time.sleep(0.02)
        connection.close()
        for process in psutil.process_iter(["cmdline"]):
            if "cloudmr.worker.process" in (process.info["cmdline"] or ()) and self.job_id(job) in process.cwd():
                process.suspend()


@contextmanager
def own_brain(folder: Path, database_url: str, variables: Mapping[str, str] | None = None) -> Iterator[OwnBrain]:
    """Run a Brain on a database while the block runs; everything of it is ended with it."""
    home = folder / "home"
    settings = {
        "DATABASE_URL": database_url,
        "CLOUDMR_QUEUED_EACH": _PLENTY,
        "CLOUDMR_MONTHLY_EACH": _PLENTY,
        "CLOUDMR_SLOTS": "1",
        "CLOUDMR_RUNNING_EACH": "1",
    }
    brain = BrainProcess(home, settings | dict(variables or {}))
    try:
        brain.start()
        try:
            yield OwnBrain(brain, folder, database_url.partition("?")[0].rpartition("/")[2])
        finally:
            brain.stop()
    finally:
        end_processes_in(folder, last_words_s=0)
