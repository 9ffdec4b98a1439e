"""A person asks for a job: it is accepted whole, exactly once, or refused with the reason."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from cloudmr.database.base import Transaction
from cloudmr.database.errors import AlreadyThere
from cloudmr.errors import Conflict, InvalidRequest, LimitReached, NotFound
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.documents import DocumentUnit, FrozenDocument, InputFile
from cloudmr.model.estimates import estimate
from cloudmr.model.events import JobAction, JobEvent
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.unit_choice import choose_unit
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode
from cloudmr.services.brain import Brain
from mroptimum.task import FileReference, TaskDocument

MAX_ALIAS_LENGTH = 255
_ASK_AGAIN_S = 60


@dataclass(frozen=True, kw_only=True)
class JobOrder:
    """What is asked for. `document` is `{"task": …, "output": …}` as it came, not yet validated."""

    document: object
    app_name: str = APP_NAME
    alias: str | None = None
    mode: Mode | None = None
    unit_id: str | None = None
    idempotency_key: str | None = None


def submit_job(brain: Brain, caller: Caller, order: JobOrder) -> Job:
    """Accept a job and return it, queued. The same order with the same key is the same job.

    Raises `TaskError` with every problem of the task; `InvalidRequest` for another application, for a file that is not
    in a unit's bucket, or a name that is too long; `NotFound` for a data file that is not the caller's; `Conflict` for
    one that is not complete, for data in another unit (`data_in_other_unit`) and for a key used for another order
    (`idempotency_key_reused`); `LimitReached` (`queue_full`) where the caller has too many jobs waiting.
    """
    if order.app_name != APP_NAME:
        raise InvalidRequest("There is no such application.", f"Submit jobs for {APP_NAME}.")
    document = TaskDocument.parse(order.document)
    request_sha256 = _digest(order, document)
    try:
        with brain.database.write() as transaction:
            job = _earlier(transaction, caller, order, request_sha256)
            if job is not None:
                return job
            job = _accept(brain, transaction, caller, order, document, request_sha256)
    except AlreadyThere:
        # The same order came twice at once, and the other one was first.
        with brain.database.read() as transaction:
            job = _earlier(transaction, caller, order, request_sha256)
        if job is None:
            raise
        return job
    brain.dispatch_alarm.set()
    return job


def _accept(
    brain: Brain,
    transaction: Transaction,
    caller: Caller,
    order: JobOrder,
    document: TaskDocument,
    request_sha256: str,
) -> Job:
    now = brain.now()
    files = _inputs(transaction, caller, document)
    choice = choose_unit(
        transaction.units.open_to(caller.id, app_name=order.app_name),
        unit_id=order.unit_id,
        mode=order.mode,
        data_unit_ids=frozenset(file.unit_id for file in files),
    )
    _check_buckets(document, choice.unit)
    _check_queue(brain, transaction, caller, choice.unit)
    job_id = brain.new_id(Kind.JOB)
    alias = _alias(order, document)
    job = Job(
        id=job_id,
        owner_id=caller.id,
        unit_id=choice.unit.id,
        app_name=order.app_name,
        alias=alias,
        state=JobState.QUEUED,
        version=1,
        attempt=0,
        document=_frozen(job_id, alias, order, document, files, choice.unit).to_json(),
        data_ids=tuple(file.id for file in files),
        estimate=estimate([file.size_bytes for file in files], most_bytes=brain.limits.most_memory_bytes),
        unit_reason=choice.reason,
        created_at=now,
        deadline_at=now + brain.limits.queue_wait,
        check_at=now + brain.limits.queue_wait,
        idempotency_key=order.idempotency_key,
        request_sha256=request_sha256 if order.idempotency_key is not None else None,
    )
    transaction.jobs.add(job, _submitted(job, caller, now))
    return job


def _submitted(job: Job, caller: Caller, now: datetime) -> JobEvent:
    return JobEvent(
        job_id=job.id,
        number=job.version,
        at=now,
        actor=caller.id,
        action=JobAction.SUBMITTED,
        reason=job.unit_reason,
        new=job.state,
    )


def _earlier(transaction: Transaction, caller: Caller, order: JobOrder, request_sha256: str) -> Job | None:
    if order.idempotency_key is None:
        return None
    job = transaction.jobs.by_idempotency_key(caller.id, order.idempotency_key)
    if job is not None and job.request_sha256 != request_sha256:
        raise Conflict(
            "This idempotency key was used for another job.",
            "Use a new key for a new job, and the same only to repeat the same request.",
            code="idempotency_key_reused",
        )
    return job


def _inputs(transaction: Transaction, caller: Caller, document: TaskDocument) -> list[DataFile]:
    """Return the caller's data files that a task refers to, each once, in the order of the task."""
    found: dict[str, DataFile] = {}
    for reference in document.files():
        data_id = _data_id(reference)
        data_file = transaction.data_files.get(data_id, for_change=True)
        if data_file is None or data_file.owner_id != caller.id or data_file.state is DataState.DELETED:
            raise NotFound("data file")
        if data_file.state is not DataState.READY:
            raise Conflict("A data file of the task is not complete.", "Finish its upload.", code="data_not_ready")
        found[data_id] = data_file
    return list(found.values())


def _data_id(reference: FileReference) -> str:
    options = reference.options
    if options.type != "s3":
        raise InvalidRequest(
            "The task refers to a file that is not in a computing unit.",
            "Upload the file and refer to it by the bucket and key of the data file.",
            code="file_not_uploaded",
        )
    folder, _, data_id = (options.key or "").partition("/")
    if folder != "uploads" or not is_id(Kind.DATA, data_id):
        raise NotFound("data file")
    return data_id


def _check_buckets(document: TaskDocument, unit: ComputingUnit) -> None:
    if any(reference.options.bucket != unit.data_bucket for reference in document.files()):
        raise InvalidRequest(
            f"The task refers to another bucket than that of the data, {unit.data_bucket}.",
            "Refer to each file by the bucket and key of its data file.",
            code="wrong_bucket",
        )


def _check_queue(brain: Brain, transaction: Transaction, caller: Caller, unit: ComputingUnit) -> None:
    limit = brain.limits.n_queued_each
    if unit.mode is Mode.MODE_1 and transaction.jobs.n_queued(caller.id, unit.id) >= limit:
        raise LimitReached(
            f"You have {limit} jobs waiting at the shared computing unit, which is the limit.",
            "Wait until some have had their turn, cancel some, or use a computing unit of your own (mode 2).",
            retry_after_s=_ASK_AGAIN_S,
            code="queue_full",
        )


def _alias(order: JobOrder, document: TaskDocument) -> str:
    alias = "".join(character for character in order.alias or "" if character.isprintable()).strip()
    if len(alias) > MAX_ALIAS_LENGTH:
        raise InvalidRequest(f"The name of a job has at most {MAX_ALIAS_LENGTH} characters.", "Choose a shorter one.")
    return alias or f"{document.task.name} {document.task.options.reconstructor.name}".upper()


def _frozen(
    job_id: str, alias: str, order: JobOrder, document: TaskDocument, files: list[DataFile], unit: ComputingUnit
) -> FrozenDocument:
    values = document.as_json()
    return FrozenDocument(
        job_id=job_id,
        app_name=order.app_name,
        alias=alias,
        task=values["task"],
        output=values["output"],
        inputs=tuple(
            InputFile(data_id=file.id, key=file.key, size_bytes=file.size_bytes, checksum=file.checksum)
            for file in files
        ),
        computing_unit=DocumentUnit(id=unit.id, mode=unit.mode, provider=unit.provider),
    )


def _digest(order: JobOrder, document: TaskDocument) -> str:
    request = [order.app_name, order.alias, order.mode, order.unit_id, document.as_json()]
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
