"""Whole runs that put calibration lines back, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mroptimum.errors import ReconstructionError, TaskError
from mroptimum.flags import Flags
from mroptimum.phantom import Phantom, Scan, closed_form, simulate, write_mrd, write_npz, write_twix_ve
from mroptimum.rawdata import read
from mroptimum.result import MapId
from mroptimum.task import NoiseDomain
from tasks import local, map_of, run_flags

PHANTOM = Phantom(n_x=32, n_y=48, n_coils=6, acceleration=2, n_calibration_lines=16, sigma=0.005, n_repetitions=60)
SLAB = replace(PHANTOM, n_x=16, n_slices=4, is_3d=True, n_repetitions=30, slice_thickness_mm=10.0)
KEEPING = Flags(reconstruction="grappa", method="pmr", replicas=60, keep_acs=True)
WRITERS: dict[str, Callable[[Path, Scan], None]] = {"dat": write_twix_ve, "h5": write_mrd, "npz": write_npz}


def written(phantom: Phantom, folder: Path, suffix: str = "dat") -> tuple[Path, Scan]:
    scan = simulate(phantom)
    path = folder / f"scan.{suffix}"
    WRITERS[suffix](path, scan)
    return path, scan


@pytest.mark.parametrize("phantom", [PHANTOM, SLAB, replace(PHANTOM, n_averages=2)], ids=["2D", "slab", "averages"])
def test_replicas_agree_with_real_repetitions(phantom: Phantom, tmp_path: Path) -> None:
    path, scan = written(phantom, tmp_path)
    mask = np.abs(scan.image) > 0.5 * np.abs(scan.image).max()
    judge = map_of(run_flags(replace(KEEPING, method="mr", replicas=None), path), MapId.SNR).data[mask]
    pseudo = run_flags(KEEPING, path)
    assert pseudo.noise_domain is NoiseDomain.KSPACE
    assert np.median(map_of(pseudo, MapId.SNR).data[mask] / judge) == pytest.approx(1, abs=0.02)
    boxes = run_flags(replace(KEEPING, method="cr", replicas=6, box_size=1), path)
    assert np.median(map_of(boxes, MapId.SNR).data[mask] / judge) == pytest.approx(1, abs=0.05)


def test_it_gains_snr_has_no_g_and_says_so(tmp_path: Path) -> None:
    path, scan = written(replace(PHANTOM, n_repetitions=1), tmp_path)
    kept, usual = run_flags(KEEPING, path), run_flags(replace(KEEPING, keep_acs=False), path)
    mask = closed_form(scan).mask
    assert np.median(map_of(kept, MapId.SNR).data[mask] / map_of(usual, MapId.SNR).data[mask]) > 1.05
    assert MapId.GRAPPA_G in {of_map.id for of_map in usual.maps}
    assert MapId.GRAPPA_G not in {of_map.id for of_map in kept.maps}
    assert any("put back" in sentence and "not put back" not in sentence for sentence in kept.methods)


def test_the_analytic_method_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"keepAcs has no analytic noise.*choose pmr, mr or cr"):
        Flags(reconstruction="grappa", keep_acs=True).document(local(tmp_path / "scan.dat"), None)
    with pytest.raises(TaskError, match="keepAcs goes with grappa only"):
        replace(KEEPING, reconstruction="sense").document(local(tmp_path / "scan.dat"), None)


def test_fewer_lines_are_put_back_where_the_task_says_so(tmp_path: Path) -> None:
    path, scan = written(replace(PHANTOM, n_repetitions=1), tmp_path)
    mask = closed_form(scan).mask
    all_of_them, some = (
        map_of(run_flags(replace(KEEPING, acs_lines=n), path), MapId.SNR).data[mask] for n in (None, 12)
    )
    none = map_of(run_flags(replace(KEEPING, acs_lines=12, keep_acs=False), path), MapId.SNR).data[mask]
    assert np.median(all_of_them / some) > 1.02
    assert np.median(some / none) > 1.02


def test_a_decimated_scan_keeps_the_lines_it_was_told_to(tmp_path: Path) -> None:
    path, scan = written(replace(PHANTOM, acceleration=1, n_calibration_lines=0), tmp_path)
    flags = replace(KEEPING, decimate=True, acceleration=2, acs_lines=16)
    mask = np.abs(scan.image) > 0.5 * np.abs(scan.image).max()
    judge = map_of(run_flags(replace(flags, method="mr", replicas=None), path), MapId.SNR).data[mask]
    assert np.median(map_of(run_flags(flags, path), MapId.SNR).data[mask] / judge) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("suffix", WRITERS)
def test_calibration_lines_of_every_average_and_repetition_are_read(suffix: str, tmp_path: Path) -> None:
    phantom = replace(PHANTOM, n_slices=2, n_averages=2, n_repetitions=3, n_x=8, n_y=20, n_calibration_lines=6)
    path, scan = written(phantom, tmp_path, suffix)
    calibration = read(path).calibration
    assert calibration is not None
    if suffix == "npz":
        assert calibration.of_each is None  # the array `calibration` holds each line once
        return
    assert calibration.of_each is not None
    lines = list(phantom.calibration_lines)
    np.testing.assert_array_equal(calibration.of_each, scan.kspace[..., lines, :])


def test_unmarked_ones_in_arrays_are_read_for_each_as_well(tmp_path: Path) -> None:
    phantom = replace(PHANTOM, n_averages=2, n_repetitions=3, n_x=8, n_y=20, n_calibration_lines=5)
    scan = simulate(phantom)
    lines = sorted({*phantom.imaging_lines, *phantom.calibration_lines})
    recorded = np.zeros(20, np.bool_)
    recorded[lines] = True
    np.savez(tmp_path / "scan.npz", kspace=scan.kspace[:, :, :, :, None] * recorded[:, None])
    calibration = read(tmp_path / "scan.npz").calibration
    assert calibration is not None
    assert calibration.of_each is not None
    found = np.flatnonzero(calibration.sampled[0])
    np.testing.assert_array_equal(calibration.of_each, scan.kspace[..., found, :])


def test_lines_recorded_once_for_all_repetitions_are_not_put_back(tmp_path: Path) -> None:
    path, _ = written(replace(PHANTOM, n_repetitions=4), tmp_path, "npz")
    with pytest.raises(ReconstructionError, match="not recorded for every average and repetition") as refusal:
        run_flags(KEEPING, path)
    assert refusal.value.explain()["code"] == "acs_beside_image"
    assert refusal.value.next_step == "Leave out keepAcs."


def test_lines_of_a_scan_of_their_own_are_not_put_back(tmp_path: Path) -> None:
    scan = simulate(replace(PHANTOM, n_repetitions=1))
    arrays = {
        "kspace": np.where(
            np.isin(np.arange(48), scan.phantom.imaging_lines)[:, None], scan.kspace[0, 0, 0], np.complex64(0)
        ),
        "calibration": 2 * scan.kspace[0, 0, 0] * np.isin(np.arange(48), scan.phantom.calibration_lines)[:, None],
        "noise": scan.noise,
    }
    np.savez(tmp_path / "scan.npz", allow_pickle=False, **arrays)
    with pytest.raises(ReconstructionError, match="a scan of their own"):
        run_flags(KEEPING, tmp_path / "scan.npz")
    assert run_flags(replace(KEEPING, keep_acs=False), tmp_path / "scan.npz").has_snr


def test_lines_of_some_partitions_are_not_put_back(tmp_path: Path) -> None:
    path, _ = written(replace(SLAB, n_calibration_partitions=2, n_repetitions=1), tmp_path)
    with pytest.raises(ReconstructionError, match="in some partitions only"):
        run_flags(KEEPING, path)
