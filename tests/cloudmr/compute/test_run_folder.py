from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudmr.compute.base import Cause, Execution, ExecutionState
from cloudmr.compute.outcome import Outcome
from cloudmr.compute.processes import ProcessIdentity
from cloudmr.compute.run_folder import Claim, RunFolder
from mroptimum.errors import Explanation

NOW = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
CLAIM = Claim(supervisor=ProcessIdentity(pid=1, started_s=2.5, boot_id="b"), started_at=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(path=tmp_path / "run" / "job_x-1")
    assert folder.claim(CLAIM)
    return folder


def test_a_claim_is_read_as_it_was_made(folder: RunFolder) -> None:
    assert folder.read_claim() == CLAIM
    assert folder.work.is_dir()


def test_only_the_first_claim_counts(folder: RunFolder) -> None:
    other = Claim(supervisor=ProcessIdentity(pid=2, started_s=3, boot_id="b"), started_at=NOW)
    assert not folder.claim(other)
    assert folder.read_claim() == CLAIM
    assert [path.name for path in folder.path.parent.iterdir()] == ["job_x-1"]


def test_where_no_folder_can_be_made_there_is_no_claim(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OSError, match="run"):
        RunFolder(path=tmp_path / "run" / "job_x-1").claim(CLAIM)


@pytest.mark.parametrize(
    "end",
    [
        Execution(name="job_x-1", state=ExecutionState.SUCCEEDED, started_at=NOW, ended_at=NOW),
        Execution(
            name="job_x-1",
            state=ExecutionState.FAILED,
            started_at=NOW,
            ended_at=NOW + timedelta(seconds=1),
            cause=Cause.OUT_OF_MEMORY,
            detail="It had 2.0 GB.",
        ),
        Execution(name="job_x-1", state=ExecutionState.UNKNOWN),
    ],
)
def test_an_end_is_read_as_it_was_settled(folder: RunFolder, end: Execution) -> None:
    assert folder.read_end() is None
    assert folder.settle(end) == end
    assert folder.read_end() == end


def test_only_the_first_end_counts(folder: RunFolder) -> None:
    first = Execution(name="job_x-1", state=ExecutionState.SUCCEEDED)
    folder.settle(first)
    assert folder.settle(Execution(name="job_x-1", state=ExecutionState.FAILED, cause=Cause.KILLED)) == first
    assert folder.read_end() == first


def test_the_worker_and_a_request_to_stop_are_remembered(folder: RunFolder) -> None:
    worker = ProcessIdentity.of(os.getpid())
    assert folder.read_worker() is None
    assert not folder.is_stop_requested
    folder.note_worker(worker)
    folder.request_stop()
    assert folder.read_worker() == worker
    assert folder.is_stop_requested


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(),
        Outcome(manifest_sha256="0" * 64),
        Outcome(error=Explanation(code="no_noise", message="No noise.", next_step="Give some.")),
    ],
)
def test_an_outcome_is_read_as_it_was_written(folder: RunFolder, outcome: Outcome) -> None:
    assert folder.read_outcome() == Outcome()
    folder.write_outcome(outcome)
    assert folder.read_outcome() == outcome


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"other": 1}', b"\xff", b" " * 70_000 + b"{}"])
def test_an_outcome_that_makes_no_sense_says_nothing(folder: RunFolder, content: bytes) -> None:
    folder.outcome.write_bytes(content)
    assert folder.read_outcome() == Outcome()


def test_an_absent_folder_says_nothing(tmp_path: Path) -> None:
    folder = RunFolder(path=tmp_path / "job_x-1")
    folder.request_stop()
    assert (folder.read_claim(), folder.read_worker(), folder.read_end()) == (None, None, None)
    assert list(folder.read_log()) == []
    assert not folder.path.exists()


def test_everything_is_private_to_its_user(folder: RunFolder) -> None:
    assert folder.path.stat().st_mode & 0o077 == 0
