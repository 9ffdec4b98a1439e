"""Objects of data files that nobody wants any more are removed from the units that are ours to clean."""

from __future__ import annotations

import logging
from dataclasses import replace

from cloudmr.errors import UnitUnavailable
from cloudmr.model.units import Mode
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import unit_of
from cloudmr.storage.base import Bucket

_log = logging.getLogger(__name__)
_AT_ONCE = 100


def purge_data(brain: Brain) -> int:
    """Remove the objects of aborted and deleted files; return of how many.

    In somebody's own unit (mode 2) nothing is removed, because we may not: the bucket's lifecycle does that.
    """
    with brain.database.read() as transaction:
        found = [(file, unit_of(transaction, file)) for file in transaction.data_files.to_purge(limit=_AT_ONCE)]
    n_purged = 0
    for data_file, unit in found:
        try:
            storage = brain.connect(unit).storage
            storage.abort_upload(Bucket.DATA, data_file.key, data_file.upload_id)
            if unit.mode is Mode.MODE_1:
                storage.delete(Bucket.DATA, data_file.key)
        except UnitUnavailable as error:
            _log.warning("%s is not purged yet: %s", data_file.id, error.message)
            continue
        with brain.database.write() as transaction:
            transaction.data_files.replace(data_file, replace(data_file, purged_at=brain.now()))
        n_purged += 1
    return n_purged
