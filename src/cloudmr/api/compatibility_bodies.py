"""What existing clients send and look for, field by field. Nothing of it is used by anybody else."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from cloudmr.api.bodies import IdText
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import JobState
from cloudmr.model.people import Account
from cloudmr.model.units import APP_NAME, Mode, Provider
from cloudmr.services.jobs import shown_document
from cloudmr.services.regions import RegionView
from cloudmr.services.result_packages import PackageLink
from cloudmr.services.views import DataView, JobView

APP_ID = "app_mroptimum"
"""The one application, as existing clients number it."""
STATUS = {
    JobState.QUEUED: "pending",
    JobState.DISPATCHED: "pending",
    JobState.RUNNING: "pending",
    JobState.SUCCEEDED: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "failed",
    JobState.TIMED_OUT: "failed",
}
"""The three words that existing clients know."""


def _none_if_empty(value: object) -> object:
    return value or None


Text = Annotated[str, StringConstraints(max_length=4096)]
OptionalId = Annotated[IdText | None, BeforeValidator(_none_if_empty)]
OptionalMode = Annotated[Mode | None, BeforeValidator(_none_if_empty)]
OptionalText = Annotated[Text | None, BeforeValidator(_none_if_empty)]


class Old(BaseModel):
    """A request or answer of existing clients; fields that are not used here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Placed(Old):
    """Where something is to be: `mode` has two names, and empty texts mean that it was not said."""

    computing_unit_id: OptionalId = Field(None, validation_alias=AliasChoices("computing_unit_id", "computingUnitId"))
    mode: OptionalMode = Field(None, validation_alias=AliasChoices("mode", "computing_unit_mode", "computingUnitMode"))


class OldLocation(Old):
    """An object's place, as it stands in the field `location` of files, there as text."""

    bucket: Text = Field(validation_alias=AliasChoices("Bucket", "bucket"))
    key: Text = Field(validation_alias=AliasChoices("Key", "key"))

    @staticmethod
    def text(bucket: str, key: str) -> str:
        """Return a place as that text."""
        return json.dumps({"Bucket": bucket, "Key": key})


class OldProfile(Old):
    """An account."""

    id: str
    user_id: str
    email: str
    name: str
    username: str
    status: str
    is_admin: bool

    @classmethod
    def of(cls, account: Account) -> OldProfile:
        """Return an account as these clients know it."""
        name = account.name or account.email.partition("@")[0]
        return cls(
            id=account.id,
            user_id=account.id,
            email=account.email,
            name=name,
            username=name,
            status=account.status,
            is_admin=account.is_admin,
        )


class OldDataFile(Old):
    """A data file; `link` gets it, for minutes."""

    id: str
    filename: str
    link: str
    md5: str | None = None
    size: str
    status: str
    created_at: datetime
    updated_at: datetime
    database: str = "s3"
    location: str
    user_id: str

    @classmethod
    def of(cls, view: DataView, *, link: str = "") -> OldDataFile:
        """Return a data file as these clients know it."""
        file = view.data_file
        return cls(
            id=file.id,
            filename=file.filename,
            link=link,
            size=str(file.size_bytes),
            status="available" if file.state is DataState.READY else "notavailable",
            created_at=file.created_at,
            updated_at=file.completed_at or file.created_at,
            location=OldLocation.text(view.unit.data_bucket, file.key),
            user_id=file.owner_id,
        )


class OldUpload(Placed):
    """A file to come."""

    filename: Text
    filesize: Annotated[int, Field(ge=0)]
    filetype: OptionalText = None
    filemd5: OptionalText = None


class OldUploadAnswer(Old):
    """Where to put each part of 10 MiB, and what to say at the end."""

    uploadId: str  # noqa: N815 - their spelling, as the following
    partUrls: list[str]  # noqa: N815
    Key: str
    response: OldDataFile


class OldPart(Old):
    """A part that was sent, with the `ETag` that was answered."""

    part_number: int = Field(validation_alias=AliasChoices("partNumber", "PartNumber"))
    etag: Text = Field(validation_alias=AliasChoices("etag", "ETag"))


class OldDataRequest(Old):
    """An object that lies in a unit already, by its place: as text, as an object, or as two fields."""

    filename: OptionalText = Field(None, validation_alias=AliasChoices("filename", "fileName"))
    location: OldLocation

    @model_validator(mode="before")
    @classmethod
    def _placed(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        location = body.get("location", body)
        if isinstance(location, str):
            try:
                location = json.loads(location)
            except ValueError:
                raise ValueError("location is no JSON") from None
        return body | {"location": location}


class OldFinish(Old):
    """The end of an upload."""

    upload_id: Text = Field(validation_alias=AliasChoices("uploadId", "UploadId"))
    key: Text = Field(validation_alias=AliasChoices("Key", "key"))
    parts: Annotated[list[OldPart], Field(max_length=10_000)]


class OldRename(Old):
    """Another name for a data file."""

    fileid: IdText = Field(validation_alias=AliasChoices("fileid", "id"))
    filename: Text


class OldJobRequest(Placed):
    """A job to be. `pipeline` is what `request` gave, if that was asked before."""

    cloudapp_name: OptionalText = Field(None, validation_alias=AliasChoices("cloudapp_name", "app_name", "appName"))
    cloudapp_id: OptionalText = None
    alias: OptionalText = Field(None, validation_alias=AliasChoices("alias", "name"))
    pipeline: OptionalText = Field(None, validation_alias=AliasChoices("pipeline", "pipeline_id", "pipelineId"))
    task: dict[str, Any]
    output: dict[str, Any] | None = None

    @property
    def app_name(self) -> str:
        """The application that is meant: by name, by number, or the only one."""
        return self.cloudapp_name or (APP_NAME if self.cloudapp_id in {None, APP_ID} else str(self.cloudapp_id))


class OldAnnouncement(Old):
    """A job that will be asked for."""

    cloudapp_id: OptionalText = None
    name: OptionalText = Field(None, validation_alias=AliasChoices("name", "alias"))


class OldJobName(Old):
    """Another name for a job."""

    id: IdText = Field(validation_alias=AliasChoices("pipeline_id", "id"))
    alias: Text


class OldPipeline(Old):
    """A job that was announced, in the words that scripts look for."""

    success: bool = True
    pipeline: str
    pipelineId: str  # noqa: N815
    pipeline_id: str


class OldUnit(Old):
    """The unit of a job."""

    computingUnitId: str  # noqa: N815
    mode: Mode
    provider: Provider
    alias: str
    awsAccountId: str | None  # noqa: N815
    region: str | None


class OldQueued(OldPipeline):
    """A job that was accepted."""

    jobId: str  # noqa: N815
    taskId: str  # noqa: N815
    executionArn: str  # noqa: N815
    status: str
    reason: str
    computingUnit: OldUnit  # noqa: N815

    @classmethod
    def of(cls, view: JobView) -> OldQueued:
        """Return a job that was just accepted."""
        job, unit = view.job, view.unit
        return cls(
            pipeline=job.id,
            pipelineId=job.id,
            pipeline_id=job.id,
            jobId=job.id,
            taskId=job.id,
            executionArn=execution_name(view),
            status=STATUS[job.state],
            reason=job.unit_reason,
            computingUnit=OldUnit(
                computingUnitId=unit.id,
                mode=unit.mode,
                provider=unit.provider,
                alias=unit.alias,
                awsAccountId=unit.aws_account_id,
                region=unit.region,
            ),
        )


class OldFile(Old):
    """A file that a job left."""

    id: str
    fileName: str  # noqa: N815
    filename: str
    link: str
    md5: str | None = None
    size: str
    status: str
    database: str = "s3"
    location: str


class OldError(Old):
    """Why a job has no result."""

    code: str
    message: str
    next_step: str


class OldJob(Old):
    """A job."""

    id: str
    alias: str
    status: str
    pipeline_id: str
    createdAt: datetime  # noqa: N815
    updatedAt: datetime  # noqa: N815
    setup: dict[str, Any]
    files: list[OldFile]
    error: OldError | None = None

    @classmethod
    def of(cls, view: JobView, link: PackageLink | None) -> OldJob:
        """Return a job with its result package."""
        job = view.job
        document = shown_document(view)
        setup = {
            "version": "v0",
            "alias": job.alias,
            "task": document.task,
            "output": document.output,
            "mode": view.unit.mode,
            "computing_unit_id": view.unit.id,
            "cloudapp_name": job.app_name,
        }
        return cls(
            id=job.id,
            alias=job.alias,
            status=STATUS[job.state],
            pipeline_id=job.id,
            createdAt=job.created_at,
            updatedAt=job.ended_at or job.started_at or job.dispatched_at or job.created_at,
            setup=setup,
            files=[_old_file(view, link)] if link else [],
            error=OldError(**vars(job.failure)) if job.failure else None,
        )


def _old_file(view: JobView, link: PackageLink) -> OldFile:
    job = view.job
    return OldFile(
        id=job.id,
        fileName=f"{job.id}.zip",
        filename=f"{job.id}.zip",
        link=link.request.url if link.request else "",
        size=str(job.result.size_bytes if job.result else 0),
        status="available" if link.request else "notavailable",
        location=OldLocation.text(link.bucket, link.key),
    )


class OldJobs(Old):
    """Jobs, the latest first."""

    jobs: list[OldJob]


class OldStatus(Old):
    """Where a job stands; `state` is our own, finer word for it."""

    id: str
    pipeline_id: str
    status: str
    state: JobState
    progress: float | None
    message: str | None
    executionArn: str  # noqa: N815

    @classmethod
    def of(cls, view: JobView) -> OldStatus:
        """Return where a job stands."""
        job, progress = view.job, view.job.progress
        return cls(
            id=job.id,
            pipeline_id=job.id,
            status=STATUS[job.state],
            state=job.state,
            progress=progress.done / progress.total if progress and progress.total else None,
            message=job.failure.message if job.failure else (progress.message if progress else view.waiting_reason),
            executionArn=execution_name(view),
        )


class OldCount(Old):
    """How many there are."""

    count: int


class OldDone(Old):
    """Nothing but that it is done."""

    success: bool = True
    message: str


class OldId(Old):
    """The id of something, under any of its names."""

    id: IdText = Field(
        validation_alias=AliasChoices(
            "id", "computingUnitId", "computing_unit_id", "pipeline_id", "pipeline", "roi_id", "fileid"
        )
    )


class OldEntry(BaseModel):
    """A file in a package: what `info.json` says of it, and where to get it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    filename: str
    link: str


class OldUnzipped(Old):
    """What is in a package."""

    headers: dict[str, Any]
    data: list[OldEntry]
    info: dict[str, Any]


class OldRegionRequest(Old):
    """A region to be."""

    filename: Text
    pipeline_id: IdText
    type: OptionalText = None
    contentType: OptionalText = None  # noqa: N815


class OldRegionAnswer(Old):
    """Where to put a region's mask, and where to get it afterwards."""

    id: str
    upload_url: str
    access_url: str


class OldPivot(Old):
    """Which job a region is of."""

    pipeline_id: str
    roi_id: str


class OldRegion(Old):
    """A region."""

    id: str
    filename: str
    link: str
    size: int
    md5: str | None = None
    status: str = "available"
    database: str = "s3"
    location: str
    type: str = "image"
    created_at: datetime
    updated_at: datetime
    pivot: OldPivot

    @classmethod
    def of(cls, view: RegionView) -> OldRegion:
        """Return a region as these clients know it."""
        region = view.region
        return cls(
            id=region.id,
            filename=region.name,
            link=view.download.url,
            size=view.size_bytes,
            location=OldLocation.text(view.bucket, region.key),
            created_at=region.created_at,
            updated_at=region.updated_at,
            pivot=OldPivot(pipeline_id=region.job_id, roi_id=region.id),
        )


class OldApp(Old):
    """The application."""

    appId: str = APP_ID  # noqa: N815
    id: str = APP_ID
    name: str = APP_NAME
    description: str = "Signal-to-noise, g-factor and noise maps from multi-coil MR raw data."


class OldApps(Old):
    """The applications: one."""

    apps: list[OldApp]


class OldAppRequest(Old):
    """An application to be."""

    name: Text


class OldAppData(Old):
    """The application, as deep as scripts look for it."""

    app: OldApp


class OldAppAnswer(Old):
    """The application that is there."""

    success: bool = True
    appId: str = APP_ID  # noqa: N815
    data: OldAppData


def execution_name(view: JobView) -> str:
    """Return what a job's execution is called: its ARN in an AWS account, its name on the Brain's own machine."""
    machine = view.unit.state_machine_arn
    name = f"{view.job.id}-{max(1, view.job.attempt)}"
    return name if machine is None else f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
