"""Sets of files with their truth beside them, for people and for the demonstration."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mroptimum.phantom.description import Phantom
from mroptimum.phantom.mrd_file import write_mrd
from mroptimum.phantom.npz_file import write_npz
from mroptimum.phantom.simulation import Scan, simulate
from mroptimum.phantom.truth import Truth, closed_form
from mroptimum.phantom.twix_file import vendor_noise_dwell_time_s, write_twix_vb, write_twix_ve

DEMO = Phantom(
    n_x=128,
    n_y=128,
    n_coils=16,
    n_slices=3,
    acceleration=2,
    n_calibration_lines=32,
    readout_oversampling=2,
    noise_bandwidth_ratio=0.79,
    n_noise_readouts=256,
    dwell_time_s=8e-6,
    noise_dwell_time_s=5e-6,
    sigma=0.002,
)
"""A 16-channel head scan with SENSE factor 2, whose SENSE SNR is 30 to 200 in the object."""

_CONVENTIONS = {
    "snr": "magnitude over the standard deviation of one real component of the noise; all lines; RSS and B1-weighted",
    "sense_snr": "the same of the SENSE reconstruction of the imaging lines, with the true sensitivities",
    "sense_g": "SENSE g-factor",
    "axes": "(slice, y, x), readout oversampling removed, voxel n // 2 at the slice's centre",
    "covariance": "complex noise covariance E[n n^H] at the image's bandwidth, in the flat part of the receiver",
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A raw file, the arrays of its truth (.npz) and their description (.json)."""

    raw: Path
    truth_arrays: Path
    truth_description: Path
    scan: Scan
    truth: Truth


def write_demo(folder: Path) -> Written:
    """Write the demonstration: a multi-raid Siemens file with noise scan, and its truth."""
    return _write(folder, "phantom_16ch_sense2.dat", DEMO, write_twix_ve)


def write_set(folder: Path) -> Sequence[Written]:
    """Write a small collection: the formats, a noise scan of every kind, repetitions, a slab accelerated twice."""
    full = Phantom(n_coils=8, n_slices=2, readout_oversampling=2, noise_bandwidth_ratio=0.79, sigma=0.005)
    repeated = Phantom(n_coils=8, n_repetitions=8, sigma=0.005, n_noise_readouts=0)
    slab = Phantom(
        n_x=48,
        n_y=48,
        n_coils=20,
        n_slices=16,
        is_3d=True,
        slice_thickness_mm=8.0,
        acceleration=2,
        partition_acceleration=2,
        n_calibration_lines=20,
        n_calibration_partitions=12,
        readout_oversampling=2,
        noise_bandwidth_ratio=0.79,
        sigma=0.002,
    )
    single = Phantom(n_coils=4, readout_oversampling=2, sigma=0.005, noise_dwell_time_s=vendor_noise_dwell_time_s(192))
    return (
        write_demo(folder),
        _write(folder, "phantom_8ch_full.h5", full, write_mrd),
        _write(folder, "phantom_20ch_slab_sense2x2.h5", slab, write_mrd),
        _write(folder, "phantom_8ch_8_repetitions.npz", repeated, write_npz),
        _write(folder, "phantom_4ch_single_raid.dat", single, write_twix_vb),
    )


def _write(folder: Path, name: str, phantom: Phantom, write: Callable[[Path, Scan], None]) -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    scan = simulate(phantom)
    truth = closed_form(scan)
    raw = folder / name
    write(raw, scan)
    arrays = folder / f"{raw.stem}_truth.npz"
    with arrays.open("wb") as file:
        np.savez_compressed(
            file,
            snr=truth.snr,
            sense_snr=truth.sense_snr,
            sense_g=truth.sense_g,
            mask=truth.mask,
            covariance=truth.covariance,
        )
    description = folder / f"{raw.stem}_truth.json"
    description.write_text(
        json.dumps(
            {
                "raw_file": raw.name,
                "truth_arrays": arrays.name,
                "conventions": _CONVENTIONS,
                "noise_bandwidth_ratio": scan.noise_bandwidth_ratio,
                "phantom": asdict(phantom),
            },
            indent=2,
        )
        + "\n",
        encoding="utf-8",
    )
    return Written(raw=raw, truth_arrays=arrays, truth_description=description, scan=scan, truth=truth)
