"""Workers inside an account: objects from and to its buckets, exit codes and errors that its state machine sees."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aws_accounts import CHECKOUT, USER, Accounts
from aws_units import make_unit
from cloudmr.aws.sessions import OwnAccess
from cloudmr.aws.unit import AwsUnit
from cloudmr.compute.base import ExecutionRequest, Resources
from cloudmr.compute.execution_input import to_input
from cloudmr.compute.exit_codes import ExitCode
from cloudmr.compute.outcome import Outcome
from cloudmr.model.platforms import Platform
from cloudmr.storage.base import Bucket, ObjectStore
from cloudmr.storage.local_objects import LocalObjects
from cloudmr.storage.s3 import S3Storage
from cloudmr.worker import aws_lambda
from cloudmr.worker.errors import Unheard
from listener import Listener, listening
from mroptimum.errors import Explanation
from small_job import JOB_ID, SIGNAL, document_for, raw_data

GIB = 2**30
SECRET = "5ec2e7" * 8


@dataclass(frozen=True, kw_only=True)
class Inside:
    """A unit from its inside, and somebody in the Brain's place."""

    unit: AwsUnit
    storage: S3Storage
    brain: Listener
    environment: Mapping[str, str]

    @property
    def input(self) -> str:
        request = ExecutionRequest(
            job_id=JOB_ID,
            attempt=1,
            document_url=f"{self.brain.url}/document",
            callback_url=f"{self.brain.url}/callback",
            progress_url=f"{self.brain.url}/progress",
            key_id="key",
            secret=SECRET,
            resources=Resources(memory_bytes=8 * GIB, cpu_time_s=60, disk_bytes=GIB, deadline_s=60),
            platform=Platform.FARGATE,
        )
        return to_input(request)

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.input)
        return event

    def task(self) -> subprocess.Popen[str]:
        """Start a task, as its container would."""
        command = [sys.executable, "-m", "cloudmr.worker.entry"]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT / "src"),
            **self.environment,
            "CLOUDMR_JOB": self.input,
        }
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", text=True
        )


@pytest.fixture
def brain() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture(scope="module")
def unit(accounts: Accounts) -> AwsUnit:
    return make_unit(accounts)


@pytest.fixture
def here(tmp_path: Path, rng: np.random.Generator) -> LocalObjects:
    """The storage of a unit on this machine, which holds the scan."""
    storage = LocalObjects(tmp_path / "here")
    storage.put(Bucket.DATA, f"uploads/{SIGNAL}", raw_data(tmp_path / "scan.npz", rng))
    return storage


@pytest.fixture
def inside(
    accounts: Accounts,
    unit: AwsUnit,
    brain: Listener,
    here: LocalObjects,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Inside:
    environment = {
        **accounts.environment(USER),
        "AWS_REGION": unit.region,
        **{f"CLOUDMR_{bucket.name}_BUCKET": name for bucket, name in unit.buckets.items()},
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    storage = S3Storage(OwnAccess(region=unit.region), unit.buckets)
    storage.put(Bucket.DATA, f"uploads/{SIGNAL}", tmp_path / "scan.npz")
    for bucket in (Bucket.RESULTS, Bucket.FAILED):
        for info in list(storage.list(bucket, "")):
            storage.delete(bucket, info.key)
    brain.answers["/document"] = (200, document_for(here).model_dump_json().encode())
    return Inside(unit=unit, storage=storage, brain=brain, environment=environment)


def test_a_task_and_a_function_compute_the_same_to_the_last_digit(inside: Inside) -> None:
    task = inside.task()
    out, err = task.communicate(timeout=120)
    assert (task.returncode, err) == (ExitCode.SUCCEEDED, "")
    from_task = arrays(inside.storage)
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["execution"] for line in lines} == {f"{JOB_ID}-1"}
    assert "storing the result package" in [line["what"] for line in lines]
    assert SECRET not in out

    for info in list(inside.storage.list(Bucket.RESULTS, "")):
        inside.storage.delete(Bucket.RESULTS, info.key)
    answer = aws_lambda.handler(inside.event, None)
    assert arrays(inside.storage) == from_task
    assert answer == {"manifest_sha256": sha256_of_manifest(inside.storage)}


def test_a_task_that_is_told_to_end_ends(inside: Inside) -> None:
    inside.brain.answers["/document"] = (503, b"")
    task = inside.task()
    inside.brain.next("/document")
    task.send_signal(signal.SIGTERM)
    task.communicate(timeout=60)
    assert task.returncode == ExitCode.STOPPED
    assert list(inside.storage.list(Bucket.RESULTS, "")) == []


def test_a_task_without_noise_leaves_a_failure_package(
    inside: Inside, tmp_path: Path, rng: np.random.Generator, here: LocalObjects
) -> None:
    give_data_without_noise(inside, tmp_path, rng, here)
    task = inside.task()
    task.communicate(timeout=120)
    assert task.returncode == ExitCode.FAILED
    assert inside.storage.head(Bucket.FAILED, f"failed/{JOB_ID}/1/manifest.json") is not None


def test_a_function_names_the_kind_of_failure(
    inside: Inside, tmp_path: Path, rng: np.random.Generator, here: LocalObjects
) -> None:
    give_data_without_noise(inside, tmp_path, rng, here)
    with pytest.raises(aws_lambda.TaskFailed, match="no_noise"):
        aws_lambda.handler(inside.event, None)
    inside.brain.answers["/document"] = (404, b"")
    with pytest.raises(Unheard, match="404"):
        aws_lambda.handler(inside.event, None)


@pytest.mark.parametrize(
    ("raised", "seen"),
    [(MemoryError(), MemoryError), (OSError(errno.ENOSPC, "No space left"), aws_lambda.DiskFull)],
)
def test_what_lambda_is_too_small_for_is_told_by_its_class(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, raised: BaseException, seen: type[BaseException]
) -> None:
    def too_small(*_: object, **__: object) -> Outcome:
        raise raised

    monkeypatch.setattr(aws_lambda, "run_attempt", too_small)
    with pytest.raises(seen):
        aws_lambda.handler(inside.event, None)


def test_nothing_of_an_invocation_is_left_to_the_next(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_over = tmp_path / aws_lambda.WORK / "inputs" / "of_somebody_else"
    left_over.mkdir(parents=True)
    found: list[list[Path]] = []

    def look(_: object, *, folder: Path, stop: object) -> Outcome:
        found.append(list(folder.rglob("*")))
        (folder / "mine").write_text("a patient's data")
        return Outcome(error=Explanation(code="no_noise", message="m", next_step="n"))

    monkeypatch.setattr(aws_lambda, "run_attempt", look)
    with pytest.raises(aws_lambda.TaskFailed):
        aws_lambda.handler(inside.event, None)
    assert found == [[]]
    assert not (tmp_path / aws_lambda.WORK).exists()


def give_data_without_noise(inside: Inside, folder: Path, rng: np.random.Generator, here: LocalObjects) -> None:
    other = raw_data(folder / "other.npz", rng, noise=False)
    for storage in (inside.storage, here):
        storage.put(Bucket.DATA, f"uploads/{SIGNAL}", other)
    inside.brain.answers["/document"] = (200, document_for(here).model_dump_json().encode())


def arrays(storage: ObjectStore) -> dict[str, str]:
    """Return the checksums of the maps that a job left."""
    found = {}
    for info in storage.list(Bucket.RESULTS, f"results/{JOB_ID}/1/data/"):
        head = storage.head(Bucket.RESULTS, info.key)
        assert head is not None
        assert head.checksum is not None
        found[info.key] = head.checksum
    assert found
    return found


def sha256_of_manifest(storage: ObjectStore) -> str:
    manifest = storage.read(Bucket.RESULTS, f"results/{JOB_ID}/1/manifest.json", limit_bytes=2**20)
    return hashlib.sha256(manifest).hexdigest()
