from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import mroptimum.run
from cloudmr.compute.outcome import Outcome
from cloudmr.model.documents import JobDocument
from cloudmr.model.instants import utc_now
from cloudmr.model.reports import ReportedInput
from cloudmr.storage.base import Bucket, ObjectInfo
from cloudmr.storage.local_objects import LocalObjects
from cloudmr.worker.job import Compute, run_job
from cloudmr.worker.journal import Journal, to_file
from mroptimum.errors import Cancelled
from mroptimum.result import Result
from mroptimum.run import Progress
from mroptimum.task import FileReference, TaskDocument
from small_job import JOB_ID, SIGNAL, document_for, raw_data

RESULTS = f"results/{JOB_ID}/1"
FAILED = f"failed/{JOB_ID}/1"


@dataclass(frozen=True)
class NothingToTell:
    """Nothing is to be told of these files; what is promised of them stays as it is."""

    document: JobDocument

    def tell_input(self, found: ReportedInput) -> NoReturn:
        raise AssertionError(f"{found} was told")

    def fetch_document(self) -> JobDocument:
        return self.document


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where a job is run in these tests."""

    storage: LocalObjects
    folder: Path
    reports: list[Progress]

    def run(
        self,
        document: JobDocument | None = None,
        *,
        compute: Compute = mroptimum.run.run,
        cancelled: Callable[[], bool] = lambda: False,
        storage: LocalObjects | None = None,
    ) -> Outcome:
        work = self.folder / "work"
        work.mkdir()
        document = document or document_for(self.storage)
        return run_job(
            document,
            storage=storage or self.storage,
            folder=work,
            journal=Journal(to_file(self.folder / "log.jsonl"), clock=utc_now, report=self.reports.append),
            cancelled=cancelled,
            counter=NothingToTell(document),
            compute=compute,
        )

    def keys(self, bucket: Bucket) -> list[str]:
        return [info.key for info in self.storage.list(bucket, "")]

    def json(self, bucket: Bucket, key: str) -> Any:
        return json.loads(self.storage.read(bucket, key, limit_bytes=10**7))


@pytest.fixture
def workplace(storage: LocalObjects, tmp_path: Path) -> Workplace:
    (tmp_path / "run").mkdir()
    return Workplace(storage=storage, folder=tmp_path / "run", reports=[])


class Recorder(LocalObjects):
    """A storage that remembers the order of what was put."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.puts: list[str] = []

    def put(self, bucket: Bucket, key: str, source: Path) -> ObjectInfo:
        self.puts.append(key)
        return super().put(bucket, key, source)


def refuse(error: BaseException) -> Compute:
    """Return a computation that ends in an error."""

    def compute(
        document: TaskDocument,
        *,
        locate: Callable[[FileReference], Path],
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> NoReturn:
        raise error

    return compute


def test_the_package_is_stored_and_its_manifest_last(workplace: Workplace, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "storage")
    outcome = workplace.run(storage=recorder)
    assert outcome.error is None
    assert recorder.puts[-1] == f"{RESULTS}/manifest.json"
    assert f"{RESULTS}/data/snr.nii.gz" in recorder.puts
    assert f"{RESULTS}/package.zip" in recorder.puts
    assert workplace.keys(Bucket.FAILED) == []


def test_the_outcome_names_the_manifest_and_the_manifest_every_file(workplace: Workplace) -> None:
    outcome = workplace.run()
    manifest = workplace.storage.read(Bucket.RESULTS, f"{RESULTS}/manifest.json", limit_bytes=10**7)
    assert outcome.manifest_sha256 == hashlib.sha256(manifest).hexdigest()
    fields = json.loads(manifest)
    assert fields["computing_unit"] == {
        "unit_id": "unit_1",
        "job_id": JOB_ID,
        "attempt": 1,
        "container_digest": None,
    }
    assert "log.json" in {output["path"] for output in fields["outputs"]}
    for output in fields["outputs"]:
        stored = workplace.storage.read(Bucket.RESULTS, f"{RESULTS}/{output['path']}", limit_bytes=10**7)
        assert hashlib.sha256(stored).hexdigest() == output["sha256"]


def test_the_log_has_the_workers_steps_and_the_computations_by_time(workplace: Workplace) -> None:
    workplace.run()
    log = workplace.json(Bucket.RESULTS, f"{RESULTS}/log.json")
    said = [row["what"] for row in log]
    assert said[0] == "fetching data file 1 of 1"
    assert said[1] == "reading the signal"
    assert said[-1] == "writing the result package"
    assert [row["when"] for row in log] == sorted(row["when"] for row in log)
    live = [json.loads(line)["what"] for line in (workplace.folder / "log.jsonl").read_text().splitlines()]
    assert live == [report.message for report in workplace.reports]
    assert set(live) - {"storing the result package"} <= set(said)


def test_no_name_of_a_file_is_kept(workplace: Workplace) -> None:
    workplace.run()
    for key in workplace.keys(Bucket.RESULTS):
        assert b"Doe" not in workplace.storage.read(Bucket.RESULTS, key, limit_bytes=10**7)
    assert [path.name for path in (workplace.folder / "work" / "inputs").iterdir()] == [SIGNAL]


def test_an_attempt_that_was_committed_is_not_run_again(workplace: Workplace, tmp_path: Path) -> None:
    first = workplace.run()
    before = list(workplace.storage.list(Bucket.RESULTS, ""))
    again = Workplace(storage=workplace.storage, folder=tmp_path / "again", reports=[])
    again.folder.mkdir()
    assert again.run(compute=refuse(AssertionError("it was run again"))) == first
    assert list(workplace.storage.list(Bucket.RESULTS, "")) == before


def test_of_two_that_run_the_same_attempt_the_first_to_commit_counts(workplace: Workplace, tmp_path: Path) -> None:
    rival = Workplace(storage=workplace.storage, folder=tmp_path / "rival", reports=[])
    rival.folder.mkdir()
    outcomes: list[Outcome] = []

    def compute(
        document: TaskDocument,
        *,
        locate: Callable[[FileReference], Path],
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> Result:
        result = mroptimum.run.run(document, locate=locate, progress=progress, cancelled=cancelled)
        outcomes.append(rival.run())
        return result

    assert workplace.run(compute=compute) == outcomes[0]


def failure_of(workplace: Workplace, outcome: Outcome) -> str:
    """Return the code of a failure, after looking at all that must be true of a failure package."""
    assert outcome.manifest_sha256 is None
    assert outcome.error is not None
    assert workplace.keys(Bucket.RESULTS) == []
    assert {f"{FAILED}/{name}" for name in ("manifest.json", "error.json", "log.json", "task.json")} <= set(
        workplace.keys(Bucket.FAILED)
    )
    assert workplace.json(Bucket.FAILED, f"{FAILED}/error.json") == outcome.error
    assert workplace.json(Bucket.FAILED, f"{FAILED}/manifest.json")["error"] == outcome.error
    return outcome.error["code"]


def test_without_noise_there_is_a_failure_package_with_the_image(
    workplace: Workplace, rng: np.random.Generator
) -> None:
    scan = raw_data(workplace.folder / "scan.npz", rng, noise=False)
    workplace.storage.put(Bucket.DATA, f"uploads/{SIGNAL}", scan)
    assert failure_of(workplace, workplace.run()) == "no_noise"
    assert f"{FAILED}/data/image.nii.gz" in workplace.keys(Bucket.FAILED)


def test_a_task_that_means_nothing(workplace: Workplace) -> None:
    document = document_for(workplace.storage).model_copy(update={"task": {"name": "AC"}})
    assert failure_of(workplace, workplace.run(document)) == "invalid_task"


def test_a_file_that_is_no_raw_data(workplace: Workplace) -> None:
    (workplace.folder / "picture").write_bytes(b"\xff\xd8\xff\xe0" * 100)
    workplace.storage.put(Bucket.DATA, f"uploads/{SIGNAL}", workplace.folder / "picture")
    assert failure_of(workplace, workplace.run()) == "unreadable_file"


@pytest.mark.parametrize("change", [{"checksum": "bm90IHRoaXM=-1"}, {"size_bytes": 7}])
def test_a_file_that_is_not_what_was_uploaded(workplace: Workplace, change: dict[str, Any]) -> None:
    document = document_for(workplace.storage)
    changed = document.inputs[0].model_copy(update=change)
    document = document.model_copy(update={"inputs": (changed,)})
    assert failure_of(workplace, workplace.run(document)) == "input_changed"


def test_a_file_without_a_checksum_is_taken_by_its_size(workplace: Workplace) -> None:
    document = document_for(workplace.storage)
    unsummed = document.inputs[0].model_copy(update={"checksum": None})
    assert workplace.run(document.model_copy(update={"inputs": (unsummed,)})).manifest_sha256


def test_a_file_that_is_gone(workplace: Workplace) -> None:
    document = document_for(workplace.storage)
    workplace.storage.delete(Bucket.DATA, f"uploads/{SIGNAL}")
    assert failure_of(workplace, workplace.run(document)) == "object_not_found"


def test_a_file_that_is_not_the_jobs(workplace: Workplace) -> None:
    document = document_for(workplace.storage, key="uploads/data_of_somebody_else")
    assert failure_of(workplace, workplace.run(document)) == "input_missing"


def test_a_mistake_of_ours_is_told_to_the_operator_only(workplace: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    outcome = workplace.run(compute=refuse(ZeroDivisionError("inner workings")))
    assert failure_of(workplace, outcome) == "internal_error"
    assert "inner workings" in caplog.text
    for key in workplace.keys(Bucket.FAILED):
        content = workplace.storage.read(Bucket.FAILED, key, limit_bytes=10**7)
        assert b"inner workings" not in content
        assert b"Traceback" not in content


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        Cancelled("It was stopped.", "Nothing."),
        *(OSError(number, "no room") for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)),
    ],
    ids=repr,
)
def test_what_is_nobodys_fault_is_raised_and_nothing_is_stored(workplace: Workplace, error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        workplace.run(compute=refuse(error))
    assert raised.value is error
    assert workplace.keys(Bucket.RESULTS) == workplace.keys(Bucket.FAILED) == []


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Resource temporarily unavailable"),
        RuntimeError("can't start new thread"),
        ImportError("ft2font.so: failed to map segment from shared object"),
    ],
    ids=str,
)
def test_memory_that_is_refused_by_another_name_is_out_of_memory(workplace: Workplace, error: Exception) -> None:
    with pytest.raises(MemoryError):
        workplace.run(compute=refuse(error))
    assert workplace.keys(Bucket.FAILED) == []


def stop_at(n_steps: int, reports: list[Progress]) -> Callable[[], bool]:
    """Return what asks a job to stop at its n-th step."""
    return lambda: len(reports) >= n_steps


def test_stopped_at_any_step_it_leaves_nothing(workplace: Workplace) -> None:
    document = document_for(workplace.storage)
    n_steps = 0
    while True:
        n_steps += 1
        attempt = Workplace(storage=workplace.storage, folder=workplace.folder / str(n_steps), reports=[])
        attempt.folder.mkdir()
        try:
            attempt.run(document, cancelled=stop_at(n_steps, attempt.reports))
        except Cancelled:
            assert workplace.keys(Bucket.RESULTS) == workplace.keys(Bucket.FAILED) == []
        else:
            break
    # It was stopped at every step that a whole run has.
    assert len(attempt.reports) == n_steps - 1
    assert attempt.reports[-1].step == "store"


def test_a_storage_that_fails_in_the_middle_commits_nothing(workplace: Workplace, tmp_path: Path) -> None:
    class Failing(LocalObjects):
        def put(self, bucket: Bucket, key: str, source: Path) -> ObjectInfo:
            if key == f"{RESULTS}/report.html":
                raise OSError(errno.EIO, "a broken disk")
            return super().put(bucket, key, source)

    outcome = workplace.run(storage=Failing(tmp_path / "storage"))
    assert outcome.error is not None
    assert outcome.error["code"] == "internal_error"
    assert f"{RESULTS}/manifest.json" not in workplace.keys(Bucket.RESULTS)
    assert f"{FAILED}/manifest.json" in workplace.keys(Bucket.FAILED)
