"""An object that lies in a person's own unit already becomes a data file: nothing is copied, it is only known of."""

from __future__ import annotations

from cloudmr.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.data_files import DataFile, DataState, clean_filename
from cloudmr.model.ids import Kind
from cloudmr.model.people import Caller
from cloudmr.model.unit_choice import choose_unit
from cloudmr.model.units import APP_NAME, Mode
from cloudmr.services.brain import Brain
from cloudmr.services.throttling import UPLOAD, count_try, try_key
from cloudmr.services.views import DataView
from cloudmr.storage.base import Bucket

FOLDER = "uploads/"
"""Where the Brain may look in somebody's own bucket."""


def add_data(
    brain: Brain,
    caller: Caller,
    *,
    unit_id: str,
    key: str,
    filename: str | None = None,
    acquisition: AcquisitionSize | None = None,
) -> DataView:
    """Take note of an object in the data bucket of the caller's own unit, and return it as a data file, ready for use.

    Raises `NotAllowed` (`not_your_unit`) for a shared unit, whose objects are everybody's; `InvalidRequest` for a key
    outside of `uploads/` and for an empty object; `NotFound` where there is no such object; `Conflict` (`data_known`)
    for one that is a data file already; `UnitUnavailable`.
    """
    if not key.startswith(FOLDER) or key == FOLDER:
        raise InvalidRequest(
            f"Only objects below {FOLDER} of the data bucket can be added.", f"Move the object to {FOLDER}…", code="key"
        )
    name = clean_filename(filename or key)
    count_try(brain, UPLOAD, try_key("upload", caller.id))
    with brain.database.read() as transaction:
        unit = choose_unit(transaction.units.open_to(caller.id, app_name=APP_NAME), unit_id=unit_id).unit
    if unit.mode is not Mode.MODE_2:
        raise NotAllowed(
            "Objects can be added from a computing unit of your own only.",
            "Upload the file, or name your own unit (mode 2).",
            code="not_your_unit",
        )
    found = brain.connect(unit).storage.head(Bucket.DATA, key)
    if found is None:
        raise NotFound("object")
    if found.size_bytes == 0:
        raise InvalidRequest("The object is empty.", "Add one that holds raw data.", code="file_size")
    now = brain.now()
    data_file = DataFile(
        id=brain.new_id(Kind.DATA),
        owner_id=caller.id,
        unit_id=unit.id,
        filename=name,
        size_bytes=found.size_bytes,
        upload_id="",
        state=DataState.READY,
        created_at=now,
        completed_at=now,
        checksum=found.checksum,
        object_key=key,
        acquisition=acquisition,
    )
    with brain.database.write() as transaction:
        known = transaction.data_files.by_key(caller.id, key)
        if known is not None and known.unit_id == unit.id and known.state is not DataState.DELETED:
            raise Conflict(f"The object is the data file {known.id} already.", "Use that one.", code="data_known")
        transaction.data_files.add(data_file)
    return DataView(data_file=data_file, unit=unit)
