"""A file goes straight into a unit's data bucket, part by part; the Brain says where, and whether it is complete.

Parts may be sent in any order, several at once, and again; an upload is resumed from the list of parts that arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cloudmr.errors import Conflict, InvalidRequest, LimitReached
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.data_files import MAX_PARTS, DataFile, DataState, clean_filename
from cloudmr.model.ids import Kind
from cloudmr.model.people import Caller
from cloudmr.model.retention import expires_at
from cloudmr.model.unit_choice import choose_unit
from cloudmr.model.units import APP_NAME, ComputingUnit, Mode
from cloudmr.services.brain import Brain
from cloudmr.services.ownership import own_data_file, unit_of
from cloudmr.services.quotas import require_room
from cloudmr.services.throttling import UPLOAD, count_try, try_key
from cloudmr.services.views import DataView
from cloudmr.storage.base import PART_SIZE_BYTES, Bucket, ObjectInfo, ObjectStorage, SignedRequest, UploadedPart
from cloudmr.storage.errors import UploadNotFound


@dataclass(frozen=True, kw_only=True)
class StartedUpload:
    """A data file to be, and why it goes to its unit."""

    view: DataView
    reason: str


@dataclass(frozen=True, kw_only=True)
class AnnouncedPart:
    """A part to come: its number from 1, and its SHA-256 in base64; other bytes will be refused."""

    number: int
    sha256: str


def start_upload(
    brain: Brain,
    caller: Caller,
    *,
    filename: str,
    size_bytes: int,
    unit_id: str | None = None,
    mode: Mode | None = None,
    announces_parts: bool = True,
) -> StartedUpload:
    """Choose the unit and begin an upload to it; without `announces_parts` its parts come without SHA-256.

    Raises what `choose_unit` raises, `InvalidRequest` for a name that cannot be shown or a size beyond the limit, and
    `LimitReached` for too many uploads (`too_many_tries`) or too much data in the shared unit (`storage_full`).
    """
    filename = clean_filename(filename)
    limit_bytes = min(brain.limits.max_upload_bytes, MAX_PARTS * PART_SIZE_BYTES)
    if not 0 < size_bytes <= limit_bytes:
        raise InvalidRequest(
            f"The file has {size_bytes} bytes; 1 to {limit_bytes} can be uploaded.",
            "Check the file; leave out measurements that are not needed.",
            code="file_size",
        )
    count_try(brain, UPLOAD, try_key("upload", caller.id))
    with brain.database.read() as transaction:
        choice = choose_unit(transaction.units.open_to(caller.id, app_name=APP_NAME), unit_id=unit_id, mode=mode)
        require_room(brain, transaction, caller, choice.unit, size_bytes)
    data_id = brain.new_id(Kind.DATA)
    data_file = DataFile(
        id=data_id,
        owner_id=caller.id,
        unit_id=choice.unit.id,
        filename=filename,
        size_bytes=size_bytes,
        upload_id="",
        state=DataState.UPLOADING,
        created_at=brain.now(),
    )
    storage = brain.connect(choice.unit).storage
    upload_id = storage.start_upload(Bucket.DATA, data_file.key, announces_parts=announces_parts)
    data_file = replace(data_file, upload_id=upload_id)
    try:
        with brain.database.write() as transaction:
            # Looked at once more: another upload may have begun meanwhile, and only here is it one after the other.
            require_room(brain, transaction, caller, choice.unit, size_bytes)
            transaction.data_files.add(data_file)
    except LimitReached:
        storage.abort_upload(Bucket.DATA, data_file.key, upload_id)
        raise
    return StartedUpload(view=DataView(data_file=data_file, unit=choice.unit), reason=choice.reason)


def sign_parts(brain: Brain, caller: Caller, data_id: str, parts: Sequence[AnnouncedPart]) -> Sequence[SignedRequest]:
    """Return a PUT for each part; ask again when it has expired.

    Raises `NotFound`, `Conflict` (`upload_ended`), `InvalidRequest` for a number that the file has no part of, and what
    the storage raises.
    """
    data_file, unit = _uploading(brain, caller, data_id)
    n_parts = data_file.n_parts(PART_SIZE_BYTES)
    for part in parts:
        if not 1 <= part.number <= n_parts:
            raise InvalidRequest(
                f"The file has parts 1 to {n_parts}, and no part {part.number}.",
                f"Cut the file into parts of {PART_SIZE_BYTES} bytes and number them from 1.",
            )
    storage = brain.connect(unit).storage
    return [
        storage.sign_part(Bucket.DATA, data_file.key, data_file.upload_id, part.number, part.sha256) for part in parts
    ]


def list_parts(brain: Brain, caller: Caller, data_id: str) -> Sequence[UploadedPart]:
    """Return the parts that arrived, by number. Raises `NotFound`, `Conflict` (`upload_ended`)."""
    data_file, unit = _uploading(brain, caller, data_id)
    return brain.connect(unit).storage.list_parts(Bucket.DATA, data_file.key, data_file.upload_id)


def complete_upload(
    brain: Brain, caller: Caller, data_id: str, *, acquisition: AcquisitionSize | None = None
) -> DataView:
    """Join the parts and return the data file, ready for use; safe to repeat.

    `acquisition` is what its owner knows of its content; estimates of jobs are better with it.

    Raises `NotFound`, `Conflict` (`upload_ended`; `upload_size` if the parts are not as long as the file was said to
    be), and `UploadIncomplete` from the storage.
    """
    with brain.database.read() as transaction:
        data_file = own_data_file(transaction, caller, data_id)
        unit = unit_of(transaction, data_file)
    if data_file.state is DataState.READY:
        return DataView(data_file=data_file, unit=unit)
    data_file, unit = _uploading(brain, caller, data_id)
    info = _joined(brain, data_file, unit)
    now = brain.now()
    ready = replace(
        data_file,
        state=DataState.READY,
        checksum=info.checksum,
        completed_at=now,
        acquisition=acquisition,
        expires_at=expires_at(brain.limits.inputs_kept, unit.mode, now=now),
    )
    with brain.database.write() as transaction:
        if transaction.data_files.replace(data_file, ready):
            brain.metrics.upload_completed(ready.size_bytes)
            return DataView(data_file=ready, unit=unit)
    # Somebody else completed or aborted it at the same time; what they made of it is true.
    with brain.database.read() as transaction:
        data_file = own_data_file(transaction, caller, data_id)
    if data_file.state is not DataState.READY:
        raise _ended()
    return DataView(data_file=data_file, unit=unit)


def abort_upload(brain: Brain, caller: Caller, data_id: str) -> None:
    """Give an upload up; of one that was given up before, do nothing.

    Raises `NotFound`, `Conflict` (`upload_ended`).
    """
    with brain.database.write() as transaction:
        data_file = own_data_file(transaction, caller, data_id, for_change=True)
        if data_file.state is DataState.ABORTED:
            return
        aborted = replace(data_file, state=DataState.ABORTED, deleted_at=brain.now(), purge_after=brain.now())
        if data_file.state is not DataState.UPLOADING or not transaction.data_files.replace(data_file, aborted):
            raise _ended()
    brain.check_alarm.set()


def _joined(brain: Brain, data_file: DataFile, unit: ComputingUnit) -> ObjectInfo:
    storage = brain.connect(unit).storage
    try:
        arrived = sum(part.size_bytes for part in storage.list_parts(Bucket.DATA, data_file.key, data_file.upload_id))
        if arrived != data_file.size_bytes:
            raise Conflict(
                f"{arrived} of {data_file.size_bytes} bytes have arrived.",
                "Send the parts that the list of parts does not show, then complete the upload.",
                code="upload_size",
            )
        info = storage.complete_upload(Bucket.DATA, data_file.key, data_file.upload_id)
    except UploadNotFound:
        info = _joined_before(storage, data_file)
    if info.size_bytes != data_file.size_bytes:
        raise Conflict(
            f"The object has {info.size_bytes} bytes instead of {data_file.size_bytes}.",
            "Upload the file again.",
            code="upload_size",
        )
    return info


def _joined_before(storage: ObjectStorage, data_file: DataFile) -> ObjectInfo:
    """Return the object of an upload that the storage joined, or began to, before the Brain could write that down."""
    try:
        return storage.complete_upload(Bucket.DATA, data_file.key, data_file.upload_id)
    except UploadNotFound:
        found = storage.head(Bucket.DATA, data_file.key)
    if found is None:
        raise _ended()
    return found


def _uploading(brain: Brain, caller: Caller, data_id: str) -> tuple[DataFile, ComputingUnit]:
    with brain.database.read() as transaction:
        data_file = own_data_file(transaction, caller, data_id)
        unit = unit_of(transaction, data_file)
    if data_file.state is not DataState.UPLOADING:
        raise _ended()
    return data_file, unit


def _ended() -> Conflict:
    return Conflict(
        "This upload has ended.", "Look at the list of your data files, or start anew.", code="upload_ended"
    )
