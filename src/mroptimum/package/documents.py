"""The JSON documents of a package, validated whole: what is missing or of another kind is refused with its place."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, ValidationError

from mroptimum.convention import ScaleStep
from mroptimum.noise import Bandwidth
from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage
from mroptimum.package.files import PackageFiles, read_bytes
from mroptimum.package.layout import ERROR, INFO, MANIFEST
from mroptimum.result import InputFile, MapKind, Protocol

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class MapEntry(_Part):
    """One file of a map: a whole map, or one stack of its slices (then several entries have one id)."""

    filename: str
    id: NonNegativeInt
    dim: int
    name: str
    type: MapKind
    unit: str = "1"
    description: str = ""


class LogRow(_Part):
    """One line of the log."""

    when: datetime
    type: str
    what: str


class NoiseFacts(_Part):
    """What is said of the noise beside its covariance."""

    origin: str
    n_samples: NonNegativeInt
    dc_fraction: float
    bandwidth: Bandwidth | None
    scale_factors: tuple[ScaleStep, ...]


class InfoHeaders(_Part):
    """How the result was computed; `options` is the task document."""

    calculation_time: NonNegativeFloat
    options: dict[str, Any]
    log: tuple[LogRow, ...]


class InfoBody(_Part):
    """What is to be known about the maps."""

    warnings: tuple[str, ...]
    methods: tuple[str, ...]
    protocol: Protocol
    noise: NoiseFacts | None


class Info(_Part):
    """`info.json`."""

    headers: InfoHeaders
    data: tuple[MapEntry, ...]
    info: InfoBody


class OutputFile(_Part):
    """A file of the package as it was written."""

    path: str
    size_bytes: NonNegativeInt
    sha256: Sha256


class Software(_Part):
    """What computed the result."""

    name: str
    version: str


class Failure(_Part):
    """`error.json`."""

    code: str
    message: str
    next_step: str


class Manifest(_Part):
    """`manifest.json`."""

    schema_version: int = Field(alias="schema")
    task: dict[str, Any] | None
    inputs: tuple[InputFile, ...] = ()
    outputs: tuple[OutputFile, ...]
    software: Software
    created_at: datetime
    seed: int | None = None
    error: Failure | None = None


Document = TypeVar("Document", bound=_Part)


def read_info(files: PackageFiles) -> Info:
    """Return `info.json`. Raises `DamagedPackage`."""
    return _read(files, INFO, Info)


def read_manifest(files: PackageFiles) -> Manifest:
    """Return `manifest.json`. Raises `DamagedPackage`."""
    return _read(files, MANIFEST, Manifest)


def read_failure(files: PackageFiles) -> Failure:
    """Return `error.json`. Raises `DamagedPackage`."""
    return _read(files, ERROR, Failure)


def _read(files: PackageFiles, name: str, kind: type[Document]) -> Document:
    content = read_bytes(files, name, limit_bytes=MAX_DOCUMENT_BYTES)
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise DamagedPackage(
            f"{name} is not what a result package has{f' at {place}' if place else ''}: {problem['msg']}.",
            GET_IT_AGAIN,
        ) from None
