"""NumPy files: a .npz of named arrays, or a .npy that is k-space or noise alone.

========================  ===========================================================================================
kspace                    (average, repetition, slice, coil, z, y, x), (slice, coil, y, x) or (coil, y, x), complex
noise                     (readout, coil, sample) or (coil, sample), complex, as recorded
sampled                   (z, y) or (y): the imaging lines, boolean; without it, the lines that are not all zero
calibration               (slice, coil, z, y, x), (slice, coil, y, x) or (coil, y, x), complex
calibration_sampled       (z, y) or (y), boolean
dwell_time_s              time between samples of the signal as recorded, seconds
noise_dwell_time_s        the same of the noise
noise_bandwidth_ratio     noise-equivalent bandwidth of the receiver over the sampling bandwidth
readout_oversampling      how much longer the readout is than the image
partition_oversampling    how many more partitions are encoded than are in the image (3D)
centre_mm, fov_mm         (slice, 3), mm, patient coordinates (LPS); fov_mm along x, y, z
readout_direction,        (slice, 3), unit vectors (LPS)
phase_direction,
slice_direction
coil_names                (coil), text
field_strength_t, flip_angle_deg, echo_time_s, repetition_time_s
========================  ===========================================================================================

Only kspace is needed. k-space has its centre at index n // 2, and an inverse FFT makes the image of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata.acquisition import (
    Acquisition,
    Calibration,
    Complex64,
    FileFormat,
    Inspection,
    Mask,
    NoiseScan,
    SliceGeometry,
)
from mroptimum.rawdata.arrays import as_complex64, recorded_lines, separate
from mroptimum.rawdata.npy_arrays import array_shapes, load_arrays
from mroptimum.rawdata.plausibility import refuse_implausible_noise, refuse_implausible_signal
from mroptimum.rawdata.sampling import sampling_warnings
from mroptimum.rawdata.slice_axes import slice_geometry

Arrays = Mapping[str, NDArray[np.generic]]

KEYS = (
    "kspace",
    "noise",
    "sampled",
    "calibration",
    "calibration_sampled",
    "dwell_time_s",
    "noise_dwell_time_s",
    "noise_bandwidth_ratio",
    "readout_oversampling",
    "partition_oversampling",
    "centre_mm",
    "fov_mm",
    "readout_direction",
    "phase_direction",
    "slice_direction",
    "coil_names",
    "field_strength_t",
    "flip_angle_deg",
    "echo_time_s",
    "repetition_time_s",
)


def read_npz(path: Path) -> Acquisition:
    """Read the signal and, if the file holds it, the noise."""
    arrays = load_arrays(path, KEYS, name_of_only="kspace")
    if "kspace" not in arrays:
        if "noise" in arrays:
            raise WrongKindOfFile("The file holds noise only (key noise).", "Give it as the noise.")
        raise WrongKindOfFile("The file has no array `kspace`.", "Save k-space under the key `kspace`.")
    recorded_kspace = _kspace(as_complex64(arrays["kspace"], "kspace"))
    recorded = recorded_lines(recorded_kspace)
    refuse_implausible_signal(recorded_kspace, recorded)
    if "sampled" in arrays:
        recorded = recorded & _lines(arrays["sampled"], recorded.shape, "sampled")
        recorded_kspace = recorded_kspace * recorded[:, :, np.newaxis]
        if not recorded.any():
            raise UnreadableFile("None of the lines marked in `sampled` holds anything.", "Check `sampled`.")
    kspace, sampling, calibration = separate(recorded_kspace, recorded)
    if "calibration" in arrays:
        calibration = _calibration(arrays, kspace.shape)
    noise = _noise(arrays) if "noise" in arrays else None
    oversampling = _positive(arrays, "readout_oversampling")
    return Acquisition(
        kspace=kspace,
        sampled=sampling.lines,
        file_format=FileFormat.NPZ,
        dwell_time_s=_positive(arrays, "dwell_time_s"),
        readout_oversampling=oversampling or 1.0,
        is_oversampling_known=oversampling is not None,
        partition_oversampling=_positive(arrays, "partition_oversampling") or 1.0,
        acceleration=sampling.acceleration,
        noise=noise,
        calibration=calibration,
        geometry=_geometry(arrays, kspace.shape[2]),
        coil_names=_names(arrays, kspace.shape[3]),
        field_strength_t=_positive(arrays, "field_strength_t"),
        flip_angle_deg=_positive(arrays, "flip_angle_deg"),
        echo_time_s=_positive(arrays, "echo_time_s"),
        repetition_time_s=_positive(arrays, "repetition_time_s"),
        warnings=sampling_warnings(sampling),
    )


def read_npz_noise(path: Path) -> NoiseScan:
    """Read the array `noise`; of a file without one, every line of `kspace`."""
    arrays = load_arrays(path, KEYS, name_of_only="noise")
    if "noise" in arrays:
        return _noise(arrays)
    if "kspace" not in arrays:
        raise WrongKindOfFile("The file has neither `noise` nor `kspace`.", "Save the noise under the key `noise`.")
    kspace = _kspace(as_complex64(arrays["kspace"], "kspace"))
    lines = np.moveaxis(kspace, 3, -2).reshape(-1, kspace.shape[3], kspace.shape[-1])
    samples = np.ascontiguousarray(lines[np.any(lines != 0, axis=(1, 2))])
    if not samples.size:
        raise UnreadableFile("All samples are zero.", "Save the noise again.")
    refuse_implausible_noise(samples)
    return NoiseScan(
        samples=samples,
        dwell_time_s=_positive(arrays, "dwell_time_s"),
        origin="all lines of the array kspace",
        coil_names=_names(arrays, samples.shape[1]),
    )


def inspect_npz(path: Path) -> Inspection:
    """Say what a file holds."""
    shapes = array_shapes(path, name_of_only="array")
    return Inspection(
        file_format=FileFormat.NPZ,
        kind="imaging" if "kspace" in shapes else "noise" if "noise" in shapes else "unknown",
        size_bytes=path.stat().st_size,
        measurements=tuple({"name": name, "shape": list(shape)} for name, shape in shapes.items()),
        identifying_fields=(),
    )


def _kspace(array: Complex64) -> Complex64:
    match array.ndim:
        case 3:
            return array[np.newaxis, np.newaxis, np.newaxis, :, np.newaxis]
        case 4:
            return array[np.newaxis, np.newaxis, :, :, np.newaxis]
        case 7:
            return array
    raise UnsupportedData(
        f"`kspace` has {array.ndim} axes {array.shape}.",
        "Give (coil, y, x), (slice, coil, y, x) or (average, repetition, slice, coil, z, y, x).",
    )


def _noise(arrays: Arrays) -> NoiseScan:
    samples = as_complex64(arrays["noise"], "noise")
    if samples.ndim == 2:
        samples = samples[np.newaxis]
    if samples.ndim != 3:
        raise UnsupportedData(f"`noise` has {samples.ndim} axes {samples.shape}.", "Give (readout, coil, sample).")
    refuse_implausible_noise(samples)
    return NoiseScan(
        samples=samples,
        dwell_time_s=_positive(arrays, "noise_dwell_time_s"),
        noise_bandwidth_ratio=_positive(arrays, "noise_bandwidth_ratio"),
        origin="array noise of the file",
        coil_names=_names(arrays, samples.shape[1]),
    )


def _calibration(arrays: Arrays, shape: tuple[int, ...]) -> Calibration:
    reference = as_complex64(arrays["calibration"], "calibration")
    if reference.ndim == 3:
        reference = reference[np.newaxis]
    if reference.ndim == 4:
        reference = reference[:, :, np.newaxis]
    if reference.shape != shape[2:]:
        raise UnsupportedData(
            f"`calibration` has shape {arrays['calibration'].shape}; (slice, coil, z, y, x) = {shape[2:]} is needed.",
            "Give the calibration lines on the grid of `kspace`, zero elsewhere.",
        )
    if "calibration_sampled" in arrays:
        return Calibration(
            kspace=reference,
            sampled=_lines(arrays["calibration_sampled"], reference.shape[2:4], "calibration_sampled"),
        )
    return Calibration(kspace=reference, sampled=np.any(reference != 0, axis=(0, 1, 4)))


def _lines(array: NDArray[np.generic], shape: tuple[int, ...], name: str) -> Mask:
    mask = array.astype(np.bool_)
    if mask.ndim == 1:
        mask = mask[np.newaxis]
    if mask.shape != shape:
        raise UnsupportedData(f"`{name}` has shape {array.shape}; (z, y) = {shape} was expected.", f"Check `{name}`.")
    return mask


def _positive(arrays: Arrays, name: str) -> float | None:
    if name not in arrays:
        return None
    array = arrays[name]
    if array.size != 1 or not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise UnreadableFile(f"`{name}` is not one number.", f"Save `{name}` as a number or leave it out.")
    value = float(array.astype(np.float64).item())
    if not (np.isfinite(value) and value > 0):
        raise UnreadableFile(f"`{name}` is {value:g}.", f"Save `{name}` as a positive number or leave it out.")
    return value


def _geometry(arrays: Arrays, n_slices: int) -> tuple[SliceGeometry, ...]:
    names = ("centre_mm", "readout_direction", "phase_direction", "slice_direction", "fov_mm")
    if any(name not in arrays for name in names):
        return ()
    vectors: list[NDArray[np.float64]] = []
    for name in names:
        array = arrays[name]
        if array.shape != (n_slices, 3) or not np.issubdtype(array.dtype, np.floating):
            raise UnreadableFile(
                f"`{name}` has shape {array.shape} ({array.dtype}); ({n_slices}, 3) numbers were expected.",
                f"Save one vector for each slice in `{name}`.",
            )
        vectors.append(array.astype(np.float64))
    found: list[SliceGeometry] = []
    for index in range(n_slices):
        centre, readout, phase, normal, fov = (
            (float(v[index, 0]), float(v[index, 1]), float(v[index, 2])) for v in vectors
        )
        one = slice_geometry(centre, (readout, phase, normal), fov)
        if one is None:
            raise UnreadableFile("A slice position or field of view is no usable number.", "Check the geometry.")
        found.append(one)
    return tuple(found)


def _names(arrays: Arrays, n_coils: int) -> tuple[str, ...]:
    names = arrays.get("coil_names")
    if names is None or names.shape != (n_coils,) or names.dtype.kind != "U":
        return ()
    return tuple(str(name) for name in names)
