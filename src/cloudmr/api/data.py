"""/api/data: data files and their uploads. Content goes to the unit's storage by signed requests, not through here."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AliasChoices, Field, StringConstraints

from cloudmr.api.access import Reader, TheBrain, Worker
from cloudmr.api.bodies import Body, IdText, SignedLink, with_examples
from cloudmr.api.exports import ExportFormat, exported
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.data_files import DataState
from cloudmr.model.units import Mode
from cloudmr.services import data_files, upload_data
from cloudmr.services.add_data import add_data
from cloudmr.services.delete_data import delete_data, restore_data
from cloudmr.services.upload_data import AnnouncedPart
from cloudmr.services.views import DataView
from cloudmr.storage.base import PART_SIZE_BYTES, UploadedPart

router = APIRouter(prefix="/api/data", tags=["data"])

MAX_SIGNED_AT_ONCE = 100

DataId = Annotated[IdText, Path(description="id of a data file")]
FileName = Annotated[str, StringConstraints(max_length=4096)]


class UploadRequest(Body):
    """A file to come: its name, its size, and, if it matters, where it is to lie."""

    model_config = with_examples({"filename": "meas.dat", "size": 734003200, "mode": "mode_1"})

    filename: FileName
    size_bytes: int = Field(validation_alias=AliasChoices("size", "size_bytes", "sizeBytes"))
    computing_unit_id: IdText | None = None
    mode: Mode | None = None


_ANNOUNCED = {"number": 1, "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}


class AnnouncedPartBody(Body):
    """A part to come: its number from 1, and its SHA-256 in base64; other bytes will be refused."""

    model_config = with_examples(_ANNOUNCED)

    number: int
    sha256: Annotated[str, StringConstraints(max_length=64)]

    def announced(self) -> AnnouncedPart:
        """Return it as a value."""
        return AnnouncedPart(number=self.number, sha256=self.sha256)


class PartsRequest(Body):
    """Parts that will be sent next, at most 100 at once."""

    model_config = with_examples({"parts": [_ANNOUNCED]})

    parts: Annotated[list[AnnouncedPartBody], Field(min_length=1, max_length=MAX_SIGNED_AT_ONCE)]


_ACQUISITION = {"n_coils": 16, "matrix": [512, 256, 1], "n_slices": 20, "n_repetitions": 1}


class AcquisitionBody(Body):
    """How large an acquisition is, as recorded: `matrix` counts samples and lines along x, y (and z)."""

    model_config = with_examples(_ACQUISITION)

    n_coils: int
    matrix: Annotated[list[int], Field(min_length=2, max_length=3)]
    n_slices: int = 1
    n_repetitions: int = 1

    def size(self) -> AcquisitionSize:
        """Return it as a value. Raises `InvalidRequest` for numbers that cannot be."""
        n_x, n_y, n_z = (*self.matrix, 1)[:3]
        return AcquisitionSize(
            n_coils=self.n_coils,
            n_x=n_x,
            n_y=n_y,
            n_z=n_z,
            n_slices=self.n_slices,
            n_repetitions=self.n_repetitions,
        )

    @classmethod
    def of(cls, size: AcquisitionSize) -> AcquisitionBody:
        """Return it as JSON has it."""
        return cls(
            n_coils=size.n_coils,
            matrix=[size.n_x, size.n_y, size.n_z],
            n_slices=size.n_slices,
            n_repetitions=size.n_repetitions,
        )


class CompleteRequest(Body):
    """What is known of a file's content when it has arrived; without, estimates of jobs know its size alone."""

    model_config = with_examples({"acquisition": _ACQUISITION})

    acquisition: AcquisitionBody | None = None


class AddRequest(Body):
    """An object in the data bucket of one's own unit, below `uploads/`, and what to call it."""

    model_config = with_examples(
        {"computing_unit_id": "unit_01jd3v6w0s8k2m4n6p8q0r2t4v", "key": "uploads/study-7/meas.dat"}
    )

    computing_unit_id: IdText
    key: Annotated[str, StringConstraints(max_length=1024)]
    filename: FileName | None = None
    acquisition: AcquisitionBody | None = None


class DataIds(Body):
    """Data files, all of which or none are treated."""

    model_config = with_examples({"data_ids": ["data_01jd3v6w0s8k2m4n6p8q0r2t4v"]})

    data_ids: Annotated[list[IdText], Field(min_length=1, max_length=200)]


class DeleteRequest(DataIds):
    """Data files to delete; `for_good`: without a way back, which makes room at once."""

    model_config = with_examples({"data_ids": ["data_01jd3v6w0s8k2m4n6p8q0r2t4v"], "for_good": False})

    for_good: bool = False


class RenameRequest(Body):
    """What to call a file."""

    model_config = with_examples({"filename": "knee.dat"})

    filename: FileName


_DATA = {
    "id": "data_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "filename": "meas.dat",
    "size_bytes": 734003200,
    "state": "ready",
    "computing_unit_id": "unit_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "bucket": "data",
    "key": "uploads/data_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "checksum": "Qm9ndXMgYnV0IG9mIHRoZSByaWdodCBsZW5ndGghISE=-70",
    "created_at": "2026-11-22T12:00:00Z",
    "completed_at": "2026-11-22T12:05:00Z",
    "acquisition": _ACQUISITION,
    "expires_at": "2026-11-29T12:05:00Z",
    "expires_by": "brain",
    "deleted_at": None,
    "restorable_until": None,
    "cleaned_at": None,
}


class DataAnswer(Body):
    """A data file, and its object in its unit: a task refers to it by `bucket` and `key`.

    It is kept until `expires_at` (null: as long as `expires_by`, the Brain or the unit, keeps it); what was deleted, or
    has expired, can be restored until `restorable_until`. `cleaned_at` is when fields were blanked that named a person.
    """

    model_config = with_examples(_DATA)

    id: str
    filename: str
    size_bytes: int
    state: DataState
    computing_unit_id: str
    bucket: str
    key: str
    checksum: str | None
    created_at: datetime
    completed_at: datetime | None
    acquisition: AcquisitionBody | None
    expires_at: datetime | None
    expires_by: Literal["brain", "unit"]
    deleted_at: datetime | None
    restorable_until: datetime | None
    cleaned_at: datetime | None

    @classmethod
    def of(cls, view: DataView) -> DataAnswer:
        """Return a data file as JSON has it."""
        file = view.data_file
        return cls(
            id=file.id,
            filename=file.filename,
            size_bytes=file.size_bytes,
            state=file.state,
            computing_unit_id=file.unit_id,
            bucket=view.unit.data_bucket,
            key=file.key,
            checksum=file.checksum,
            created_at=file.created_at,
            completed_at=file.completed_at,
            acquisition=AcquisitionBody.of(file.acquisition) if file.acquisition else None,
            expires_at=file.expires_at,
            expires_by="brain" if view.unit.mode is Mode.MODE_1 else "unit",
            deleted_at=file.deleted_at,
            restorable_until=file.purge_after if file.purged_at is None else None,
            cleaned_at=file.cleaned_at,
        )


class UploadAnswer(Body):
    """An upload that may begin: cut the file into `n_parts` parts of `part_size_bytes` (the last may be shorter).

    `reason` says why the file goes to this unit.
    """

    data: DataAnswer
    part_size_bytes: int
    n_parts: int
    reason: str


class PartAnswer(Body):
    """A part that has arrived."""

    number: int
    size_bytes: int
    sha256: str | None

    @classmethod
    def of(cls, part: UploadedPart) -> PartAnswer:
        """Return a part as JSON has it."""
        return cls(number=part.number, size_bytes=part.size_bytes, sha256=part.sha256)


class PartLinks(Body):
    """A request for each of the parts that were asked for, in their order."""

    links: list[SignedLink]


class PartList(Body):
    """The parts that have arrived, by number."""

    part_size_bytes: int
    parts: list[PartAnswer]


class DataList(Body):
    """Some data files."""

    data: list[DataAnswer]


class DataPage(Body):
    """Some data files, the latest first; `next` is what to give as `before` for those before them."""

    data: list[DataAnswer]
    next: str | None


@router.post("/upload", status_code=HTTPStatus.CREATED)
def start_upload(body: UploadRequest, caller: Worker, brain: TheBrain) -> UploadAnswer:
    """Begin an upload; the unit the file will lie in is chosen here."""
    started = upload_data.start_upload(
        brain,
        caller,
        filename=body.filename,
        size_bytes=body.size_bytes,
        unit_id=body.computing_unit_id,
        mode=body.mode,
    )
    return UploadAnswer(
        data=DataAnswer.of(started.view),
        part_size_bytes=PART_SIZE_BYTES,
        n_parts=started.view.data_file.n_parts(PART_SIZE_BYTES),
        reason=started.reason,
    )


@router.post("/{data_id}/parts")
def sign_parts(data_id: DataId, body: PartsRequest, caller: Worker, brain: TheBrain) -> PartLinks:
    """Return requests that take some parts of a file, in the order of `parts`; ask again for one that has expired."""
    announced = [part.announced() for part in body.parts]
    return PartLinks(links=[SignedLink.of(r) for r in upload_data.sign_parts(brain, caller, data_id, announced)])


@router.get("/{data_id}/parts")
def list_parts(data_id: DataId, caller: Reader, brain: TheBrain) -> PartList:
    """List the parts that have arrived, to go on where an upload stopped."""
    parts = upload_data.list_parts(brain, caller, data_id)
    return PartList(part_size_bytes=PART_SIZE_BYTES, parts=[PartAnswer.of(part) for part in parts])


@router.post("/{data_id}/complete")
def complete_upload(
    data_id: DataId, caller: Worker, brain: TheBrain, body: CompleteRequest | None = None
) -> DataAnswer:
    """Join the parts; safe to repeat."""
    acquisition = body.acquisition.size() if body and body.acquisition else None
    return DataAnswer.of(upload_data.complete_upload(brain, caller, data_id, acquisition=acquisition))


@router.post("/{data_id}/abort", status_code=HTTPStatus.NO_CONTENT)
def abort_upload(data_id: DataId, caller: Worker, brain: TheBrain) -> Response:
    """Give an upload up; safe to repeat."""
    upload_data.abort_upload(brain, caller, data_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/add", status_code=HTTPStatus.CREATED)
def add(body: AddRequest, caller: Worker, brain: TheBrain) -> DataAnswer:
    """Take note of an object that lies in the bucket of one's own unit already; nothing is copied."""
    return DataAnswer.of(
        add_data(
            brain,
            caller,
            unit_id=body.computing_unit_id,
            key=body.key,
            filename=body.filename,
            acquisition=body.acquisition.size() if body.acquisition else None,
        )
    )


@router.post("/delete")
def delete_several(body: DeleteRequest, caller: Worker, brain: TheBrain) -> DataList:
    """Delete data files, all or none; until `restorable_until` they can be restored."""
    views = delete_data(brain, caller, body.data_ids, for_good=body.for_good)
    return DataList(data=[DataAnswer.of(view) for view in views])


@router.post("/restore")
def restore_several(body: DataIds, caller: Worker, brain: TheBrain) -> DataList:
    """Bring deleted data files back, all or none."""
    return DataList(data=[DataAnswer.of(view) for view in restore_data(brain, caller, body.data_ids)])


@router.get("")
def list_data(
    caller: Reader,
    brain: TheBrain,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[IdText | None, Query(description="the `next` of the page before")] = None,
    deleted: Annotated[bool, Query(description="those that were deleted and can be restored instead")] = False,
) -> DataPage:
    """List data files, complete or on their way, the latest first."""
    found = data_files.list_data(brain, caller, limit=limit + 1, before=before, is_deleted=deleted)
    page = found[:limit]
    return DataPage(
        data=[DataAnswer.of(view) for view in page],
        next=page[-1].data_file.id if len(found) > limit else None,
    )


@router.get("/export")
def export_data(
    caller: Reader,
    brain: TheBrain,
    export_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
) -> StreamingResponse:
    """Return all data files, the latest first, as one file."""
    rows = (_row(view) for view in data_files.every_file(brain, caller))
    return exported(rows, _COLUMNS, export_format, name="data")


@router.get("/{data_id}")
def get_data(data_id: DataId, caller: Reader, brain: TheBrain) -> DataAnswer:
    """Return one data file."""
    return DataAnswer.of(data_files.get_data(brain, caller, data_id))


@router.patch("/{data_id}")
def rename_data(data_id: DataId, body: RenameRequest, caller: Worker, brain: TheBrain) -> DataAnswer:
    """Call a data file something else."""
    return DataAnswer.of(data_files.rename_data(brain, caller, data_id, filename=body.filename))


@router.delete("/{data_id}", status_code=HTTPStatus.NO_CONTENT)
def delete_one(
    data_id: DataId,
    caller: Worker,
    brain: TheBrain,
    for_good: Annotated[bool, Query(description="without a way back, which makes room at once")] = False,
) -> Response:
    """Delete a data file; for a while it can be restored."""
    delete_data(brain, caller, [data_id], for_good=for_good)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/{data_id}/restore")
def restore_one(data_id: DataId, caller: Worker, brain: TheBrain) -> DataAnswer:
    """Bring a deleted data file back; its time begins anew. Safe to repeat."""
    [view] = restore_data(brain, caller, [data_id])
    return DataAnswer.of(view)


@router.get("/{data_id}/download")
def download_data(data_id: DataId, caller: Reader, brain: TheBrain) -> SignedLink:
    """Return a request that gets a data file."""
    return SignedLink.of(data_files.download_data(brain, caller, data_id))


_COLUMNS = (
    *("id", "filename", "size_bytes", "state", "computing_unit_id", "mode", "created_at", "completed_at"),
    *("expires_at", "n_coils", "n_slices", "n_repetitions", "checksum"),
)


def _row(view: DataView) -> dict[str, str | int | None]:
    file = view.data_file
    size = file.acquisition
    return {
        "id": file.id,
        "filename": file.filename,
        "size_bytes": file.size_bytes,
        "state": file.state,
        "computing_unit_id": file.unit_id,
        "mode": view.unit.mode,
        "created_at": file.created_at.isoformat(),
        "completed_at": file.completed_at.isoformat() if file.completed_at else None,
        "expires_at": file.expires_at.isoformat() if file.expires_at else None,
        "n_coils": size.n_coils if size else None,
        "n_slices": size.n_slices if size else None,
        "n_repetitions": size.n_repetitions if size else None,
        "checksum": file.checksum,
    }
