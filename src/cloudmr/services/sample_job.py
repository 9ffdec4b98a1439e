"""A first job for who has no data at hand: a synthetic acquisition whose SNR is known, and the task to do on it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.data_files import DataFile, DataState
from cloudmr.model.ids import Kind
from cloudmr.model.jobs import Job
from cloudmr.model.people import Caller
from cloudmr.model.retention import expires_at
from cloudmr.model.unit_choice import choose_unit
from cloudmr.model.units import APP_NAME, ComputingUnit
from cloudmr.services.brain import Brain
from cloudmr.services.quotas import require_room
from cloudmr.services.submit_job import JobOrder, submit_job
from cloudmr.services.throttling import UPLOAD, count_try, try_key
from cloudmr.storage.base import Bucket
from mroptimum.flags import Flags
from mroptimum.task import FileReference

_LATEST = 200
_OBJECT_PERCENT = 10.0
"""Of the maximum: the air around the object has no part in what is counted."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a person is told of the acquisition: its size as recorded, and the truth in the object."""

    filename: str
    alias: str
    size: AcquisitionSize
    acceleration: int
    mean_snr: float
    mean_g: float


SAMPLE = Sample(
    filename="sample-phantom.dat",
    alias="Sample phantom",
    size=AcquisitionSize(n_coils=16, n_x=256, n_y=64, n_slices=3),
    acceleration=2,
    mean_snr=77.42,
    mean_g=1.20,
)


def submit_sample(brain: Brain, caller: Caller) -> Job:
    """Put the acquisition where the caller's data go, unless it lies there, and return the job on it, queued.

    Raises what `choose_unit` raises, `LimitReached` for too many uploads or jobs or too much data in the shared unit,
    and `UnitUnavailable`.
    """
    with brain.database.read() as transaction:
        unit = choose_unit(transaction.units.open_to(caller.id, app_name=APP_NAME)).unit
        known = transaction.data_files.of_owner(caller.id, states=(DataState.READY,), limit=_LATEST)
    there = (file for file in known if (file.filename, file.unit_id) == (SAMPLE.filename, unit.id))
    data_file = next(there, None) or _put(brain, caller, unit)
    place = {"type": "s3", "filename": data_file.filename, "bucket": unit.data_bucket, "key": data_file.key}
    signal = FileReference.model_validate({"type": "file", "options": place})
    flags = Flags(
        method="ac", reconstruction="sense", acceleration=SAMPLE.acceleration, mask_percentage=_OBJECT_PERCENT
    )
    task = flags.document(signal, None)
    return submit_job(brain, caller, JobOrder(document=task.as_json(), alias=SAMPLE.alias))


def _put(brain: Brain, caller: Caller, unit: ComputingUnit) -> DataFile:
    count_try(brain, UPLOAD, try_key("upload", caller.id))
    data_id = brain.new_id(Kind.DATA)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / SAMPLE.filename
        _write(raw)
        with brain.database.read() as transaction:
            require_room(brain, transaction, caller, unit, raw.stat().st_size)
        info = brain.connect(unit).storage.put(Bucket.DATA, f"uploads/{data_id}", raw)
    now = brain.now()
    data_file = DataFile(
        id=data_id,
        owner_id=caller.id,
        unit_id=unit.id,
        filename=SAMPLE.filename,
        size_bytes=info.size_bytes,
        upload_id="",
        state=DataState.READY,
        created_at=now,
        completed_at=now,
        checksum=info.checksum,
        acquisition=SAMPLE.size,
        expires_at=expires_at(brain.limits.inputs_kept, unit.mode, now=now),
    )
    with brain.database.write() as transaction:
        transaction.data_files.add(data_file)
    return data_file


def _write(path: Path) -> None:
    # Numbers and plots are loaded when somebody asks for them, not when a Brain starts.
    from mroptimum.phantom import DEMO, simulate, write_twix_ve

    write_twix_ve(path, simulate(DEMO))
