"""What the API answers, as values. Fields that an older or a newer Brain adds are ignored."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from cloudmr.client.answer_bases import Answer as _Answer
from cloudmr.client.answer_bases import CamelAnswer as _CamelAnswer
from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.model.platforms import Platform
from cloudmr.model.units import Mode, Provider
from mroptimum.task import FileOptions, FileReference


class SignedLink(_Answer):
    """A request that the storage will take, for some minutes."""

    method: str
    url: str = Field(repr=False)
    headers: dict[str, str] = Field(default_factory=dict, repr=False)


class PartLinks(_Answer):
    """Requests that take the parts of a file that were asked for, in the order they were asked for."""

    links: tuple[SignedLink, ...]


class Nothing(_Answer):
    """An answer in which nothing matters but that it came."""


class Session(_Answer):
    """What signing in gives. Tokens are shown this once."""

    access_token: str = Field(repr=False)
    refresh_token: str | None = Field(None, repr=False)
    expires_in: int
    user_id: str


class Profile(_Answer):
    """The account that is signed in."""

    user_id: str
    email: str
    name: str | None = None
    status: str = "active"
    is_admin: bool = False
    created_at: datetime | None = None


class ComputingUnit(_CamelAnswer):
    """A place that holds data and runs jobs."""

    computing_unit_id: str
    mode: Mode
    provider: Provider
    alias: str
    status: str
    is_default: bool = False
    status_reason: str | None = None
    aws_account_id: str | None = None
    region: str | None = None
    state_machine_arn: str | None = None
    data_bucket: str | None = None
    results_bucket: str | None = None
    failed_bucket: str | None = None
    created_at: datetime | None = None
    last_checked_at: datetime | None = None
    snr_verified_at: datetime | None = None


class UnitList(_CamelAnswer):
    """The units that are open to a person."""

    computing_units: tuple[ComputingUnit, ...]


class DataFile(_Answer):
    """A data file, and where its object is."""

    id: str
    filename: str
    size_bytes: int
    state: DataState
    computing_unit_id: str
    bucket: str
    key: str
    checksum: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    expires_by: str | None = None
    deleted_at: datetime | None = None
    restorable_until: datetime | None = None
    cleaned_at: datetime | None = None

    @property
    def reference(self) -> FileReference:
        """What a task refers to it by."""
        place = FileOptions(type="s3", filename=self.filename, bucket=self.bucket, key=self.key)
        return FileReference(type="file", options=place)


class DataList(_Answer):
    """Some data files."""

    data: tuple[DataFile, ...]


class DataPage(_Answer):
    """Some data files, the latest first; `next` is what to ask for those before them."""

    data: tuple[DataFile, ...]
    next: str | None = None


class StartedUpload(_Answer):
    """A data file to be, the size of its parts, and why it goes to the unit it goes to."""

    data: DataFile
    part_size_bytes: int
    reason: str = ""


class ArrivedPart(_Answer):
    """A part that the storage has."""

    number: int
    size_bytes: int
    sha256: str | None


class PartList(_Answer):
    """The parts of an upload that have arrived."""

    part_size_bytes: int
    parts: tuple[ArrivedPart, ...]


class JobUnit(_CamelAnswer):
    """The unit that a job was given to."""

    computing_unit_id: str
    mode: Mode
    alias: str


class Progress(_CamelAnswer):
    """How far the worker of a job is: `done` of `total` at a step (total 0: not known)."""

    step: str
    done: int
    total: int
    message: str


class QueuePlace(_CamelAnswer):
    """Where a job stands in the queue of its unit: 1 is next."""

    place: int
    n_waiting: int
    reason: str


class Forecast(_CamelAnswer):
    """What a job is expected to take; a dollar is 1 000 000 micro-dollars."""

    seconds: float
    memory_bytes: int
    output_bytes: int
    price_microdollars: int


class Actual(_CamelAnswer):
    """What a job took; `ratio` is actual over expected seconds."""

    seconds: float
    price_microdollars: int
    ratio: float | None = None


class Failure(_Answer):
    """Why a job has no result: a code, what happened, and what to do."""

    code: str
    message: str
    next_step: str


class Job(_CamelAnswer):
    """A job. `reason` says why it runs where it runs, `waiting_reason` why it does not go on (None: it does)."""

    job_id: str
    alias: str
    status: JobState
    attempt: int
    computing_unit: JobUnit
    reason: str
    waiting_reason: str | None = None
    data_ids: tuple[str, ...] = ()
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    progress: Progress | None = None
    failure: Failure | None = None
    queue_place: QueuePlace | None = None
    kind: str | None = None
    platform: Platform = Platform.LOCAL
    forecast: Forecast | None = None
    actual: Actual | None = None
    rerun_of: str | None = None
    is_own: bool = True
    expires_at: datetime | None = None
    expires_by: str | None = None
    restorable_until: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in END_STATES

    @property
    def succeeded(self) -> bool:
        """Whether there are results."""
        return self.status is JobState.SUCCEEDED


class JobPage(_CamelAnswer):
    """Some jobs, the latest first; `next` is what to ask for those before them."""

    jobs: tuple[Job, ...]
    next: str | None = None


class JobEvent(_CamelAnswer):
    """Something that happened to a job: who did what, and why."""

    number: int
    at: datetime
    actor: str
    action: str
    reason: str
    old: JobState | None = None
    new: JobState | None = None


class LogLine(_CamelAnswer):
    """A line that the worker wrote."""

    at: datetime
    level: str
    message: str


class JobLog(_CamelAnswer):
    """What the worker said so far, and what happened to the job.

    `is_available` is False where the unit does not show the worker's lines.
    """

    job_id: str
    attempt: int
    is_available: bool
    lines: tuple[LogLine, ...]
    events: tuple[JobEvent, ...]


class ResultFile(_CamelAnswer, SignedLink):
    """One file that a job left, and the request that gets it, for some minutes."""

    name: str
    size_bytes: int


class ResultPackage(_CamelAnswer):
    """What an ended job left: its results, or what is known of its failure.

    `package` is everything in one file; `files` are its parts, the manifest among them.
    """

    job_id: str
    status: JobState
    manifest_sha256: str | None = None
    package: ResultFile | None = None
    files: tuple[ResultFile, ...] = ()
