"""What a unit says of an attempt, once its signature holds: it wants the document, tells how far it is, that it ended.

Nothing it says is believed for more than a hint: `settle_job` asks the unit itself. What it says of an attempt that no
longer counts is written down once and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloudmr.database.base import Transaction
from cloudmr.errors import CallbackRefused, Conflict, InvalidRequest, NotFound
from cloudmr.model.callbacks import KEY_ID_HEADER
from cloudmr.model.documents import FrozenDocument, JobDocument
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import Job, JobState, Progress
from cloudmr.model.reports import Report, ReportedEvent
from cloudmr.services.attempts import attempt_key
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.clean_input import note_cleaned_input, with_cleaned_inputs
from cloudmr.services.settle_job import begun, settle_job


def hand_out_document(brain: Brain, job_id: str, attempt: int, headers: Mapping[str, str]) -> JobDocument:
    """Return the document of an attempt to the worker that runs it; the job is running from then on.

    Raises `CallbackRefused`, and `Conflict` (`attempt_over`) where this attempt no longer counts.
    """
    _verify(brain, job_id, attempt, b"", headers)
    with brain.database.write() as transaction:
        job = _job(transaction, job_id)
        if job.has_ended or job.attempt != attempt or job.cancel_requested_at is not None:
            raise Conflict("This attempt at the job no longer counts.", "Stop working at it.", code="attempt_over")
        _begin(brain, transaction, job)
        document = with_cleaned_inputs(transaction, FrozenDocument.model_validate_json(job.document))
    return document.for_attempt(attempt, deadline_at=job.deadline_at)


def hear_report(brain: Brain, job_id: str, body: bytes, headers: Mapping[str, str]) -> Job:
    """Take a report, of progress or of an end, and return the job as it then is; safe to repeat, in any order.

    Raises `InvalidRequest` for what is no report of this job, `CallbackRefused`, `NotFound`.
    """
    report = Report.parse(body)
    if report.job_id != job_id:
        raise InvalidRequest("The report is of another job than the address.", "Send it to the job it is of.")
    _verify(brain, job_id, report.attempt, body, headers)
    with brain.database.write() as transaction:
        job = _job(transaction, job_id)
        if job.has_ended or job.attempt != report.attempt:
            return _late(brain, transaction, job, report)
        if report.event is ReportedEvent.INPUT_CLEANED:
            return note_cleaned_input(brain, transaction, _begin(brain, transaction, job), report.input)
        if report.event is ReportedEvent.PROGRESS:
            return _record_progress(brain, transaction, job, report)
    return settle_job(brain, job_id, actor=job.unit_id, is_claimed=True)


def _verify(brain: Brain, job_id: str, attempt: int, body: bytes, headers: Mapping[str, str]) -> None:
    try:
        _check_signature(brain, job_id, attempt, body, headers)
    except CallbackRefused as error:
        brain.metrics.callback_refused(error.instance_code)
        raise


def _check_signature(brain: Brain, job_id: str, attempt: int, body: bytes, headers: Mapping[str, str]) -> None:
    key = attempt_key(brain, job_id, attempt)
    if headers.get(KEY_ID_HEADER, "") != key.key_id:
        raise CallbackRefused(
            "The message was signed with a key that this Brain does not have.",
            "Use the key of the attempt; the Brain's secret key may have been replaced since it began.",
        )
    key.verify(body, headers, now=brain.now())


def _job(transaction: Transaction, job_id: str) -> Job:
    job = transaction.jobs.get(job_id, for_change=True)
    if job is None:
        raise NotFound("job")
    return job


def _begin(brain: Brain, transaction: Transaction, job: Job) -> Job:
    if job.state is not JobState.DISPATCHED:
        return job
    after = begun(brain, job)
    reason = "Its computing unit works at it."
    write_change(brain, transaction, job, after, JobAction.STARTED, reason=reason, actor=job.unit_id)
    return after


def _record_progress(brain: Brain, transaction: Transaction, job: Job, report: Report) -> Job:
    job = _begin(brain, transaction, job)
    if report.progress is not None:
        progress = Progress(sequence=report.sequence, at=brain.now(), **dict(report.progress))
        transaction.jobs.record_progress(job, progress)
    return job


def _late(brain: Brain, transaction: Transaction, job: Job, report: Report) -> Job:
    """Write down the first late word of an end that contradicts what is known; the rest is only repetition."""
    if report.event in {ReportedEvent.PROGRESS, ReportedEvent.INPUT_CLEANED} or report.event.value == job.state.value:
        return job
    reason = f"Attempt {report.attempt} was said to have {report.event} when that no longer counted."
    if any(event.reason == reason for event in transaction.jobs.events(job.id)):
        return job
    after = job.evolve()
    write_change(brain, transaction, job, after, JobAction.LATE_REPORT, reason=reason, actor=job.unit_id)
    return after
