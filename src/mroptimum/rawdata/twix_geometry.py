"""Where the slices of a TWIX measurement lie, and their order in space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mroptimum.rawdata.acquisition import SliceGeometry, Vector
from mroptimum.rawdata.cartesian import GridPlan
from mroptimum.rawdata.slice_axes import axes_from_quaternion, in_space, slice_geometry
from mroptimum.rawdata.twix_content import TwixMeasurement
from mroptimum.rawdata.twix_header import ProtocolSlice, TwixHeader
from mroptimum.rawdata.twix_readouts import SlicePlacement


def slice_order(measurement: TwixMeasurement) -> tuple[int, ...]:
    """Return the slice counters in ascending order along the slice direction.

    Counters run in the order of acquisition. The position stored with every readout tells which slice it is; where
    positions do not tell the slices apart, the header's list of the acquisition order does.
    """
    placements = _placements(measurement)
    axes = axes_from_quaternion(next(iter(placements.values())).quaternion)
    by_position = in_space({counter: p.centre_mm for counter, p in placements.items()}, axes[2]) if axes else None
    if by_position is not None:
        return by_position
    planned = _planned_slices(measurement)
    return tuple(sorted(planned, key=lambda counter: planned[counter]))


def _planned_slices(measurement: TwixMeasurement) -> dict[int, int]:
    """Return for each slice counter the index of its slice in the protocol."""
    placements = _placements(measurement)
    by_position = {
        counter: _nearest(placement.centre_mm, measurement.header.slices) for counter, placement in placements.items()
    }
    if len(set(by_position.values())) == len(by_position):
        return by_position
    order = measurement.header.chronological_slices
    if all(counter < len(order) for counter in placements):
        return {counter: order[counter] for counter in placements}
    return {counter: index for index, counter in enumerate(sorted(placements))}


def geometry(measurement: TwixMeasurement, plan: GridPlan) -> tuple[SliceGeometry, ...]:
    """Return one geometry a slice in the order of the plan, or none if any slice's is not usable."""
    header = measurement.header
    placements, planned_index = _placements(measurement), _planned_slices(measurement)
    are_positions_distinct = len({p.centre_mm for p in placements.values()}) == len(placements)
    found: list[SliceGeometry] = []
    for counter in plan.slices:
        index = planned_index[counter]
        axes = axes_from_quaternion(placements[counter].quaternion)
        if axes is None or not 0 <= index < len(header.slices):
            return ()
        planned = header.slices[index]
        one = slice_geometry(
            placements[counter].centre_mm if are_positions_distinct else planned.centre_mm,
            axes,
            (planned.readout_fov_mm, planned.phase_fov_mm * (1 + header.phase_oversampling), planned.thickness_mm),
        )
        if one is None:
            return ()
        found.append(one)
    return tuple(found)


def partition_oversampling(header: TwixHeader, plan: GridPlan) -> float:
    """Return how many more partitions were encoded than the slab of the image has, in whole partitions."""
    if not header.is_3d or plan.z.length == 1:
        return 1.0
    return plan.z.length / max(1, round(plan.z.length / (1 + header.slice_oversampling)))


def _placements(measurement: TwixMeasurement) -> Mapping[int, SlicePlacement]:
    placements: dict[int, SlicePlacement] = {}
    for readout in measurement.imaging:
        if readout.slice not in placements:
            placements[readout.slice] = measurement.lines.placement(readout)
    return placements


def _nearest(centre: Vector, slices: Sequence[ProtocolSlice]) -> int:
    if not slices:
        return -1
    return min(range(len(slices)), key=lambda index: math.dist(centre, slices[index].centre_mm))
