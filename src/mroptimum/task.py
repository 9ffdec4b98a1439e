"""The task: what to compute. Schema v0, validated whole; nothing in it is ignored.

The names are those that existing clients send, compared without regard to case where they are words (`"AC"`,
`"Sense"`). What is unknown, contradictory or not available is refused with every reason at once, before anything is
read or paid for. The defaults here are the only ones: page, API, command line and worker take them from
`TaskDocument.schema_document()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from mroptimum.errors import TaskError

NEXT_STEP = "Correct the task; `mroptimum schema` prints what it may contain."


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class Method(StrEnum):
    """How SNR is measured."""

    AC = "ac"
    """Analytic: the noise is propagated through the reconstruction in closed form."""
    MR = "mr"
    """Multiple replicas: real repetitions of the scan."""
    PMR = "pmr"
    """Pseudo multiple replicas: noise of the measured covariance is added many times."""
    CR = "cr"
    """Generalised pseudo replicas: few replicas, and the spread over a box around each voxel."""
    DIFFERENCE = "difference"
    """Two images, one measured after the other: their mean over the spread of their difference (NEMA MS 1)."""


class ReconstructionName(StrEnum):
    """How coil images become one image."""

    RSS = "rss"
    """Root of the sum of squares, in whitened coils."""
    B1 = "b1"
    """B1-weighted (Roemer): the best linear combination, given coil maps."""
    SENSE = "sense"
    """Unfolding with coil maps."""
    GRAPPA = "grappa"
    """Missing lines from their neighbours, with a kernel from calibration lines."""
    SCANNER = "scanner"
    """None here: images as the scanner made them, DICOM or NIfTI, for the method difference."""


class CoilMapMethod(StrEnum):
    """Where coil maps come from."""

    INNER = "inner"
    """Hann-apodised low-resolution images from all calibration lines, or from the whole k-space of a full scan."""
    INNER_ACL = "inneracl"
    """The same from the central `acl` lines only."""
    ESPIRIT = "espirit"
    """Eigenvectors of the calibration matrix (Uecker 2014)."""
    WALSH = "walsh"
    """Adaptive combination (Walsh 2000)."""
    INATI = "inati"
    """Iterative adaptive combination (Inati)."""
    BODYCOIL = "bodycoil"
    """Ratio to a body-coil reference image."""


class MaskMethod(StrEnum):
    """Which voxels count as object."""

    NO = "no"
    """All of them."""
    PERCENTAGE = "percentage"
    """RSS signal at least `value` percent of its maximum."""
    THRESHOLD = "threshold"
    """RSS SNR at least `value`."""
    REFERENCE = "reference"
    """Taken from the coil-map reference image."""
    ESPIRIT = "espirit"
    """ESPIRiT's eigenvalue criterion, parameters k, r, t, c."""
    UPLOAD = "upload"
    """A mask from a file."""


class NoiseSource(StrEnum):
    """What a noise estimate may be made from when there is no noise scan. Never a default; each has a known bias."""

    REPETITIONS = "repetitions"
    """Half the difference of two repetitions."""
    KSPACE_EDGE = "kspace_edge"
    """The outermost phase-encoding lines, where there is least signal."""
    IMAGE_CORNERS = "image_corners"
    """Corners of the image; the receiver filter makes them quieter than the rest."""


class NoiseDomain(StrEnum):
    """Where the noise of pseudo replicas is drawn."""

    IMAGE = "image"
    """In the coil images: the same law, faster, wherever the reconstruction works voxel by voxel."""
    KSPACE = "kspace"
    """In the sampled lines of k-space: the check."""


MAX_REPLICAS = 10_000
"""More say nothing more: the standard error is then below 1 %, that of the covariance itself."""
MAX_BOX = 128
"""Half-width of a box that covers an image of 256."""


AMBIGUOUS_IN_3D = (
    "accelerations and acl of a 3D scan have three numbers, [x, y, z] (readout, phase encoding, partitions); of two, "
    "the second could be meant of phase encoding or of partitions"
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class FileOptions(_Part):
    """Where a file is: on this machine (`local`) or in a computing unit's bucket (`s3`)."""

    type: Annotated[Literal["local", "s3"], BeforeValidator(_lower)]
    filename: str = Field(
        min_length=1, max_length=4096, description="path on this machine, or the name shown to people"
    )
    bucket: str | None = None
    key: str | None = None
    vendor: str | None = Field(None, description="as existing clients send it; the format is recognised by content")
    multiraid: bool | None = Field(None, description="take the noise from the other measurements of the same file")
    options: dict[str, Any] = Field(default_factory=dict, max_length=0)

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if self.type == "s3" and not (self.bucket and self.key):
            raise ValueError("a file of type s3 needs both bucket and key")
        if self.type == "local" and (self.bucket or self.key):
            raise ValueError("a file of type local has neither bucket nor key")
        return self


class FileReference(_Part):
    """One input file."""

    type: Annotated[Literal["file"], BeforeValidator(_lower)]
    id: int | None = None
    options: FileOptions


class NoiseEstimateOptions(_Part):
    """What to estimate the noise from; `file` holds the second repetition where the signal file has only one."""

    source: Annotated[NoiseSource, BeforeValidator(_lower)]
    file: FileReference | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if self.file is not None and self.source is not NoiseSource.REPETITIONS:
            raise ValueError("a second file goes with the source repetitions only")
        return self


class NoiseEstimate(_Part):
    """Noise estimated from the signal itself, because it was asked for explicitly."""

    type: Annotated[Literal["estimate"], BeforeValidator(_lower)]
    options: NoiseEstimateOptions


def _noise_tag(value: object) -> str:
    tag: object = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "estimate" if isinstance(tag, str) and tag.lower() == "estimate" else "file"


Noise = Annotated[
    Annotated[FileReference, Tag("file")] | Annotated[NoiseEstimate, Tag("estimate")], Discriminator(_noise_tag)
]


class Mask(_Part):
    """Which voxels count as object."""

    method: Annotated[MaskMethod, BeforeValidator(_lower)] = MaskMethod.NO
    value: float | None = Field(None, ge=0, allow_inf_nan=False)
    k: PositiveInt | None = None
    r: PositiveInt | None = None
    t: float | None = Field(None, gt=0, allow_inf_nan=False)
    c: float | None = Field(None, gt=0, allow_inf_nan=False)
    file: FileReference | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needs_value = self.method in {MaskMethod.PERCENTAGE, MaskMethod.THRESHOLD}
        if needs_value != (self.value is not None):
            raise ValueError(f"a mask by {self.method} {'needs' if needs_value else 'has no'} value")
        if self.method is MaskMethod.PERCENTAGE and (self.value or 0) > 100:
            raise ValueError("a percentage is at most 100")
        if (self.method is MaskMethod.UPLOAD) != (self.file is not None):
            raise ValueError("a file goes with a mask by upload, and only with that")
        if self.method is not MaskMethod.ESPIRIT and any(v is not None for v in (self.k, self.r, self.t, self.c)):
            raise ValueError("k, r, t and c go with a mask by espirit only")
        return self


class SensitivityMapOptions(_Part):
    """How to get coil maps."""

    load_sensitivity: bool = False
    sensitivity_map_source: FileReference | None = None
    sensitivity_map_method: Annotated[CoilMapMethod, BeforeValidator(_lower)] = CoilMapMethod.INNER
    mask: Mask = Mask()

    @field_validator("mask", mode="before")
    @classmethod
    def _mask_by_name(cls, value: object) -> object:
        return {"method": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        needs_source = self.load_sensitivity or self.sensitivity_map_method is CoilMapMethod.BODYCOIL
        if needs_source != (self.sensitivity_map_source is not None):
            raise ValueError("sensitivityMapSource goes with loadSensitivity (maps) or the method bodycoil (its scan)")
        return self


class SensitivityMap(_Part):
    """Coil maps."""

    type: Annotated[Literal["sensitivitymap"], BeforeValidator(_lower)] = "sensitivitymap"
    name: str | None = Field(None, description="as existing clients send it; repeats the method")
    id: int | None = None
    options: SensitivityMapOptions = SensitivityMapOptions()


class Correction(_Part):
    """Flip-angle correction: SNR divided by sin of a measured flip-angle map."""

    use_correction: bool = False
    fa_correction: FileReference | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if self.use_correction and self.fa_correction is None:
            raise ValueError("useCorrection needs faCorrection, the file with the flip-angle map")
        return self


class ReconstructorOptions(_Part):
    """The data and how to reconstruct them.

    Along the axes there are two numbers in 2D, `[x, y]`: readout and phase encoding, and three in 3D, `[x, y, z]`:
    readout, phase encoding and partitions. Of a 3D scan two numbers are refused, since they could be meant as either.
    """

    signal: FileReference
    noise: Noise | None = None
    signal_multi_raid: bool | None = Field(None, validation_alias=AliasChoices("signalMultiRaid", "signalMultiraid"))
    sensitivity_map: SensitivityMap = SensitivityMap()
    decimate: bool = Field(False, description="undersample a full scan, as if it had been accelerated")
    accelerations: tuple[PositiveInt, ...] | None = Field(
        None,
        min_length=2,
        max_length=3,
        description="2D: [1, R], of the readout (never undersampled) and of phase encoding; 3D: [1, R_y, R_z], of the "
        "readout, phase encoding and partitions. null: as the file was sampled",
    )
    acl: tuple[PositiveInt | None, ...] = Field(
        (None, None),
        min_length=2,
        max_length=3,
        description="extent of the calibration region in samples, along the axes of accelerations: [x, y] in 2D, "
        "[x, y, z] in 3D; null: all there is",
    )
    kernel_size: tuple[PositiveInt, PositiveInt] | None = Field(
        None, description="GRAPPA only: samples of each line, and acquired lines"
    )
    keep_acs: bool = Field(
        False,
        description="GRAPPA only: put the calibration lines back into the image; SNR is then measured with replicas "
        "(pmr, mr, cr), and there is no g-factor",
    )
    gfactor: bool = True
    correction: Correction = Correction()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.accelerations and self.accelerations[0] != 1:
            raise ValueError("accelerations: the readout (first number) is never undersampled; give [1, R]")
        if self.decimate and not self.is_accelerated:
            raise ValueError("decimate needs accelerations [1, R] (3D: [1, R_y, R_z]) with an R of at least 2")
        return self

    @property
    def is_accelerated(self) -> bool:
        """Whether the task names an acceleration above 1."""
        return self.accelerations is not None and max(self.accelerations) > 1

    @property
    def accelerations_yz(self) -> tuple[int, int] | None:
        """The accelerations of phase encoding and partitions; None: as the file was sampled."""
        if self.accelerations is None:
            return None
        _, y, z = (*self.accelerations, 1)[:3]
        return y, z

    @property
    def acl_xyz(self) -> tuple[int | None, int | None, int | None]:
        """The extent of the calibration region along readout, phase encoding and partitions."""
        x, y, z = (*self.acl, None)[:3]
        return x, y, z

    @property
    def of_three_axes(self) -> bool:
        """Whether anything is said of a third axis."""
        return len(self.accelerations or ()) == 3 or len(self.acl) == 3

    @property
    def of_two_axes(self) -> bool:
        """Whether two numbers say what would need three of a 3D scan; two that mean "nothing" do for both."""
        of_two = (self.accelerations or (1, 1)) != (1, 1) and len(self.accelerations or ()) == 2
        return of_two or (len(self.acl) == 2 and self.acl != (None, None))


class Reconstructor(_Part):
    """A reconstruction by name, with its data."""

    type: Annotated[Literal["recon"], BeforeValidator(_lower)] = "recon"
    id: int | None = None
    name: Annotated[ReconstructionName, BeforeValidator(_lower)]
    options: ReconstructorOptions

    @model_validator(mode="after")
    def _needed(self) -> Self:
        unaccelerated = self.name in {ReconstructionName.RSS, ReconstructionName.B1}
        if unaccelerated and self.options.is_accelerated:
            raise ValueError(f"{self.name} reconstructs full scans; for an acceleration choose sense or grappa")
        if self.options.kernel_size and self.name is not ReconstructionName.GRAPPA:
            raise ValueError("kernelSize goes with grappa only")
        if self.options.keep_acs and self.name is not ReconstructionName.GRAPPA:
            raise ValueError(
                "keepAcs goes with grappa only: sense unfolds the regular lines, calibration lines give it its maps"
            )
        if self.name is ReconstructionName.GRAPPA and (self.options.accelerations_yz or (1, 1))[1] > 1:
            raise ValueError("grappa fills in lines, not partitions; for accelerated partitions choose sense")
        return self


class TaskOptions(_Part):
    """What a method needs beyond the reconstruction; the same seed gives the same numbers."""

    replicas: PositiveInt | None = Field(
        None, alias="NR", le=MAX_REPLICAS, description="number of pseudo replicas (pmr, cr)"
    )
    box_size: NonNegativeInt | None = Field(
        None, le=MAX_BOX, description="half-width of the box of cr and of difference (null: 3), in voxels"
    )
    seed: NonNegativeInt = Field(0, le=2**63 - 1, description="of the drawn noise (pmr, cr)")
    noise_domain: Annotated[NoiseDomain, BeforeValidator(_lower)] = NoiseDomain.IMAGE
    reconstructor: Reconstructor


class Task(_Part):
    """Schema v0: a method, a reconstruction, and their data."""

    version: Literal["v0"] = "v0"
    acquisition: Literal[2, 3] | None = Field(
        None, description="2: slices, 3: slabs of phase-encoded partitions. null: as the file was recorded"
    )
    type: Annotated[Literal["snr"], BeforeValidator(_lower)] = "snr"
    id: int | None = None
    queued: bool | None = None
    name: Annotated[Method, BeforeValidator(_lower)]
    options: TaskOptions

    @model_validator(mode="after")
    def _needed(self) -> Self:
        replicated = self.name in {Method.PMR, Method.CR}
        if replicated and self.options.replicas is None:
            raise ValueError(f"{self.name} needs NR, the number of replicas")
        if self.options.replicas is not None and not replicated:
            raise ValueError(f"NR goes with pmr and cr, not with {self.name}")
        if self.options.seed and not replicated:
            raise ValueError(f"seed goes with pmr and cr, not with {self.name}")
        if self.options.noise_domain is not NoiseDomain.IMAGE and self.name is not Method.PMR:
            raise ValueError(f"noiseDomain goes with pmr, not with {self.name}")
        if self.options.box_size is None and self.name is Method.CR:
            raise ValueError("cr needs boxSize, the half-width of its box")
        if self.options.box_size is not None and self.name not in {Method.CR, Method.DIFFERENCE}:
            raise ValueError(f"boxSize goes with cr and difference, not with {self.name}")
        return self

    @model_validator(mode="after")
    def _of_images(self) -> Self:
        """Hold a difference to what it is made from: `signal` and the other repetition that `noise` names."""
        reconstructor = self.options.reconstructor
        options, is_scanner = reconstructor.options, reconstructor.name is ReconstructionName.SCANNER
        if self.name is not Method.DIFFERENCE:
            if is_scanner:
                raise ValueError("scanner goes with difference only: images have no raw data to measure noise in")
            return self
        if not is_scanner and reconstructor.name is not ReconstructionName.RSS:
            raise ValueError("difference goes with scanner (images) or rss (raw data of two repetitions)")
        noise = options.noise
        is_repetition = isinstance(noise, NoiseEstimate) and noise.options.source is NoiseSource.REPETITIONS
        if noise is not None and not is_repetition:
            raise ValueError("difference takes its noise from repetitions; give the second image as their file")
        if is_scanner and not (isinstance(noise, NoiseEstimate) and noise.options.file is not None):
            raise ValueError("difference needs the second image: noise, an estimate from repetitions with its file")
        mask = options.sensitivity_map.options.mask.method
        if mask in {MaskMethod.ESPIRIT, MaskMethod.THRESHOLD}:
            raise ValueError(f"a mask by {mask} does not go with difference; percentage, reference and upload do")
        if options.decimate or options.correction.use_correction:
            raise ValueError("decimate and useCorrection do not go with difference")
        return self

    @model_validator(mode="after")
    def _of_its_axes(self) -> Self:
        options = self.options.reconstructor.options
        if self.acquisition == 2 and options.of_three_axes:
            raise ValueError("accelerations and acl have two numbers, [x, y]; a third goes with acquisition 3")
        if self.acquisition == 3 and options.of_two_axes:
            raise ValueError(AMBIGUOUS_IN_3D)
        return self

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        if self.name is Method.AC and self.options.reconstructor.options.keep_acs:
            raise ValueError(
                "keepAcs has no analytic noise: lines that are put back make the noise of every voxel depend on all "
                "others of its column; choose pmr, mr or cr"
            )
        return self


class Output(_Part):
    """What to put into the result package beside the SNR map."""

    coilsensitivity: bool = False
    gfactor: bool = True
    matlab: bool = False


class TaskDocument(_Part):
    """A task and its output options: what a task file holds, and what a client submits."""

    task: Task
    output: Output = Output()

    @classmethod
    def parse(cls, document: object) -> Self:
        """Validate a decoded JSON document: `{"task": …, "output": …}`, or the task alone.

        Raises `TaskError` that names every problem and where it is.
        """
        if isinstance(document, dict) and "task" not in document and "options" in document:
            document = {"task": document}
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise TaskError(f"The task is not valid: {'; '.join(_problems(error))}.", NEXT_STEP) from None

    @classmethod
    def schema_document(cls) -> dict[str, Any]:
        """Return the JSON schema (2020-12) of a task document."""
        return cls.model_json_schema(by_alias=True)

    def as_json(self) -> dict[str, Any]:
        """Return the document as plain values under the names clients use, defaults filled in, nulls left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def anonymous(self) -> Self:
        """Return the document with file names replaced by what the files are for, since names may name a person."""
        return type(self).model_validate(_without_names(self.as_json()))

    def files(self) -> tuple[FileReference, ...]:
        """Return every file the task refers to, the signal first."""
        return tuple(_files(self))


def _files(part: BaseModel) -> Iterator[FileReference]:
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, FileReference):
            yield value
        elif isinstance(value, BaseModel):
            yield from _files(value)


def _without_names(value: Any, role: str = "") -> Any:
    if isinstance(value, dict):
        return {
            key: role if key == "filename" else _without_names(inner, role if key == "options" else key)
            for key, inner in value.items()
        }
    return value


def _problems(error: ValidationError) -> Iterator[str]:
    """Say each problem in a sentence; inputs are never quoted, since a path may carry a person's name."""
    for problem in error.errors(include_input=False, include_url=False):
        loc = problem["loc"]
        where = ".".join(str(step) for i, step in enumerate(loc) if i == 0 or loc[i - 1] != "noise")
        yield f"{where or 'document'}: {_in_words(problem['type'], problem['msg'])}"


def _in_words(kind: str, message: str) -> str:
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return "unknown field" if kind == "extra_forbidden" else message[:1].lower() + message[1:]
