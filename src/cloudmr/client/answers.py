"""What the API answers, as values. Fields that an older or a newer Brain adds are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from cloudmr.model.data_files import DataState
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.model.units import Mode, Provider


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


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
    is_admin: bool = False
    created_at: datetime | None = None


class ComputingUnit(_Answer):
    """A place that holds data and runs jobs."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, alias_generator=to_camel)

    id: str = Field(validation_alias=AliasChoices("computingUnitId", "id"))
    mode: Mode
    provider: Provider
    alias: str
    status: str
    is_default: bool = False
    aws_account_id: str | None = None
    region: str | None = None
    last_checked_at: datetime | None = None


class UnitList(_Answer):
    """The units that are open to a person."""

    units: tuple[ComputingUnit, ...] = Field(validation_alias="computingUnits")


class DataFile(_Answer):
    """A data file, and where its object is: what a task refers to it by."""

    id: str
    filename: str
    size_bytes: int
    state: DataState
    computing_unit_id: str
    bucket: str
    key: str
    checksum: str | None = None
    created_at: datetime | None = None


class DataPage(_Answer):
    """Some data files, the latest first; `next` is what to ask for those before them."""

    data: tuple[DataFile, ...]
    next: str | None = None


class StartedUpload(_Answer):
    """A data file to be, and into parts of which size it is cut."""

    data: DataFile
    part_size_bytes: int
    reason: str = ""


class SignedLink(_Answer):
    """A request that the storage will take, for some minutes."""

    method: str
    url: str = Field(repr=False)
    headers: dict[str, str] = Field(default_factory=dict, repr=False)


class ArrivedPart(_Answer):
    """A part that the storage has."""

    number: int
    size_bytes: int
    sha256: str


class PartList(_Answer):
    """The parts of an upload that have arrived."""

    part_size_bytes: int
    parts: tuple[ArrivedPart, ...]
