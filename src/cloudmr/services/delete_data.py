"""A person removes data files, several at once if need be, and brings them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cloudmr.errors import Conflict
from cloudmr.model.audit import AuditAction
from cloudmr.model.data_files import DataState
from cloudmr.model.people import Caller
from cloudmr.model.retention import expires_at
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import own_data_file, own_data_file_or_deleted, unit_of
from cloudmr.services.views import DataView


def delete_data(brain: Brain, caller: Caller, data_ids: Sequence[str], *, for_good: bool = False) -> list[DataView]:
    """Remove data files, all or none, and return them as they then are.

    For a while they can be brought back, unless they are removed `for_good`: then their objects go a moment later. In
    the caller's own unit (mode 2) the objects stay; only the bucket's rules or its owner remove them.

    Raises `NotFound`, `Conflict` (`data_in_use`).
    """
    now = brain.now()
    with brain.database.write() as transaction:
        views = []
        for data_id in dict.fromkeys(data_ids):
            before = own_data_file(transaction, caller, data_id, for_change=True)
            if transaction.data_files.is_in_use(data_id):
                raise Conflict(
                    f"A job that has not ended reads {data_id}.", "Wait for its end, or cancel it.", code="data_in_use"
                )
            is_whole = before.state is DataState.READY
            purge_after = now if for_good or not is_whole else now + brain.limits.undo
            after = replace(before, state=DataState.DELETED, deleted_at=now, purge_after=purge_after)
            transaction.data_files.replace(before, after)
            audit(brain, transaction, caller, AuditAction.DATA_DELETED, target=data_id)
            views.append(DataView(data_file=after, unit=unit_of(transaction, after)))
    brain.check_alarm.set()
    return views


def restore_data(brain: Brain, caller: Caller, data_ids: Sequence[str]) -> list[DataView]:
    """Bring data files back, all or none, and return them; what was not deleted stays as it is.

    Their time begins anew. Raises `NotFound`, also for what was never complete, and `Conflict` (`data_purged`) where it
    is too late.
    """
    now = brain.now()
    with brain.database.write() as transaction:
        views = []
        for data_id in dict.fromkeys(data_ids):
            before = own_data_file_or_deleted(transaction, caller, data_id)
            unit = unit_of(transaction, before)
            if before.state is DataState.DELETED:
                if before.purged_at is not None or before.purge_after is None or now >= before.purge_after:
                    raise Conflict(
                        f"The data file {data_id} was removed for good.", "Upload it again.", code="data_purged"
                    )
                after = replace(
                    before,
                    state=DataState.READY,
                    deleted_at=None,
                    purge_after=None,
                    expires_at=expires_at(brain.limits.inputs_kept, unit.mode, now=now),
                )
                transaction.data_files.replace(before, after)
                audit(brain, transaction, caller, AuditAction.DATA_RESTORED, target=data_id)
                views.append(DataView(data_file=after, unit=unit))
            else:
                views.append(DataView(data_file=before, unit=unit))
    return views
