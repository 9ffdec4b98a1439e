"""What a run holds at its peak: inputs and maps, and nothing that grows with replicas, or with slices beside them."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from mroptimum import rawdata
from mroptimum.flags import Flags
from mroptimum.partitions import as_slices
from mroptimum.phantom import Phantom, simulate, write_twix_ve
from mroptimum.run import run
from tasks import local

MB = 1e6
PLAIN = Phantom(n_x=48, n_y=64, n_coils=8, sigma=0.002)
ACCELERATED = replace(PLAIN, acceleration=2, n_calibration_lines=24)
SLAB = replace(ACCELERATED, is_3d=True, n_slices=16)
SLAB_BOTH = replace(SLAB, partition_acceleration=2, n_calibration_partitions=8)


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Bytes: the most that was held at once, k-space and calibration lines as they are read, and the maps."""

    held: int
    inputs: int
    maps: int


def peak(phantom: Phantom, flags: Flags, path: Path) -> Peak:
    write_twix_ve(path, simulate(phantom))
    recorded = rawdata.read(path)
    inputs = recorded.kspace.nbytes + (recorded.calibration.kspace.nbytes if recorded.calibration else 0)
    del recorded
    document = flags.document(local(path), None)
    run(document, locate=lambda _: path)  # so that what is imported and set up once does not count
    gc.collect()
    tracemalloc.start()
    try:
        result = run(document, locate=lambda _: path)
        _, held = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return Peak(held=held, inputs=inputs, maps=sum(of_map.data.nbytes for of_map in result.maps))


@pytest.mark.parametrize(
    ("phantom", "flags"),
    [
        (PLAIN, Flags(reconstruction="rss")),
        (PLAIN, Flags(reconstruction="b1")),
        (ACCELERATED, Flags(reconstruction="sense")),
        (ACCELERATED, Flags(reconstruction="grappa")),
        (ACCELERATED, Flags(reconstruction="grappa", keep_acs=True)),
        (replace(SLAB_BOTH, n_x=8), Flags(reconstruction="sense")),
    ],
    ids=["rss", "b1", "sense", "grappa", "grappa that keeps its ACS", "slab"],
)
def test_replicas_are_not_held(phantom: Phantom, flags: Flags, tmp_path: Path) -> None:
    """250 more coil images would be 50 MB, 250 more images of one slice 6 MB.

    Two threads at work hold 1.5 MB each, a block of columns and the bits its noise is made of, at the same time or not.
    """
    flags = replace(flags, method="pmr")
    few, many = (peak(phantom, replace(flags, replicas=n), tmp_path / "scan.dat").held for n in (50, 300))
    assert many - few < 2.5 * MB


@pytest.mark.slow
@pytest.mark.parametrize("reconstruction", ["sense", "grappa"])
def test_slices_are_worked_on_one_at_a_time(reconstruction: str, tmp_path: Path) -> None:
    """Each slice adds what is read of it and its maps, once by itself and once among the others."""
    flags = Flags(method="pmr", replicas=50, reconstruction=reconstruction)
    few, many = (peak(replace(ACCELERATED, n_slices=n), flags, tmp_path / "scan.dat") for n in (4, 12))
    assert many.held - few.held < 1.05 * (many.inputs - few.inputs) + 2 * (many.maps - few.maps) + 0.5 * MB


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ac", "pmr"])
def test_partitions_become_slices_where_they_are(method: str, tmp_path: Path) -> None:
    """A full slab is transformed in place: not even a second one is held."""
    flags = Flags(method=method, replicas=50 if method == "pmr" else None, reconstruction="sense")
    few, many = (peak(replace(SLAB, n_slices=n), flags, tmp_path / "slab.dat") for n in (8, 16))
    assert many.held - few.held < 1.05 * (many.inputs - few.inputs) + 2 * (many.maps - few.maps) + 0.5 * MB


@pytest.mark.slow
def test_an_accelerated_slab_is_unfolded_one_column_at_a_time(tmp_path: Path) -> None:
    """Beside the inputs: the sampled points transformed along the readout, a quarter of the grid, and the maps.

    The maps once in volumes, once by slice and once together; coil maps of all columns would be as large as k-space.
    """
    flags = Flags(reconstruction="sense")
    few, many = (peak(replace(SLAB_BOTH, n_slices=n), flags, tmp_path / "slab.dat") for n in (8, 24))
    assert many.held - few.held < 1.15 * (many.inputs - few.inputs) + 3 * (many.maps - few.maps) + 0.5 * MB
    coil_maps = (24 - 8) * 8 * 64 * 48 * 8
    asked = replace(flags, coil_sensitivities=True)
    with_maps = peak(replace(SLAB_BOTH, n_slices=24), asked, tmp_path / "slab.dat")
    assert with_maps.held > many.held + coil_maps


def test_only_in_place_is_the_slab_as_read_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "slab.dat"
    write_twix_ve(path, simulate(replace(SLAB, n_x=8, n_slices=6, n_averages=2, partition_oversampling=4 / 3)))
    recorded = rawdata.read(path)
    assert recorded.calibration is not None
    before, of_calibration = recorded.kspace.copy(), recorded.calibration.kspace.copy()
    beside = as_slices(recorded)
    np.testing.assert_array_equal(recorded.kspace, before)
    np.testing.assert_array_equal(recorded.calibration.kspace, of_calibration)
    in_place = as_slices(recorded, in_place=True)
    assert np.shares_memory(in_place.kspace, recorded.kspace)
    np.testing.assert_array_equal(in_place.kspace, beside.kspace)
    assert beside.calibration is not None
    assert in_place.calibration is not None
    np.testing.assert_array_equal(in_place.calibration.kspace, beside.calibration.kspace)
    assert in_place.calibration.noise_power == beside.calibration.noise_power
