"""The maps that regions are measured in: those of a result package, or a single NIfTI file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mroptimum.export.nifti import Volume
from mroptimum.grid import Grid
from mroptimum.package import ResultPackage, StoredMap, opened, read_package
from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage
from mroptimum.result import MapKind
from mroptimum.roi.errors import RegionError
from mroptimum.roi.measuring import NamedVolume
from mroptimum.volume_file import in_order_of, read_volume

EVERY_MAP = "all"
"""Asks for coil maps and masks, too, which are left out otherwise."""
_NIFTI_ENDINGS = (".nii", ".nii.gz")


@dataclass(frozen=True, kw_only=True, eq=False)
class MapsOnGrid:
    """Maps on the same voxels: a stack of slices. ``mask`` marks the object, where a package says which it is."""

    grid: Grid
    maps: tuple[NamedVolume, ...]
    mask: Volume | None = None
    package_sha256: str | None = None


def maps_at(path: Path, wanted: Sequence[str] = ()) -> tuple[MapsOnGrid, ...]:
    """Return the maps at `path`, a package or a NIfTI file, a set for each stack of slices.

    `wanted` are names or numbers of maps of a package; none: all but coil maps and masks. Raises `PackageError`, and
    `RegionError` for a map that is not there.
    """
    if path.name.endswith(_NIFTI_ENDINGS):
        volume = read_volume(path)
        return (MapsOnGrid(grid=volume.grid, maps=(NamedVolume(name="map", unit="", volume=volume),)),)
    with opened(path) as files:
        package = read_package(files)
        return _of_package(package, _chosen(package, wanted))


def one_stack(stacks: Sequence[MapsOnGrid], *, number: int | None, mask: Volume | None) -> MapsOnGrid:
    """Return the stack with a number, counted from 1; without one, that on which the mask lies, or the only one.

    Raises `RegionError` where that leaves a choice.
    """
    if number is not None:
        if not 1 <= number <= len(stacks):
            raise RegionError(f"There is no stack {number}.", f"Choose one from 1 to {len(stacks)}.")
        return stacks[number - 1]
    if mask is not None:
        fitting = [s for s in stacks if in_order_of(mask, s.grid.affine).grid.coincides_with(s.grid)]
        if fitting:
            return fitting[0]
    if len(stacks) > 1 and mask is None:
        raise RegionError(
            f"The slices of this package make {len(stacks)} stacks; a region lies on one of them.",
            f"Choose one with --stack, from 1 to {len(stacks)}.",
        )
    return stacks[0]


def _chosen(package: ResultPackage, wanted: Sequence[str]) -> tuple[StoredMap, ...]:
    if not wanted:
        return tuple(m for m in package.maps if m.kind is not MapKind.MASK and not m.is_coil_map)
    if EVERY_MAP in wanted:
        return package.maps
    found: list[StoredMap] = []
    for name in wanted:
        asked = name.casefold().replace("_", " ")
        fitting = [m for m in package.maps if asked in {str(m.id), m.name.casefold()}]
        if not fitting:
            known = ", ".join(f"{m.id} {m.name}" for m in package.maps if not m.is_coil_map)
            raise RegionError(f"The package has no map {name}.", f"Choose one of: {known}.", code="no_such_map")
        found += fitting
    return tuple(found)


def _of_package(package: ResultPackage, chosen: Sequence[StoredMap]) -> tuple[MapsOnGrid, ...]:
    if not chosen:
        raise RegionError("The package holds no map.", "Give a package with a result.", code="no_such_map")
    volumes = [package.volumes(stored) for stored in chosen]
    masks = package.volumes(package.mask) if package.mask else ()
    n_stacks = len(volumes[0])
    if any(len(of_map) != n_stacks for of_map in volumes) or (masks and len(masks) != n_stacks):
        raise DamagedPackage("The maps of the package have different numbers of stacks.", GET_IT_AGAIN)
    return tuple(
        MapsOnGrid(
            grid=volumes[0][stack].grid,
            maps=tuple(
                NamedVolume(name=stored.name, unit=stored.unit, id=stored.id, volume=of_map[stack])
                for stored, of_map in zip(chosen, volumes, strict=True)
            ),
            mask=masks[stack] if masks else None,
            package_sha256=package.manifest_sha256,
        )
        for stack in range(n_stacks)
    )
