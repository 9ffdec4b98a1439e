"""What a report is made from: the same value whether the result was just computed or lies in a package."""

from __future__ import annotations

from dataclasses import dataclass

import mroptimum
from mroptimum.export.nifti import Volume, volumes
from mroptimum.noise import NoiseModel
from mroptimum.package.reading import ResultPackage
from mroptimum.result import InputFile, LogEntry, MapId, MapKind, Protocol, Result
from mroptimum.task import TaskDocument

SHOWN = (
    MapId.SNR,
    MapId.SNR_WITHOUT_MAGNITUDE_BIAS,
    MapId.SENSE_G,
    MapId.SENSE_INVERSE_G,
    MapId.GRAPPA_G,
    MapId.GRAPPA_INVERSE_G,
    MapId.IMAGE,
    MapId.NOISE_SD,
    MapId.STANDARD_ERROR,
)
"""The maps that a report shows."""


@dataclass(frozen=True, kw_only=True)
class MapContent:
    """One map: what it is called and means, and its values, a volume for each stack of slices."""

    id: int
    name: str
    unit: str
    description: str
    volumes: tuple[Volume, ...]


@dataclass(frozen=True, kw_only=True)
class ReportContent:
    """All that a report says. ``mask`` has the volumes of the maps; None: every voxel counts as object."""

    document: TaskDocument
    protocol: Protocol
    maps: tuple[MapContent, ...]
    mask: tuple[Volume, ...] | None
    noise: NoiseModel | None
    inputs: tuple[InputFile, ...]
    warnings: tuple[str, ...]
    methods: tuple[str, ...]
    log: tuple[LogEntry, ...]
    calculation_time_s: float
    software_version: str

    @property
    def has_snr(self) -> bool:
        """Whether there is an SNR map."""
        return any(shown.id == MapId.SNR for shown in self.maps)


def content_of_result(result: Result) -> ReportContent:
    """Return what a report says of a result that was just computed."""

    masks = [of_map.data for of_map in result.maps if of_map.kind is MapKind.MASK]
    return ReportContent(
        document=result.document,
        protocol=result.protocol,
        maps=tuple(
            MapContent(
                id=of_map.id,
                name=of_map.name,
                unit=of_map.unit,
                description=of_map.description,
                volumes=volumes(of_map.data, result.geometry),
            )
            for of_map in result.maps
            if of_map.id in SHOWN
        ),
        mask=volumes(masks[0], result.geometry) if masks else None,
        noise=result.noise,
        inputs=result.inputs,
        warnings=result.warnings,
        methods=result.methods,
        log=result.log,
        calculation_time_s=round(result.calculation_time_s, 3),
        software_version=mroptimum.__version__,
    )


def content_of_package(package: ResultPackage) -> ReportContent:
    """Return what a report says of a result that lies in a package. Raises `DamagedPackage`."""
    headers, body = package.info.headers, package.info.info
    return ReportContent(
        document=package.document,
        protocol=body.protocol,
        maps=tuple(
            MapContent(
                id=stored.id,
                name=stored.name,
                unit=stored.unit,
                description=stored.description,
                volumes=package.volumes(stored),
            )
            for stored in package.maps
            if stored.id in SHOWN
        ),
        mask=package.volumes(package.mask) if package.mask else None,
        noise=package.noise(),
        inputs=package.manifest.inputs,
        warnings=body.warnings,
        methods=body.methods,
        log=tuple(LogEntry(at=row.when, level=row.type, message=row.what) for row in headers.log),
        calculation_time_s=headers.calculation_time,
        software_version=package.manifest.software.version,
    )
