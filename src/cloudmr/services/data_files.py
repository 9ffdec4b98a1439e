"""What a person does with data files that are there: list, rename, download, delete."""

from __future__ import annotations

from dataclasses import replace

from cloudmr.errors import Conflict
from cloudmr.model.data_files import DataState, clean_filename
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import own_data_file, unit_of
from cloudmr.services.views import DataView
from cloudmr.storage.base import Bucket, SignedRequest

_SHOWN = (DataState.UPLOADING, DataState.READY)


def list_data(brain: Brain, caller: Caller, *, limit: int, before: str | None = None) -> list[DataView]:
    """Return a person's data files, complete or on their way, the latest first, those before an id."""
    with brain.database.read() as transaction:
        found = transaction.data_files.of_owner(caller.id, states=_SHOWN, limit=limit, before=before)
        units = {unit.id: unit for unit in transaction.units.by_ids({file.unit_id for file in found})}
    return [DataView(data_file=file, unit=units[file.unit_id]) for file in found]


def get_data(brain: Brain, caller: Caller, data_id: str) -> DataView:
    """Return one data file. Raises `NotFound`."""
    with brain.database.read() as transaction:
        data_file = own_data_file(transaction, caller, data_id)
        return DataView(data_file=data_file, unit=unit_of(transaction, data_file))


def rename_data(brain: Brain, caller: Caller, data_id: str, *, filename: str) -> DataView:
    """Call a data file something else. Raises `NotFound`, `InvalidRequest`."""
    filename = clean_filename(filename)
    with brain.database.write() as transaction:
        before = own_data_file(transaction, caller, data_id, for_change=True)
        after = replace(before, filename=filename)
        transaction.data_files.replace(before, after)
        return DataView(data_file=after, unit=unit_of(transaction, after))


def download_data(brain: Brain, caller: Caller, data_id: str) -> SignedRequest:
    """Return a GET of a data file, good for minutes. Raises `NotFound`, `Conflict` (`data_not_ready`)."""
    with brain.database.read() as transaction:
        data_file = own_data_file(transaction, caller, data_id)
        unit = unit_of(transaction, data_file)
    if data_file.state is not DataState.READY:
        raise Conflict("The data file is not complete.", "Finish its upload.", code="data_not_ready")
    return brain.connect(unit).storage.sign_get(Bucket.DATA, data_file.key, filename=data_file.filename)


def delete_data(brain: Brain, caller: Caller, data_id: str) -> None:
    """Remove a data file; its object goes a moment later. Raises `NotFound`, `Conflict` (`data_in_use`)."""
    with brain.database.write() as transaction:
        before = own_data_file(transaction, caller, data_id, for_change=True)
        if transaction.data_files.is_in_use(data_id):
            raise Conflict(
                "A job that has not ended reads this file.", "Wait for its end, or cancel it.", code="data_in_use"
            )
        after = replace(before, state=DataState.DELETED, deleted_at=brain.now())
        transaction.data_files.replace(before, after)
    brain.check_alarm.set()
