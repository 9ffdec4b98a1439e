"""Whole attempts on this machine: the real worker under a real supervisor, somebody in the Brain's place."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState, Resources
from cloudmr.compute.launch import RetryPolicy
from cloudmr.compute.local import LocalCompute
from cloudmr.compute.reporting import attempt_key
from cloudmr.compute.run_folder import RunFolder
from cloudmr.model.instants import utc_now
from cloudmr.model.reports import Report, ReportedEvent
from cloudmr.storage.base import Bucket
from cloudmr.storage.local_objects import LocalObjects
from listener import Listener
from small_job import JOB_ID, SIGNAL, document_for, raw_data
from waiting import wait_until

NAME = f"{JOB_ID}-1"
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A local unit that runs one attempt."""

    compute: LocalCompute
    storage: LocalObjects
    brain: Listener
    root: Path

    @property
    def folder(self) -> RunFolder:
        return RunFolder(path=self.root / "run" / NAME)

    def start(self, *, memory_bytes: int = 4 * GIB) -> ExecutionRequest:
        request = ExecutionRequest(
            job_id=JOB_ID,
            attempt=1,
            document_url=f"{self.brain.url}/document",
            callback_url=f"{self.brain.url}/callback",
            progress_url=f"{self.brain.url}/progress",
            key_id="key",
            secret="secret",
            resources=Resources(memory_bytes=memory_bytes, cpu_time_s=60, disk_bytes=GIB, deadline_s=60),
        )
        self.compute.start(request)
        return request

    def await_end(self) -> Execution:
        def ended() -> Execution | None:
            execution = self.compute.describe(NAME)
            return None if execution.state is ExecutionState.RUNNING else execution

        return wait_until(ended, what="the end of the attempt")


@pytest.fixture
def machine(tmp_path: Path, storage: LocalObjects, brain: Listener) -> Iterator[Machine]:
    compute = LocalCompute(
        tmp_path / "run",
        storage_root=tmp_path / "storage",
        look_every_s=0.05,
        retry=RetryPolicy(first_wait_s=0.02, longest_wait_s=0.1, give_up_after_s=30),
    )
    machine = Machine(compute=compute, storage=storage, brain=brain, root=tmp_path)
    brain.answers["/document"] = (200, document_for(storage).model_dump_json().encode())
    yield machine
    if claim := machine.folder.read_claim():
        claim.supervisor.send(signal.SIGKILL)
    if worker := machine.folder.read_worker():
        worker.kill_group()


def test_an_attempt_that_succeeds(machine: Machine) -> None:
    request = machine.start()
    assert machine.await_end().state is ExecutionState.SUCCEEDED
    assert machine.storage.head(Bucket.RESULTS, f"results/{JOB_ID}/1/data/snr.nii.gz") is not None

    progress = machine.brain.next("/progress")
    attempt_key(request).verify(progress.body, progress.headers, now=utc_now())
    assert Report.parse(progress.body).progress is not None
    callback = machine.brain.next("/callback")
    attempt_key(request).verify(callback.body, callback.headers, now=utc_now())
    report = Report.parse(callback.body)
    assert report.event is ReportedEvent.SUCCEEDED
    assert report.manifest_sha256 == machine.folder.read_outcome().manifest_sha256 is not None

    assert "storing the result package" in [line.message for line in machine.compute.log(NAME)]
    assert machine.folder.worker_log.read_text() == ""
    assert not machine.folder.work.exists()


def test_an_attempt_whose_data_cannot_do(machine: Machine, rng: np.random.Generator) -> None:
    machine.storage.put(Bucket.DATA, f"uploads/{SIGNAL}", raw_data(machine.root / "other.npz", rng, noise=False))
    machine.brain.answers["/document"] = (200, document_for(machine.storage).model_dump_json().encode())
    machine.start()
    execution = machine.await_end()
    assert (execution.state, execution.cause) == (ExecutionState.FAILED, Cause.TASK_FAILED)
    report = Report.parse(machine.brain.next("/callback").body)
    assert report.error is not None
    assert report.error.code == "no_noise"
    assert machine.storage.head(Bucket.FAILED, f"failed/{JOB_ID}/1/manifest.json") is not None


def test_a_brain_that_keeps_the_document(machine: Machine) -> None:
    machine.brain.answers["/document"] = (404, b"")
    machine.start()
    execution = machine.await_end()
    assert (execution.state, execution.cause) == (ExecutionState.FAILED, Cause.UNHEARD)
    assert "it answered 404" in machine.folder.worker_log.read_text()
    assert "secret" not in machine.folder.worker_log.read_text()


def test_an_attempt_stopped_while_it_waits_for_its_document(machine: Machine) -> None:
    machine.brain.answers["/document"] = (503, b"")
    machine.start()
    machine.brain.next("/document")
    machine.compute.stop(NAME)
    execution = machine.await_end()
    assert (execution.state, execution.cause) == (ExecutionState.STOPPED, Cause.STOPPED)
    assert list(machine.storage.list(Bucket.RESULTS, "")) == []
