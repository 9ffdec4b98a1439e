"""A result package as one value: its documents, and its maps read when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from mroptimum.convention import ScaleChain
from mroptimum.errors import TaskError
from mroptimum.export.nifti import Volume
from mroptimum.noise import NoiseModel
from mroptimum.package.documents import Info, Manifest, MapEntry, read_failure, read_info, read_manifest
from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage, NotAPackage
from mroptimum.package.files import PackageFiles, is_plain_name, read_bytes, sha256_of
from mroptimum.package.layout import ERROR, INFO, MANIFEST, NOISE
from mroptimum.package.matrices import read_matrices
from mroptimum.result import MapId, MapKind
from mroptimum.task import TaskDocument
from mroptimum.volume_file import MAX_VOLUME_BYTES, UnreadableMap, volume_from

_VOLUME_DIMENSIONS = 3


@dataclass(frozen=True, kw_only=True)
class StoredMap:
    """A map in a package, with the names of its files: one for each stack of slices."""

    id: int
    name: str
    kind: MapKind
    unit: str
    description: str
    filenames: tuple[str, ...]

    @property
    def is_coil_map(self) -> bool:
        """Whether this is the sensitivity of one coil."""
        return MapId.COIL_SENSITIVITY <= self.id < MapId.MASK or self.id >= MapId.COIL_SENSITIVITY_FROM_COIL_90


@dataclass(frozen=True, kw_only=True)
class ResultPackage:
    """A result package that is open. ``maps`` are those that lie on voxels, in the order of the package."""

    files: PackageFiles
    info: Info
    manifest: Manifest
    manifest_sha256: str
    maps: tuple[StoredMap, ...]

    @property
    def document(self) -> TaskDocument:
        """The task that was done. Raises `DamagedPackage` for one that this version does not know."""
        try:
            return TaskDocument.parse(self.info.headers.options)
        except TaskError as error:
            raise DamagedPackage(
                f"The package's task cannot be used: {error.message}",
                f"It was written by {self.manifest.software.name} {self.manifest.software.version}; use that version.",
            ) from None

    @property
    def mask(self) -> StoredMap | None:
        """The map of voxels that count as object, if there is one."""
        return next((stored for stored in self.maps if stored.kind is MapKind.MASK), None)

    def volumes(self, stored: StoredMap) -> tuple[Volume, ...]:
        """Return a map's volumes, one for each stack of slices. Raises `DamagedPackage`."""
        return tuple(self._volume(name) for name in stored.filenames)

    def noise(self) -> NoiseModel | None:
        """Return what is known of the noise; None if the result rests on none. Raises `DamagedPackage`."""
        facts = self.info.info.noise
        if facts is None:
            return None
        matrices = read_matrices(self.files, NOISE, ("covariance", "sample_covariance"))
        covariance, n_coils = matrices["covariance"], self.info.info.protocol.n_coils
        if len(covariance) != n_coils or not (covariance.diagonal().real > 0).all():
            raise DamagedPackage(f"{NOISE} is no noise covariance of {n_coils} coils.", GET_IT_AGAIN)
        return NoiseModel(
            covariance=covariance,
            sample_covariance=matrices["sample_covariance"],
            n_samples=facts.n_samples,
            dc_fraction=facts.dc_fraction,
            chain=ScaleChain(facts.scale_factors),
            origin=facts.origin,
            bandwidth=facts.bandwidth,
        )

    def _volume(self, name: str) -> Volume:
        try:
            return volume_from(read_bytes(self.files, name, limit_bytes=MAX_VOLUME_BYTES))
        except UnreadableMap as error:
            raise DamagedPackage(f"{name}: {error.message}", GET_IT_AGAIN) from None


def read_package(files: PackageFiles) -> ResultPackage:
    """Return the result package in some files.

    Raises `NotAPackage` where there is none or only a failure, and `DamagedPackage`.
    """
    if INFO not in files.names:
        if ERROR in files.names:
            failure = read_failure(files)
            raise NotAPackage(f"The package holds no result but a failure: {failure.message}", failure.next_step)
        raise NotAPackage(
            f"There is no {INFO} in it.", "Give the folder of a result package, or its package.zip, not what is in it."
        )
    info = read_info(files)
    return ResultPackage(
        files=files,
        info=info,
        manifest=read_manifest(files),
        manifest_sha256=sha256_of(files, MANIFEST),
        maps=_maps(info.data),
    )


def _maps(entries: tuple[MapEntry, ...]) -> tuple[StoredMap, ...]:
    stacks: dict[int, list[MapEntry]] = {}
    for entry in entries:
        if not is_plain_name(entry.filename):
            raise DamagedPackage(f"{INFO} names a file outside the package.", GET_IT_AGAIN)
        if entry.dim == _VOLUME_DIMENSIONS:
            stacks.setdefault(entry.id, []).append(entry)
    return tuple(
        StoredMap(
            id=number,
            name=parts[0].name,
            kind=parts[0].type,
            unit=parts[0].unit,
            description=parts[0].description,
            filenames=tuple(entry.filename for entry in parts),
        )
        for number, parts in stacks.items()
    )
