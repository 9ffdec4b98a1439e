"""A unit proves its numbers: a real job, on a synthetic acquisition whose SNR is known in closed form.

The job is like every other, but for three things: it belongs to an account of the Brain's own that nobody can sign in
to, it does not wait in the queue, and a unit that is not verified runs it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cloudmr.database.base import Transaction
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.documents import DocumentUnit, FrozenDocument, InputFile, results_prefix
from cloudmr.model.estimates import estimate
from cloudmr.model.events import BRAIN, JobAction, JobEvent
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.ids import Kind
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Account, AccountStatus
from cloudmr.model.platforms import Need, choose_platform
from cloudmr.model.units import ComputingUnit
from cloudmr.services.brain import Brain, UnitLink
from cloudmr.services.plan_job import platforms_of
from cloudmr.storage.base import Bucket, ObjectInfo, ObjectStorage
from mroptimum.errors import ExplainedError
from mroptimum.task import FileReference

OWNER_EMAIL = "known-answers@cloudmr.invalid"
"""Nobody can have this address, and its account has no password."""
_NO_PASSWORD = "!"  # noqa: S105 - no hash looks like this, so nothing matches it
_DEADLINE = timedelta(minutes=30)
_ALIAS = "Known answer"
_AGAIN = "It is tried again by itself, within the hour; `cloudmr unit check UNIT_ID --known-answer` does it now."
_NEED = Need(memory_bytes=2**30, disk_bytes=2**30, seconds=60)
"""More than the acquisition takes: so little that any kind of machine can do it."""


def start_proof(brain: Brain, link: UnitLink, unit: ComputingUnit) -> Job:
    """Put the acquisition into the unit and return the job on it, queued. Raises `UnitUnavailable`."""
    # Numbers and plots are loaded when somebody asks for them, not when a Brain starts.
    from cloudmr.known_answer import FILENAME, write_acquisition

    data_id = brain.new_id(Kind.DATA)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / FILENAME
        write_acquisition(raw)
        info = link.storage.put(Bucket.DATA, f"uploads/{data_id}", raw)
    with brain.database.write() as transaction:
        owner = _owner(brain, transaction)
        data_file = _data_file(brain, owner, unit, data_id, info)
        transaction.data_files.add(data_file)
        job = _job(brain, owner, unit, data_file)
        transaction.jobs.add(job, _submitted(job))
    return job


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What an ended proof came to; without numbers, nothing is known of the unit's."""

    finding: Finding
    has_numbers: bool


def judge_proof(brain: Brain, link: UnitLink, job: Job) -> Proof:
    """Return what an ended proof came to. Raises `UnitUnavailable`."""
    now = brain.now()
    if job.state is not JobState.SUCCEEDED:
        why = job.failure.message if job.failure else f"It was {job.state}."
        next_step = job.failure.next_step if job.failure else ""
        message = f"The job whose answer is known has no result: {why}"
        return Proof(finding=_failed(now, message, f"{next_step} {_AGAIN}".strip()), has_numbers=False)
    from cloudmr.known_answer import judge_package

    with tempfile.TemporaryDirectory() as folder:
        try:
            _fetch(link.storage, results_prefix(job.id, job.attempt), Path(folder))
            comparisons = judge_package(Path(folder))
        except ExplainedError as error:
            message = f"The result of the job whose answer is known cannot be read: {error.message}"
            return Proof(finding=_failed(now, message, _AGAIN), has_numbers=False)
    said = "; ".join(
        f"{found.name} {found.measured:.4g} instead of {found.truth:.4g} ({found.deviation_percent:+.2f} %)"
        for found in comparisons
    )
    if all(found.is_right for found in comparisons):
        passed = Finding(check=Check.KNOWN_ANSWER, outcome=Outcome.PASSED, message=f"Verified for SNR: {said}.", at=now)
        return Proof(finding=passed, has_numbers=True)
    wrong = _failed(
        now, f"The unit gives wrong numbers: {said}.", "Deploy the unit anew with the image of this release."
    )
    return Proof(finding=wrong, has_numbers=True)


def awaited(now: datetime, job_id: str) -> Finding:
    """Return the finding of a proof that has begun."""
    message = f"{job_id} computes an SNR that is known in closed form."
    return Finding(check=Check.KNOWN_ANSWER, outcome=Outcome.AWAITED, message=message, fix="Wait for its end.", at=now)


def _failed(now: datetime, message: str, fix: str) -> Finding:
    return Finding(check=Check.KNOWN_ANSWER, outcome=Outcome.FAILED, message=message, fix=fix, at=now)


def _fetch(storage: ObjectStorage, prefix: str, folder: Path) -> None:
    """Bring a package here, but for what holds all of it once more."""
    for info in list(storage.list(Bucket.RESULTS, f"{prefix}/")):
        name = info.key.removeprefix(f"{prefix}/")
        if name.endswith(".zip"):
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        storage.fetch(Bucket.RESULTS, info.key, target)


def _owner(brain: Brain, transaction: Transaction) -> Account:
    account = transaction.accounts.by_email(OWNER_EMAIL)
    if account is None:
        account = Account(
            id=brain.new_id(Kind.USER),
            email=OWNER_EMAIL,
            password_hash=_NO_PASSWORD,
            status=AccountStatus.SUSPENDED,
            is_admin=False,
            created_at=brain.now(),
        )
        transaction.accounts.add(account)
    return account


def _data_file(brain: Brain, owner: Account, unit: ComputingUnit, data_id: str, info: ObjectInfo) -> DataFile:
    from cloudmr.known_answer import FILENAME

    return DataFile(
        id=data_id,
        owner_id=owner.id,
        unit_id=unit.id,
        filename=FILENAME,
        size_bytes=info.size_bytes,
        upload_id="",
        state=DataState.READY,
        created_at=brain.now(),
        completed_at=brain.now(),
        checksum=info.checksum,
    )


def _job(brain: Brain, owner: Account, unit: ComputingUnit, data_file: DataFile) -> Job:
    from cloudmr.known_answer import task_for

    now = brain.now()
    job_id = brain.new_id(Kind.JOB)
    place = {"type": "s3", "filename": data_file.filename, "bucket": unit.data_bucket, "key": data_file.key}
    task = task_for(FileReference.model_validate({"type": "file", "options": place})).as_json()
    document = FrozenDocument(
        job_id=job_id,
        app_name=unit.app_name,
        alias=_ALIAS,
        task=task["task"],
        output=task["output"],
        inputs=(
            InputFile(
                data_id=data_file.id,
                key=data_file.key,
                size_bytes=data_file.size_bytes,
                checksum=data_file.checksum,
            ),
        ),
        computing_unit=DocumentUnit(id=unit.id, mode=unit.mode, provider=unit.provider),
    )
    platform = choose_platform(_NEED, platforms_of(unit))
    allowed = estimate(
        [data_file.size_bytes],
        most_bytes=brain.limits.most_memory_bytes,
        machine_bytes=platform.size.memory_bytes if platform.size else None,
    )
    return Job(
        id=job_id,
        owner_id=owner.id,
        unit_id=unit.id,
        app_name=unit.app_name,
        alias=_ALIAS,
        state=JobState.QUEUED,
        version=1,
        attempt=0,
        document=document.to_json(),
        data_ids=(data_file.id,),
        estimate=replace(allowed, deadline_s=int(_DEADLINE.total_seconds())),
        platform=platform.platform,
        unit_reason="It proves the numbers of this unit.",
        created_at=now,
        deadline_at=now + _DEADLINE,
        check_at=now + _DEADLINE,
        turn_by=now + _DEADLINE,
    )


def _submitted(job: Job) -> JobEvent:
    return JobEvent(
        job_id=job.id,
        number=job.version,
        at=job.created_at,
        actor=BRAIN,
        action=JobAction.SUBMITTED,
        reason=job.unit_reason,
        new=job.state,
    )
