"""Slabs of any kind, noise-free, with known noise and maps: through a file to maps that are the closed form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mroptimum.coils import SliceSources
from mroptimum.convention import ScaleChain
from mroptimum.errors import ExplainedError, ReconstructionError, WrongKindOfFile
from mroptimum.flags import Flags
from mroptimum.noise import NoiseModel, whiten, whitener
from mroptimum.one_slice import SliceMaps, measure_slice
from mroptimum.partitions import as_slices
from mroptimum.phantom import Phantom, Scan, closed_form, simulate, write_mrd, write_twix_ve
from mroptimum.rawdata import read
from mroptimum.rawdata.acquisition import Acquisition
from mroptimum.result import MapId
from mroptimum.slab import measure_slab
from mroptimum.task import TaskDocument
from tasks import local, map_of, run_flags

WRITERS = {"dat": write_twix_ve, "h5": write_mrd}
in_one_folder = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
MAPS_FROM_FILE = {
    "loadSensitivity": True,
    "sensitivityMapSource": {"type": "file", "options": {"type": "local", "filename": "maps"}},
}


def noise_free(phantom: Phantom) -> Scan:
    scan = simulate(phantom)
    kspace = np.broadcast_to(scan.noise_free, scan.kspace.shape).astype(np.complex64)
    return replace(scan, kspace=kspace)


def known_noise(scan: Scan) -> NoiseModel:
    """What the phantom put in, of the average of its averages."""
    covariance = scan.covariance / scan.phantom.n_averages
    return NoiseModel(
        covariance=covariance,
        sample_covariance=covariance,
        n_samples=1,
        dc_fraction=0.0,
        chain=ScaleChain(),
        origin="the phantom's description",
    )


def measured(scan: Scan, acquisition: Acquisition, reconstruction: str) -> list[SliceMaps]:
    """Reconstruct what a reader returned with the phantom's own noise and coil maps."""
    values = Flags(reconstruction=reconstruction).document(local(Path("scan")), None).as_json()
    values["task"]["options"]["reconstructor"]["options"]["sensitivityMap"] = {"options": MAPS_FROM_FILE}
    document = TaskDocument.parse(values)
    noise = known_noise(scan)
    sources = [SliceSources(maps=whiten(of_slice.astype(np.complex64), whitener(noise))) for of_slice in scan.coil_maps]
    seed = np.random.SeedSequence(0)
    if acquisition.acceleration[1] > 1:
        return measure_slab(acquisition, 0, noise, document, sources, [None] * len(sources), seed, lambda *_: None)
    slices = as_slices(acquisition)
    return [
        measure_slice(slices, z, noise, document, of_slice, None, seed, lambda _: None)
        for z, of_slice in enumerate(sources)
    ]


def stacked(slices: list[SliceMaps], name: str) -> NDArray[np.float64]:
    return np.stack([getattr(one, name) for one in slices]).astype(np.float64)


@pytest.mark.parametrize("suffix", WRITERS)
@in_one_folder
@given(
    n_slices=st.integers(9, 12),
    n_y=st.integers(9, 18),
    n_x=st.integers(2, 4),
    n_coils=st.integers(1, 33),
    accelerations=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    first=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    calibration=st.tuples(st.integers(0, 8), st.integers(0, 6)),
    n_averages=st.integers(1, 2),
)
def test_snr_and_g_of_any_slab_are_the_closed_form(
    suffix: str,
    tmp_path: Path,
    n_slices: int,
    n_y: int,
    n_x: int,
    n_coils: int,
    accelerations: tuple[int, int],
    first: tuple[int, int],
    calibration: tuple[int, int],
    n_averages: int,
) -> None:
    phantom = Phantom(
        n_x=n_x,
        n_y=n_y,
        n_slices=n_slices,
        n_coils=n_coils,
        n_averages=n_averages,
        is_3d=True,
        slice_thickness_mm=25.0,
        acceleration=accelerations[0],
        partition_acceleration=accelerations[1],
        first_line=first[0] % accelerations[0],
        first_partition=first[1] % accelerations[1],
        n_calibration_lines=calibration[0],
        n_calibration_partitions=calibration[1],
        n_noise_readouts=0,
        sigma=1e-3,
    )
    scan = noise_free(phantom)
    WRITERS[suffix](tmp_path / f"slab.{suffix}", scan)
    try:
        acquisition = read(tmp_path / f"slab.{suffix}")
    except WrongKindOfFile:
        assume(False)  # too few lines to tell an echo from noise
    assert acquisition.acceleration == accelerations
    if accelerations[0] * accelerations[1] > n_coils:
        with pytest.raises(ReconstructionError, match="cannot tell them apart"):
            measured(scan, acquisition, "sense")
        return
    n_equations = n_coils * len(phantom.imaging_lines) * len(phantom.imaging_partitions)
    slices = measured(scan, acquisition, "sense")
    if n_equations < n_slices * n_y:
        assert sum(one.n_unsolvable for one in slices) > 0
        return
    try:
        with np.errstate(invalid="ignore", divide="ignore"):
            truth = closed_form(scan)
    except np.linalg.LinAlgError:
        assume(False)
    lost = np.max(truth.sense_g) ** 2  # the condition of the worst group, which single precision is divided by
    assume(lost < 1e4)  # else no digit of single precision is left
    bound = 1e-5 if lost < 10 else 2e-6 * lost
    np.testing.assert_allclose(stacked(slices, "g_factor"), truth.sense_g, rtol=bound)
    # A dark voxel keeps what bright ones that fold onto it leave of themselves.
    np.testing.assert_allclose(stacked(slices, "snr"), truth.sense_snr, rtol=0, atol=bound * truth.sense_snr.max())


@pytest.mark.parametrize("reconstruction", ["rss", "b1", "sense"])
@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    "options",
    [{}, {"partition_oversampling": 4 / 3, "readout_oversampling": 2}, {"n_slices": 7, "n_y": 13, "n_averages": 3}],
    ids=["plain", "oversampled", "odd"],
)
def test_a_full_slab_is_the_closed_form_to_1e_5(
    reconstruction: str, suffix: str, options: dict[str, int | float], tmp_path: Path
) -> None:
    phantom = Phantom(n_x=8, n_y=12, n_slices=6, n_coils=5, is_3d=True, slice_thickness_mm=10.0, sigma=1e-3)
    scan = noise_free(replace(phantom, n_noise_readouts=0, **options))  # type: ignore[arg-type]
    WRITERS[suffix](tmp_path / f"slab.{suffix}", scan)
    truth = closed_form(scan)
    found = stacked(measured(scan, read(tmp_path / f"slab.{suffix}"), reconstruction), "snr")
    np.testing.assert_allclose(found[truth.mask], truth.snr[truth.mask], rtol=1e-5)


@in_one_folder
@given(
    coil_maps=st.sampled_from(["inner", "innerACL", "espirit", "walsh", "inati"]),
    reconstruction=st.sampled_from(["sense", "grappa"]),
    calibration=st.tuples(st.integers(0, 16), st.integers(0, 8)),
    accelerations=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    acl=st.tuples(st.integers(1, 20), st.integers(1, 10)) | st.none(),
)
def test_calibration_blocks_of_any_width_give_maps_or_an_explanation(
    tmp_path: Path,
    coil_maps: str,
    reconstruction: str,
    calibration: tuple[int, int],
    accelerations: tuple[int, int],
    acl: tuple[int, int] | None,
) -> None:
    phantom = Phantom(
        n_x=8,
        n_y=16,
        n_slices=8,
        n_coils=10,
        is_3d=True,
        slice_thickness_mm=15.0,
        acceleration=accelerations[0],
        partition_acceleration=accelerations[1],
        n_calibration_lines=calibration[0],
        n_calibration_partitions=calibration[1],
        n_noise_readouts=64,
        sigma=1e-3,
    )
    path = tmp_path / "slab.dat"
    write_twix_ve(path, simulate(phantom))
    flags = Flags(
        reconstruction=reconstruction,
        coil_maps=coil_maps,
        acs_lines=acl[0] if acl else None,
        acs_partitions=acl[1] if acl else None,
    )
    try:
        result = run_flags(flags, path)
    except ExplainedError:
        return  # one of two right answers
    snr = map_of(result, MapId.SNR).data
    assert snr.shape == (8, 16, 8)
    assert np.all(np.isfinite(snr))
    assert snr.max() > 0
