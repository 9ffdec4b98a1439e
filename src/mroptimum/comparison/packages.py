"""Two packages of the same voxels, map by map and region by region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mroptimum.comparison.differences import Difference, Values, difference
from mroptimum.comparison.errors import NotComparable
from mroptimum.export.nifti import Volume
from mroptimum.package import ResultPackage, StoredMap
from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage
from mroptimum.result import MapId, MapKind
from mroptimum.roi import OtherGrid, Region

OBJECT = "object"
"""The region of all voxels that both packages count as object."""


@dataclass(frozen=True, kw_only=True)
class RegionDifference:
    """How a map differs in one region; None where the region holds no voxel with a value in both."""

    region: str
    difference: Difference | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A map that both packages have: its volumes in each, and how they differ, over the object first."""

    id: int
    name: str
    unit: str
    volumes_a: tuple[Volume, ...]
    volumes_b: tuple[Volume, ...]
    differences: tuple[RegionDifference, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Every map that both packages have, coil maps and masks left out."""

    pairs: tuple[Pair, ...]
    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """What is needed of one package at every map: the object, and the standard error of the SNR."""

    package: ResultPackage
    maps: dict[int, StoredMap]
    inside: tuple[NDArray[np.bool_], ...] | None
    snr_error: tuple[Volume, ...] | None


def compare(a: ResultPackage, b: ResultPackage, regions: Sequence[Region] = ()) -> Comparison:
    """Compare the maps that two packages have in common, over the object and over regions that lie on their voxels.

    Raises `NotComparable` for packages without a common map or on different voxels, `OtherGrid` for a region on neither
    of their stacks of slices, and `DamagedPackage`.
    """
    side_a, side_b = _side(a), _side(b)
    common = [number for number in side_a.maps if number in side_b.maps]
    if not common:
        raise NotComparable("The packages have no map in common.", "Give two packages with an SNR map each.")
    return Comparison(
        pairs=tuple(_pair(number, side_a, side_b, regions) for number in common),
        only_in_a=tuple(m.name for number, m in side_a.maps.items() if number not in side_b.maps),
        only_in_b=tuple(m.name for number, m in side_b.maps.items() if number not in side_a.maps),
    )


def _side(package: ResultPackage) -> _Side:
    errors = next((m for m in package.maps if m.id == MapId.STANDARD_ERROR), None)
    return _Side(
        package=package,
        maps={m.id: m for m in package.maps if m.kind is not MapKind.MASK and not m.is_coil_map},
        inside=tuple(v.data > 0 for v in package.volumes(package.mask)) if package.mask else None,
        snr_error=package.volumes(errors) if errors else None,
    )


def _pair(number: int, a: _Side, b: _Side, regions: Sequence[Region]) -> Pair:
    stored = a.maps[number]
    volumes_a, volumes_b = a.package.volumes(stored), b.package.volumes(b.maps[number])
    _refuse_other_voxels(stored.name, volumes_a, volumes_b)
    sides = ((a, volumes_a), (b, volumes_b))
    for side, volumes in sides:
        _refuse_other_shapes(side, volumes)
    for region in regions:
        if not any(region.grid.coincides_with(v.grid) for v in volumes_a):
            raise OtherGrid(f"The region {region.name}", region.grid, volumes_a[0].grid)
    errors = [side.snr_error if number == MapId.SNR else None for side, _ in sides]
    return Pair(
        id=number,
        name=stored.name,
        unit=stored.unit,
        volumes_a=volumes_a,
        volumes_b=volumes_b,
        differences=tuple(
            RegionDifference(
                region=name,
                difference=difference(
                    _picked(volumes_a, voxels),
                    _picked(volumes_b, voxels),
                    error_a=_picked(errors[0], voxels) if errors[0] else None,
                    error_b=_picked(errors[1], voxels) if errors[1] else None,
                ),
            )
            for name, voxels in _regions(volumes_a, a, b, regions)
        ),
    )


def _regions(
    volumes: Sequence[Volume], a: _Side, b: _Side, regions: Sequence[Region]
) -> Iterator[tuple[str, list[NDArray[np.bool_]]]]:
    """Yield the name of each region and its voxels in each stack."""
    yield (
        OBJECT,
        [
            np.logical_and.reduce([side.inside[i] for side in (a, b) if side.inside] or [np.ones(v.data.shape, bool)])
            for i, v in enumerate(volumes)
        ],
    )
    for region in regions:
        yield (
            region.name,
            [
                region.voxels if region.grid.coincides_with(v.grid) else np.zeros(v.data.shape, dtype=np.bool_)
                for v in volumes
            ],
        )


def _picked(volumes: Sequence[Volume], voxels: Sequence[NDArray[np.bool_]]) -> Values:
    return np.concatenate([v.data[inside] for v, inside in zip(volumes, voxels, strict=True)])


def _refuse_other_voxels(name: str, a: Sequence[Volume], b: Sequence[Volume]) -> None:
    if len(a) != len(b):
        raise NotComparable(
            f"The slices of A make {len(a)} stacks, those of B {len(b)}.", "Compare results of the same slices."
        )
    for of_a, of_b in zip(a, b, strict=True):
        if not of_a.grid.coincides_with(of_b.grid):
            raise NotComparable(
                f"The maps {name} lie on different voxels. A: {of_a.grid.in_words()}; B: {of_b.grid.in_words()}.",
                "Compare results of the same geometry, or resample one to the other first.",
            )


def _refuse_other_shapes(side: _Side, volumes: Sequence[Volume]) -> None:
    shapes = [v.data.shape for v in volumes]
    if side.inside is not None and [m.shape for m in side.inside] != shapes:
        raise DamagedPackage("The mask of a package has another shape than its maps.", GET_IT_AGAIN)
    if side.snr_error is not None and [v.data.shape for v in side.snr_error] != shapes:
        raise DamagedPackage("The standard error of a package has another shape than its maps.", GET_IT_AGAIN)
