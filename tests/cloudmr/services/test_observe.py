from __future__ import annotations

import pytest

from bench import BRAIN_URL, Bench
from cloudmr.compute.base import Cause, ExecutionState
from cloudmr.errors import UnitUnavailable
from cloudmr.model.documents import failed_prefix, results_prefix
from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.services.brain import UnitLink
from cloudmr.services.observe import Observation, observe
from cloudmr.storage.base import Bucket, ObjectInfo
from cloudmr.storage.local import LocalStorage


def look(bench: Bench, job: Job) -> Observation:
    return observe(UnitLink(storage=bench.storage, compute=bench.unit, probe=bench.probe, brain_url=BRAIN_URL), job)


def put(bench: Bench, bucket: Bucket, key: str, content: bytes) -> None:
    source = bench.folder / "outgoing"
    source.write_bytes(content)
    bench.storage.put(bucket, key, source)


def test_results_are_looked_for_only_when_nothing_runs_any_more(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.leave_results(job)
    assert look(bench, job).result is None
    bench.unit.end(job.execution_name)
    result = look(bench, job).result
    assert result is not None
    assert result.size_bytes == sum(info.size_bytes for info in bench.storage.list(Bucket.RESULTS, "results/"))


@pytest.mark.parametrize(
    "manifest",
    [b"", b"{", b"[]", b"{}", b'{"outputs": 3}', b'{"outputs": [{"path": "gone", "size_bytes": 1}]}', b" " * (5 << 20)],
)
def test_what_is_no_manifest_commits_nothing(bench: Bench, ada: Caller, manifest: bytes) -> None:
    job = bench.running_job(ada)
    bench.leave_results(job)
    put(bench, Bucket.RESULTS, f"{results_prefix(job.id, 1)}/manifest.json", manifest)
    bench.unit.end(job.execution_name)
    assert look(bench, job).result is None


def test_the_package_belongs_to_a_complete_result(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.leave_results(job)
    bench.storage.delete(Bucket.RESULTS, f"{results_prefix(job.id, 1)}/package.zip")
    bench.unit.end(job.execution_name)
    assert look(bench, job).result is None


def test_results_of_another_attempt_are_not_this_ones(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    for name in ("manifest.json", "package.zip"):
        put(bench, Bucket.RESULTS, f"{results_prefix(job.id, 10)}/{name}", b'{"outputs": []}')
    bench.unit.end(job.execution_name)
    assert look(bench, job).result is None


@pytest.mark.parametrize(
    "error", [b"", b"[]", b"null", b"{}", b'{"code": 1, "message": "m", "next_step": "n"}', b"\xff", b" " * 70_000]
)
def test_what_is_no_error_says_nothing(bench: Bench, ada: Caller, error: bytes) -> None:
    job = bench.running_job(ada)
    bench.fail(job, {"code": "c", "message": "m", "next_step": "n"})
    put(bench, Bucket.FAILED, f"{failed_prefix(job.id, 1)}/error.json", error)
    assert look(bench, job).failure is None


def test_an_error_is_shortened_to_what_a_row_holds(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.fail(job, {"code": "c" * 100, "message": "m" * 9000, "next_step": "n"})
    failure = look(bench, job).failure
    assert failure is not None
    assert (len(failure.code), len(failure.message)) == (64, 2000)


def test_a_failure_package_counts_once_it_is_complete(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    put(bench, Bucket.FAILED, f"{failed_prefix(job.id, 1)}/error.json", b'{"code":"c","message":"m","next_step":"n"}')
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.KILLED)
    assert look(bench, job).failure is None


class _Closed(LocalStorage):
    """A storage of which some buckets answer with an error."""

    def __init__(self, storage: LocalStorage, errors: dict[Bucket, UnitUnavailable]) -> None:
        self.__dict__.update(storage.__dict__)
        self._errors = errors

    def read(self, bucket: Bucket, key: str, *, limit_bytes: int) -> bytes:
        self._check(bucket)
        return super().read(bucket, key, limit_bytes=limit_bytes)

    def head(self, bucket: Bucket, key: str) -> ObjectInfo | None:
        self._check(bucket)
        return super().head(bucket, key)

    def _check(self, bucket: Bucket) -> None:
        if bucket in self._errors:
            raise self._errors[bucket]


class _Lasting(UnitUnavailable):
    is_lasting = True


def look_past(bench: Bench, job: Job, **errors: UnitUnavailable) -> Observation:
    closed = _Closed(bench.storage, {Bucket(name): error for name, error in errors.items()})
    return observe(UnitLink(storage=closed, compute=bench.unit, probe=bench.probe, brain_url=BRAIN_URL), job)


def leave_failure(bench: Bench, job: Job) -> None:
    prefix = failed_prefix(job.id, job.attempt)
    put(bench, Bucket.FAILED, f"{prefix}/error.json", b'{"code": "no_noise", "message": "m", "next_step": "n"}')
    put(bench, Bucket.FAILED, f"{prefix}/manifest.json", b"{}")


def test_a_failure_package_is_believed_even_if_the_results_bucket_is_gone(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    leave_failure(bench, job)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.TASK_FAILED)
    failure = look_past(bench, job, results=_Lasting("gone", "n")).failure
    assert failure is not None
    assert failure.code == "no_noise"


def test_nothing_is_concluded_from_results_that_cannot_be_seen(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    bench.unit.end(job.execution_name)
    with pytest.raises(UnitUnavailable):
        look_past(bench, job, results=_Lasting("refused", "n"))


def test_a_failure_whose_package_is_not_shown_is_told_by_its_cause(bench: Bench, ada: Caller) -> None:
    job = bench.running_job(ada)
    leave_failure(bench, job)
    bench.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.TASK_FAILED)
    seen = look_past(bench, job, failed=_Lasting("refused", "n"))
    assert (seen.result, seen.failure, seen.execution.cause) == (None, None, Cause.TASK_FAILED)
    with pytest.raises(UnitUnavailable):
        look_past(bench, job, failed=UnitUnavailable("does not answer", "n"))
