"""What a person does with data files that are there: list, rename, download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cloudmr.errors import Conflict
from cloudmr.model.data_files import DataState, clean_filename
from cloudmr.model.people import Caller
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import own_data_file, unit_of
from cloudmr.services.views import DataView
from cloudmr.storage.base import Bucket, SignedRequest

_AT_ONCE = 200
_SHOWN = (DataState.UPLOADING, DataState.READY)


def list_data(
    brain: Brain, caller: Caller, *, limit: int, before: str | None = None, is_deleted: bool = False
) -> list[DataView]:
    """Return a person's data files, complete or on their way, the latest first, those before an id.

    With `is_deleted` instead those that were deleted, or whose time was up, and that can still be brought back.
    """
    with brain.database.read() as transaction:
        if is_deleted:
            found = transaction.data_files.restorable(caller.id, now=brain.now(), limit=limit, before=before)
        else:
            found = transaction.data_files.of_owner(caller.id, states=_SHOWN, limit=limit, before=before)
        units = {unit.id: unit for unit in transaction.units.by_ids({file.unit_id for file in found})}
    return [DataView(data_file=file, unit=units[file.unit_id]) for file in found]


def every_file(brain: Brain, caller: Caller) -> Iterator[DataView]:
    """Yield all of a person's data files, complete or on their way, the latest first; each page is of one moment."""
    before: str | None = None
    while page := list_data(brain, caller, limit=_AT_ONCE, before=before):
        yield from page
        before = page[-1].data_file.id


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
