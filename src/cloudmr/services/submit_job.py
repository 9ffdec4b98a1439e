"""A person asks for a job: it is accepted whole, exactly once, or refused with the reason."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from cloudmr.database.base import Transaction
from cloudmr.database.errors import AlreadyThere
from cloudmr.errors import Conflict, InvalidRequest
from cloudmr.model.audit import AuditAction
from cloudmr.model.documents import DocumentUnit, FrozenDocument, InputFile
from cloudmr.model.events import JobAction, JobEvent
from cloudmr.model.ids import Kind
from cloudmr.model.jobs import Job, JobState
from cloudmr.model.people import Caller
from cloudmr.model.units import ComputingUnit
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.plan_job import JobOrder as JobOrder
from cloudmr.services.plan_job import JobPlan, plan_job, task_of
from cloudmr.services.queue_places import views_of
from cloudmr.services.quotas import require_submission
from cloudmr.services.views import JobView
from mroptimum.task import TaskDocument

MAX_ALIAS_LENGTH = 255


def submit_job(brain: Brain, caller: Caller, order: JobOrder) -> Job:
    """Accept a job and return it, queued. The same order with the same key is the same job.

    Raises `TaskError` with every problem of the task; `InvalidRequest` for another application, for a file that is not
    in a unit's bucket, a name that is too long, a platform that is too small or not there (`platform_impossible`) or a
    deadline beyond the limits; `NotFound` for a data file that is not the caller's; `Conflict` for one that is not
    complete, for data in another unit (`data_in_other_unit`) and for a key used for another order
    (`idempotency_key_reused`) or a job that was deleted since (`job_deleted`); `LimitReached` where the caller has too
    many jobs waiting (`queue_full`) or submitted too many this month (`monthly_jobs`).
    """
    return submit_and_view(brain, caller, order).job


def submit_and_view(brain: Brain, caller: Caller, order: JobOrder) -> JobView:
    """Accept a job and return it as its owner sees it, with its place in the queue. Raises what `submit_job` raises."""
    document = task_of(order)
    request_sha256 = _digest(order, document)
    try:
        with brain.database.write() as transaction:
            known: tuple[ComputingUnit, ...] = ()
            job = _earlier(transaction, caller, order, request_sha256)
            if job is None:
                plan = plan_job(brain, transaction, caller, order, document, for_change=True)
                job, known = (
                    _accept(brain, transaction, caller, order, document, plan, request_sha256),
                    (plan.choice.unit,),
                )
            [view] = views_of(brain, transaction, [job], known=known)
    except AlreadyThere:
        # The same order came twice at once, and the other one was first.
        with brain.database.read() as transaction:
            job = _earlier(transaction, caller, order, request_sha256)
            if job is None:
                raise
            [view] = views_of(brain, transaction, [job])
    if job.unit_id not in brain.full_units:
        brain.dispatch_alarm.set()
    return view


def clean_alias(text: str) -> str:
    """Return a name as it is shown. Raise `InvalidRequest` for one that is too long."""
    alias = "".join(character for character in text if character.isprintable()).strip()
    if len(alias) > MAX_ALIAS_LENGTH:
        raise InvalidRequest(f"The name of a job has at most {MAX_ALIAS_LENGTH} characters.", "Choose a shorter one.")
    return alias


def _accept(
    brain: Brain,
    transaction: Transaction,
    caller: Caller,
    order: JobOrder,
    document: TaskDocument,
    plan: JobPlan,
    request_sha256: str,
) -> Job:
    require_submission(brain, transaction, caller, plan.choice.unit)
    now = brain.now()
    job_id = brain.new_id(Kind.JOB)
    alias = clean_alias(order.alias or "") or plan.kind.upper()
    job = Job(
        id=job_id,
        owner_id=caller.id,
        unit_id=plan.choice.unit.id,
        app_name=order.app_name,
        alias=alias,
        state=JobState.QUEUED,
        version=1,
        attempt=0,
        document=_frozen(job_id, alias, order, document, plan).to_json(),
        data_ids=tuple(file.id for file in plan.files),
        estimate=plan.estimate,
        unit_reason=plan.choice.reason,
        created_at=now,
        deadline_at=now + brain.limits.queue_wait,
        check_at=now + brain.limits.queue_wait,
        turn_by=now + brain.limits.queue_wait,
        idempotency_key=order.idempotency_key,
        request_sha256=request_sha256 if order.idempotency_key is not None else None,
        kind=plan.kind,
        platform=plan.platform.platform,
        forecast=plan.forecast,
        rerun_of=order.rerun_of,
    )
    transaction.jobs.add(job, _submitted(job, caller, now))
    audit(brain, transaction, caller, AuditAction.JOB_SUBMITTED, target=job_id)
    return job


def _submitted(job: Job, caller: Caller, now: datetime) -> JobEvent:
    again = f" It repeats {job.rerun_of}." if job.rerun_of else ""
    return JobEvent(
        job_id=job.id,
        number=job.version,
        at=now,
        actor=caller.id,
        action=JobAction.SUBMITTED,
        reason=job.unit_reason + again,
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
    if job is not None and job.deleted_at is not None:
        raise Conflict(
            "The job of this idempotency key was deleted since.", "Use a new key for a new job.", code="job_deleted"
        )
    return job


def _frozen(job_id: str, alias: str, order: JobOrder, document: TaskDocument, plan: JobPlan) -> FrozenDocument:
    values = document.as_json()
    unit = plan.choice.unit
    return FrozenDocument(
        job_id=job_id,
        app_name=order.app_name,
        alias=alias,
        task=values["task"],
        output=values["output"],
        inputs=tuple(
            InputFile(data_id=file.id, key=file.key, size_bytes=file.size_bytes, checksum=file.checksum)
            for file in plan.files
        ),
        computing_unit=DocumentUnit(id=unit.id, mode=unit.mode, provider=unit.provider),
    )


def _digest(order: JobOrder, document: TaskDocument) -> str:
    request: list[object] = [order.app_name, order.alias, order.mode, order.unit_id, document.as_json()]
    # Left out where nothing is asked for: a key given to an earlier release is still that of the same request.
    request += [option for option in (order.platform, order.deadline_s, order.rerun_of) if option is not None]
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
