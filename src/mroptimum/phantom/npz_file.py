"""NumPy files of a simulated acquisition, with the keys that `mroptimum.rawdata.npz` documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.phantom.description import Phantom
from mroptimum.phantom.simulation import Complex64, Scan


def write_npz(path: Path, scan: Scan) -> None:
    """Write the recorded lines of k-space, the calibration lines and the noise scan (if there are any)."""
    phantom = scan.phantom
    sampled = _points(phantom, phantom.imaging_partitions, phantom.imaging_lines)
    centres = np.asarray([phantom.centre_mm] if phantom.is_3d else phantom.slice_centres_mm)
    thickness = phantom.slice_thickness_mm * (phantom.n_slices if phantom.is_3d else 1)
    n_slices = len(centres)
    arrays: dict[str, NDArray[np.generic]] = {
        "kspace": _with_partitions(scan.kspace, phantom) * sampled[:, :, np.newaxis],
        "sampled": sampled,
        "dwell_time_s": np.array(float(phantom.dwell_time_s)),
        "readout_oversampling": np.array(float(phantom.readout_oversampling)),
        "partition_oversampling": np.array(float(phantom.partition_oversampling)),
        "centre_mm": centres,
        "readout_direction": np.tile(np.asarray(phantom.readout_direction), (n_slices, 1)),
        "phase_direction": np.tile(np.asarray(phantom.phase_direction), (n_slices, 1)),
        "slice_direction": np.tile(np.asarray(phantom.slice_direction), (n_slices, 1)),
        "fov_mm": np.tile(np.array([*phantom.fov_mm, thickness]), (n_slices, 1)),
        "coil_names": np.array([f"Phantom:P{coil + 1}" for coil in range(phantom.n_coils)]),
        "field_strength_t": np.array(float(phantom.field_strength_t)),
        "flip_angle_deg": np.array(float(phantom.flip_angle_deg)),
        "echo_time_s": np.array(float(phantom.echo_time_s)),
        "repetition_time_s": np.array(float(phantom.repetition_time_s)),
    }
    if phantom.calibration_lines:
        calibrated = _points(phantom, phantom.calibration_partitions, phantom.calibration_lines)
        arrays["calibration"] = _with_partitions(scan.kspace, phantom)[0, 0] * calibrated[:, :, np.newaxis]
        arrays["calibration_sampled"] = calibrated
    if phantom.n_noise_readouts:
        arrays["noise"] = scan.noise
        arrays["noise_dwell_time_s"] = np.array(float(phantom.noise_dwell_time_s))
        arrays["noise_bandwidth_ratio"] = np.array(float(scan.noise_bandwidth_ratio))
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes the names for the option allow_pickle


def _points(phantom: Phantom, partitions: Sequence[int], lines: Sequence[int]) -> NDArray[np.bool_]:
    """Return which (z, y) are among the partitions and lines; in 2D, z has length 1."""
    points = np.zeros((phantom.n_recorded_z if phantom.is_3d else 1, phantom.n_y), np.bool_)
    points[np.ix_(list(partitions) if phantom.is_3d else [0], list(lines))] = True
    return points


def _with_partitions(kspace: Complex64, phantom: Phantom) -> Complex64:
    """Return k-space (average, repetition, slice, coil, y, x) with an axis z before y: of a slab, that of slices."""
    return kspace.swapaxes(2, 3)[:, :, np.newaxis] if phantom.is_3d else kspace[:, :, :, :, np.newaxis]
