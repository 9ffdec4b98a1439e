"""The way of a job inside a unit: fetch its files, compute, write the package, store it, the manifest last.

The manifest is the commit: before it is there, nothing counts; once it is there, the attempt has succeeded, whatever
happens afterwards. An attempt that runs once more finds it and leaves it as it is.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import mroptimum.run
from cloudmr.compute.outcome import Outcome
from cloudmr.compute.symptoms import tells_of_no_memory
from cloudmr.model.documents import JobDocument
from cloudmr.storage.base import Bucket, ObjectStore
from cloudmr.worker.errors import NO_ROOM, InternalError
from cloudmr.worker.journal import Journal
from cloudmr.worker.package_store import committed_manifest, store_package
from cloudmr.worker.staging import Counter, stage
from mroptimum.errors import Cancelled, ExplainedError
from mroptimum.export.package import Provenance, write_failure_package, write_package
from mroptimum.result import Result
from mroptimum.run import NoSnr, Progress
from mroptimum.task import FileReference, TaskDocument

_log = logging.getLogger(__name__)


class Compute(Protocol):
    """What does a task; `mroptimum.run.run` outside tests."""

    def __call__(
        self,
        document: TaskDocument,
        *,
        locate: Callable[[FileReference], Path],
        progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> Result:
        """Do a task."""


def run_job(
    document: JobDocument,
    *,
    storage: ObjectStore,
    folder: Path,
    journal: Journal,
    cancelled: Callable[[], bool],
    counter: Counter,
    compute: Compute = mroptimum.run.run,
) -> Outcome:
    """Run one attempt at a job, with its files in `folder` (empty), and return what became of it.

    `counter` is told of data files in a shared unit that named a person.

    What is wrong with the task or the data, and every mistake of ours, becomes a failure package. What is no fault of
    either, and may go well another time, is raised: `Cancelled`, `MemoryError`, and `OSError` of the kind `NO_ROOM`.
    """
    task: TaskDocument | None = None
    try:
        committed = committed_manifest(storage, Bucket.RESULTS, document.results_prefix)
        if committed is not None:
            return Outcome(manifest_sha256=committed)
        task = TaskDocument.parse({"task": document.task, "output": document.output})
        manifest_sha256 = _succeed(document, task, storage, folder, journal, cancelled, counter, compute)
        return Outcome(manifest_sha256=manifest_sha256)
    except (Cancelled, MemoryError):
        raise
    except ExplainedError as error:
        failure = error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        if tells_of_no_memory(str(error)):
            raise MemoryError from error
        _log.exception("unexpected error in attempt %s at %s", document.attempt, document.job_id)
        failure = InternalError()
    _fail(document, task, failure, storage, folder, journal)
    return Outcome(error=failure.explain())


def _succeed(
    document: JobDocument,
    task: TaskDocument,
    storage: ObjectStore,
    folder: Path,
    journal: Journal,
    cancelled: Callable[[], bool],
    counter: Counter,
    compute: Compute,
) -> str:
    def go_on() -> None:
        if cancelled():
            raise Cancelled("The job was asked to stop.", "Submit it again if it is wanted.")

    inputs = stage(document, storage=storage, folder=folder / "inputs", journal=journal, go_on=go_on, counter=counter)
    result = compute(task, locate=inputs.locate, progress=journal.follow, cancelled=cancelled)
    journal.say("writing the result package", step="package")
    go_on()
    package = folder / "package"
    write_package(result, package, provenance=_provenance(document), log=journal.entries(result.log))
    journal.say("storing the result package", step="store")
    go_on()
    return store_package(package, storage=storage, bucket=Bucket.RESULTS, prefix=document.results_prefix)


def _fail(
    document: JobDocument,
    task: TaskDocument | None,
    failure: ExplainedError,
    storage: ObjectStore,
    folder: Path,
    journal: Journal,
) -> None:
    journal.say("storing what is known of the failure", step="store")
    partial = failure.partial if isinstance(failure, NoSnr) else None
    package = folder / "failure"
    # A failed upload of the results may have been for want of room.
    shutil.rmtree(folder / "package", ignore_errors=True)
    write_failure_package(
        package,
        error=failure.explain(),
        document=task,
        log=journal.entries(partial.log if partial else ()),
        provenance=_provenance(document),
        partial=partial,
    )
    store_package(package, storage=storage, bucket=Bucket.FAILED, prefix=document.failed_prefix)


def _provenance(document: JobDocument) -> Provenance:
    return Provenance(unit_id=document.computing_unit.id, job_id=document.job_id, attempt=document.attempt)
