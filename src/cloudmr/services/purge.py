"""What can no longer be brought back is removed from the units that are ours to clean.

In somebody's own unit (mode 2) nothing is removed, because we may not: the bucket's lifecycle does that.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from cloudmr.errors import UnitUnavailable
from cloudmr.model.data_files import DataFile
from cloudmr.model.documents import job_prefixes
from cloudmr.model.events import BRAIN, JobAction
from cloudmr.model.jobs import Job
from cloudmr.model.regions import regions_prefix
from cloudmr.model.units import ComputingUnit, Mode
from cloudmr.services.brain import Brain
from cloudmr.services.changes import write_change
from cloudmr.services.ownership import unit_of
from cloudmr.storage.base import Bucket, ObjectStorage

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_DONE = {
    Mode.MODE_1: "What it left was removed for good.",
    Mode.MODE_2: "It cannot be brought back here. What it left stays in its owner's bucket until it is removed there.",
}


def purge_data(brain: Brain) -> int:
    """Remove the objects of aborted and deleted files whose time to come back is over; return of how many."""
    with brain.database.read() as transaction:
        due = transaction.data_files.to_purge(now=brain.now(), limit=_AT_ONCE)
        found = [(file, unit_of(transaction, file)) for file in due]
    return sum(_purge_file(brain, data_file, unit) for data_file, unit in found)


def purge_results(brain: Brain) -> int:
    """Remove what jobs left whose time to come back is over; return of how many."""
    with brain.database.read() as transaction:
        due = transaction.jobs.to_purge(now=brain.now(), limit=_AT_ONCE)
        found = [(job, unit_of(transaction, job)) for job in due]
    return sum(_purge_job(brain, job, unit) for job, unit in found)


def _purge_file(brain: Brain, data_file: DataFile, unit: ComputingUnit) -> bool:
    try:
        storage = brain.connect(unit).storage
        if data_file.upload_id:
            storage.abort_upload(Bucket.DATA, data_file.key, data_file.upload_id)
        if unit.mode is Mode.MODE_1:
            storage.delete(Bucket.DATA, data_file.key)
    except UnitUnavailable as error:
        if unit.mode is Mode.MODE_1:
            _log.warning("%s is not purged yet: %s", data_file.id, error.message)
            return False
        # The bucket's own rules end its uploads; a unit that is gone for good would be asked for ever.
        _log.info("what was begun of %s is left to its bucket: %s", data_file.id, error.message)
    with brain.database.write() as transaction:
        transaction.data_files.replace(data_file, replace(data_file, purged_at=brain.now()))
    return True


def _purge_job(brain: Brain, job: Job, unit: ComputingUnit) -> bool:
    try:
        if unit.mode is Mode.MODE_1:
            storage = brain.connect(unit).storage
            results, failed = job_prefixes(job.id)
            for bucket, prefix in (
                (Bucket.RESULTS, results),
                (Bucket.FAILED, failed),
                (Bucket.DATA, regions_prefix(job.id)),
            ):
                _delete_below(storage, bucket, prefix)
    except UnitUnavailable as error:
        _log.warning("what %s left is not purged yet: %s", job.id, error.message)
        return False
    with brain.database.write() as transaction:
        after = job.evolve(purged_at=brain.now())
        reason = _DONE[unit.mode]
        is_written = write_change(brain, transaction, job, after, JobAction.PURGED, reason=reason, actor=BRAIN)
        if is_written and job.deleted_at is not None:
            transaction.jobs.forget_content(job.id)
    return True


def _delete_below(storage: ObjectStorage, bucket: Bucket, prefix: str) -> None:
    for info in list(storage.list(bucket, prefix)):
        storage.delete(bucket, info.key)
