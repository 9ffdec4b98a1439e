"""A worker in the shared unit found a data file that named a person: it is blanked there, and that is told.

It should not have come so far: clients clean files on their way. Those that do not (older ones, other programs) are
cleaned here, before anything else is done with the file.
"""

from __future__ import annotations

from dataclasses import replace

from cloudmr.database.base import Transaction
from cloudmr.errors import NotFound
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.documents import FrozenDocument, InputFile
from cloudmr.model.events import JobAction
from cloudmr.model.jobs import Job
from cloudmr.model.reports import ReportedInput
from cloudmr.model.units import Mode
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.ownership import unit_of

_MAX_NAMED = 10


def note_cleaned_input(brain: Brain, transaction: Transaction, job: Job, found: ReportedInput | None) -> Job:
    """Write down what became of a data file that named a person, and return the job, which says so; safe to repeat.

    Raises `NotFound` for a file that the job does not read. In somebody's own unit (mode 2) nobody touches their files.
    """
    if found is None or found.data_id not in job.data_ids or unit_of(transaction, job).mode is not Mode.MODE_1:
        raise NotFound("data file")
    before = transaction.data_files.get(found.data_id, for_change=True)
    if before is None or before.state is not DataState.READY:
        return job
    now = brain.now()
    if found.checksum is None or found.size_bytes is None:
        after = replace(before, state=DataState.DELETED, deleted_at=now, purge_after=now)
        done = "it could not be cleaned and was removed"
    else:
        after = replace(before, checksum=found.checksum, size_bytes=found.size_bytes, cleaned_at=now)
        done = "these fields were blanked before anything else was done with it"
    if (after.checksum, after.size_bytes, after.state) == (before.checksum, before.size_bytes, before.state):
        return job
    transaction.data_files.replace(before, after)
    reason = f"The header of {before.id} named a person ({_named(found)}); {done}."
    changed = job.evolve()
    write_change(brain, transaction, job, changed, JobAction.INPUT_CLEANED, reason=reason, actor=job.unit_id)
    brain.check_alarm.set()
    return changed


def with_cleaned_inputs(transaction: Transaction, document: FrozenDocument) -> FrozenDocument:
    """Return a job document in which files that were cleaned since it was frozen are what they are now."""
    files = {file.data_id: transaction.data_files.get(file.data_id) for file in document.inputs}
    inputs = tuple(_as_it_is(file, files[file.data_id]) for file in document.inputs)
    return document.model_copy(update={"inputs": inputs})


def _as_it_is(file: InputFile, data_file: DataFile | None) -> InputFile:
    if data_file is None or data_file.cleaned_at is None:
        return file
    return file.model_copy(update={"size_bytes": data_file.size_bytes, "checksum": data_file.checksum})


def _named(found: ReportedInput) -> str:
    names = ["".join(c for c in name if c.isprintable()) for name in found.fields[:_MAX_NAMED]]
    more = len(found.fields) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "") if names else "in a way that cannot be told apart"
