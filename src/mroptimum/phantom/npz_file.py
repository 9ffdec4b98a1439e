"""NumPy files of a simulated acquisition, with the keys that `mroptimum.rawdata.npz` documents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.phantom.simulation import Scan


def write_npz(path: Path, scan: Scan) -> None:
    """Write the recorded lines of k-space, the calibration lines and the noise scan (if there are any)."""
    phantom = scan.phantom
    sampled = np.zeros((1, phantom.n_y), np.bool_)
    sampled[0, list(phantom.imaging_lines)] = True
    n_slices = phantom.n_slices
    arrays: dict[str, NDArray[np.generic]] = {
        "kspace": (scan.kspace * sampled[0][:, np.newaxis])[:, :, :, :, np.newaxis],
        "sampled": sampled,
        "dwell_time_s": np.array(float(phantom.dwell_time_s)),
        "readout_oversampling": np.array(float(phantom.readout_oversampling)),
        "centre_mm": np.asarray(phantom.slice_centres_mm),
        "readout_direction": np.tile(np.asarray(phantom.readout_direction), (n_slices, 1)),
        "phase_direction": np.tile(np.asarray(phantom.phase_direction), (n_slices, 1)),
        "slice_direction": np.tile(np.asarray(phantom.slice_direction), (n_slices, 1)),
        "fov_mm": np.tile(np.array([*phantom.fov_mm, phantom.slice_thickness_mm]), (n_slices, 1)),
        "coil_names": np.array([f"Phantom:P{coil + 1}" for coil in range(phantom.n_coils)]),
        "field_strength_t": np.array(float(phantom.field_strength_t)),
        "flip_angle_deg": np.array(float(phantom.flip_angle_deg)),
        "echo_time_s": np.array(float(phantom.echo_time_s)),
        "repetition_time_s": np.array(float(phantom.repetition_time_s)),
    }
    if phantom.calibration_lines:
        calibrated = np.zeros((1, phantom.n_y), np.bool_)
        calibrated[0, list(phantom.calibration_lines)] = True
        arrays["calibration"] = (scan.kspace[0, 0] * calibrated[0][:, np.newaxis])[:, :, np.newaxis]
        arrays["calibration_sampled"] = calibrated
    if phantom.n_noise_readouts:
        arrays["noise"] = scan.noise
        arrays["noise_dwell_time_s"] = np.array(float(phantom.noise_dwell_time_s))
        arrays["noise_bandwidth_ratio"] = np.array(float(scan.noise_bandwidth_ratio))
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes the names for the option allow_pickle
