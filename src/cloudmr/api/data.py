"""/api/data: data files and their uploads. Content goes to the unit's storage by signed requests, not through here."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AliasChoices, Field, StringConstraints

from cloudmr.api.access import Reader, TheBrain, Worker
from cloudmr.api.bodies import Body, IdText, SignedLink
from cloudmr.model.data_files import DataState
from cloudmr.model.units import Mode
from cloudmr.services import data_files, upload_data
from cloudmr.services.views import DataView
from cloudmr.storage.base import PART_SIZE_BYTES, UploadedPart

router = APIRouter(prefix="/api/data", tags=["data"])

DataId = Annotated[IdText, Path(description="id of a data file")]
FileName = Annotated[str, StringConstraints(max_length=4096)]


class UploadRequest(Body):
    """A file to come: its name, its size, and, if it matters, where it is to lie."""

    filename: FileName
    size_bytes: int = Field(validation_alias=AliasChoices("size", "size_bytes", "sizeBytes"))
    computing_unit_id: IdText | None = None
    mode: Mode | None = None


class PartRequest(Body):
    """The SHA-256 of a part, in base64; other bytes will be refused."""

    sha256: Annotated[str, StringConstraints(max_length=64)]


class RenameRequest(Body):
    """What to call a file."""

    filename: FileName


class DataAnswer(Body):
    """A data file, and its object in its unit: a task refers to it by `bucket` and `key`."""

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
    sha256: str

    @classmethod
    def of(cls, part: UploadedPart) -> PartAnswer:
        """Return a part as JSON has it."""
        return cls(number=part.number, size_bytes=part.size_bytes, sha256=part.sha256)


class PartList(Body):
    """The parts that have arrived, by number."""

    part_size_bytes: int
    parts: list[PartAnswer]


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


@router.post("/{data_id}/parts/{number}")
def sign_part(
    data_id: DataId, number: Annotated[int, Path(ge=1)], body: PartRequest, caller: Worker, brain: TheBrain
) -> SignedLink:
    """Return a request that takes one part of a file; ask again when it has expired."""
    return SignedLink.of(upload_data.sign_part(brain, caller, data_id, number=number, sha256=body.sha256))


@router.get("/{data_id}/parts")
def list_parts(data_id: DataId, caller: Reader, brain: TheBrain) -> PartList:
    """List the parts that have arrived, to go on where an upload stopped."""
    parts = upload_data.list_parts(brain, caller, data_id)
    return PartList(part_size_bytes=PART_SIZE_BYTES, parts=[PartAnswer.of(part) for part in parts])


@router.post("/{data_id}/complete")
def complete_upload(data_id: DataId, caller: Worker, brain: TheBrain) -> DataAnswer:
    """Join the parts; safe to repeat."""
    return DataAnswer.of(upload_data.complete_upload(brain, caller, data_id))


@router.post("/{data_id}/abort", status_code=HTTPStatus.NO_CONTENT)
def abort_upload(data_id: DataId, caller: Worker, brain: TheBrain) -> Response:
    """Give an upload up; safe to repeat."""
    upload_data.abort_upload(brain, caller, data_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("")
def list_data(
    caller: Reader,
    brain: TheBrain,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[IdText | None, Query(description="the `next` of the page before")] = None,
) -> DataPage:
    """List data files, complete or on their way, the latest first."""
    found = data_files.list_data(brain, caller, limit=limit + 1, before=before)
    page = found[:limit]
    return DataPage(
        data=[DataAnswer.of(view) for view in page],
        next=page[-1].data_file.id if len(found) > limit else None,
    )


@router.get("/{data_id}")
def get_data(data_id: DataId, caller: Reader, brain: TheBrain) -> DataAnswer:
    """Return one data file."""
    return DataAnswer.of(data_files.get_data(brain, caller, data_id))


@router.patch("/{data_id}")
def rename_data(data_id: DataId, body: RenameRequest, caller: Worker, brain: TheBrain) -> DataAnswer:
    """Call a data file something else."""
    return DataAnswer.of(data_files.rename_data(brain, caller, data_id, filename=body.filename))


@router.delete("/{data_id}", status_code=HTTPStatus.NO_CONTENT)
def delete_data(data_id: DataId, caller: Worker, brain: TheBrain) -> Response:
    """Remove a data file."""
    data_files.delete_data(brain, caller, data_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/{data_id}/download")
def download_data(data_id: DataId, caller: Reader, brain: TheBrain) -> SignedLink:
    """Return a request that gets a data file."""
    return SignedLink.of(data_files.download_data(brain, caller, data_id))
