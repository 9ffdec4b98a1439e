"""What every reader returns: one multi-coil acquisition, its noise scan and its geometry, as plain values.

Axes are named by position and never change: k-space is ``(average, repetition, slice, coil, z, y, x)`` with ``x`` the
readout, ``y`` and ``z`` the phase-encoding directions (``z`` has length 1 in 2D). Lengths are millimetres, times
seconds, angles degrees; units are converted where a file is read and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import RawDataError

Complex64 = NDArray[np.complex64]
Mask = NDArray[np.bool_]
Vector = tuple[float, float, float]


class FileFormat(StrEnum):
    """The formats we read."""

    TWIX_VB = "twix-vb"
    """Siemens TWIX, VA/VB software: one measurement a file."""
    TWIX_VE = "twix-ve"
    """Siemens TWIX, VD/VE/XA software: one or more measurements ("raids") a file."""
    ISMRMRD = "ismrmrd"
    """ISMRM raw data, HDF5."""
    MAT = "mat"
    """MATLAB arrays."""
    NPZ = "npz"
    """NumPy arrays."""
    BART = "bart"
    """An array of BART: a pair of .cfl and .hdr."""


@dataclass(frozen=True, kw_only=True)
class SliceGeometry:
    """Where one slice (2D) or slab (3D) lies in the patient.

    All vectors are in patient coordinates as DICOM defines them (x to the patient's left, y to the back, z to the head:
    LPS). ``fov_mm`` is the extent (x, y, z) of the **reconstructed** grid, readout and partition oversampling removed;
    in 2D its z is the slice thickness. The voxel n // 2 along each encoded direction lies at ``centre_mm``.
    """

    centre_mm: Vector
    readout_direction: Vector
    phase_direction: Vector
    slice_direction: Vector
    fov_mm: Vector


@dataclass(frozen=True, kw_only=True)
class NoiseScan:
    """Samples taken with the receivers on and nothing to receive, in the order and number they were recorded.

    ``samples`` is ``(readout, coil, sample)``, in the same arbitrary units as the k-space it belongs to, never
    averaged, never cropped. ``dwell_time_s`` is the time between samples as recorded. ``noise_bandwidth_ratio`` is the
    noise-equivalent bandwidth of the receiver filter over the sampling bandwidth as the header gives it (None: it
    does not). ``origin`` says in words where in the file the samples come from; ``coil_names`` are in the order of the
    samples, empty when the file does not name every coil; ``warnings`` is what a person should know who uses them.
    """

    samples: Complex64
    dwell_time_s: float | None
    noise_bandwidth_ratio: float | None = None
    origin: str = ""
    coil_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.samples.ndim != 3 or 0 in self.samples.shape:
            raise RawDataError(
                f"Noise samples have shape {self.samples.shape}; (readout, coil, sample) was expected.",
                "Give noise samples for at least one readout of every coil.",
            )

    @property
    def n_coils(self) -> int:
        """Number of receive channels."""
        return int(self.samples.shape[1])


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Auto-calibration lines on the grid of the acquisition they belong to.

    ``kspace`` is ``(slice, coil, z, y, x)``, zero where nothing was sampled; ``sampled`` is ``(z, y)``. ``noise_power``
    is that of its samples over that of one recorded sample, 1/n after averaging n.

    ``of_each`` is ``(average, repetition, slice, coil, line, x)``: the same lines, in the order of ``sampled``, of
    every average and repetition; None where there is one of both, or where they were not recorded each time.
    """

    kspace: Complex64
    sampled: Mask
    noise_power: float = 1.0
    of_each: Complex64 | None = None


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """One Cartesian multi-coil acquisition as recorded: nothing averaged, cropped, resampled or scaled.

    ``kspace`` is ``(average, repetition, slice, coil, z, y, x)``, complex64, on the full encoded grid with zeros where
    nothing was sampled; index ``n // 2`` is the centre of k-space along z, y and x. ``sampled`` is ``(z, y)``: the
    imaging lines, calibration-only lines left out. ``readout_oversampling`` is how much longer x is than the
    reconstructed image; 1 and ``is_oversampling_known`` False in arrays that do not say. ``partition_oversampling`` is
    how many more partitions (z) are encoded than reconstructed. ``dwell_time_s`` is the time
    between samples as recorded, oversampling included (None: the file does not say). ``acceleration`` is (y, z).
    ``geometry`` has one entry a slice, empty when the file knows none. ``noise`` is the noise scan that came in the
    same file, if one did. ``removed_fields`` names (never quotes) what was stripped from the header because it could
    identify a person.
    """

    kspace: Complex64
    sampled: Mask
    file_format: FileFormat
    dwell_time_s: float | None
    readout_oversampling: float = 1.0
    is_oversampling_known: bool = True
    partition_oversampling: float = 1.0
    acceleration: tuple[int, int] = (1, 1)
    noise: NoiseScan | None = None
    calibration: Calibration | None = None
    geometry: tuple[SliceGeometry, ...] = ()
    coil_names: tuple[str, ...] = ()
    field_strength_t: float | None = None
    flip_angle_deg: float | None = None
    echo_time_s: float | None = None
    repetition_time_s: float | None = None
    protocol: dict[str, str] = field(default_factory=dict)
    removed_fields: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kspace.ndim != 7 or 0 in self.kspace.shape:
            raise RawDataError(
                f"The k-space has shape {self.kspace.shape}; seven axes (average, repetition, slice, coil, z, y, x), "
                "none empty, were expected.",
                "Give one array with a coil axis and at least one readout.",
            )
        if self.sampled.shape != self.kspace.shape[4:6]:
            raise RawDataError(
                f"The sampling pattern has shape {self.sampled.shape}, the k-space needs {self.kspace.shape[4:6]}.",
                "Give one boolean for each (z, y) line.",
            )
        if self.geometry and len(self.geometry) != self.n_slices:
            raise RawDataError(
                f"{len(self.geometry)} slice positions for {self.n_slices} slices.",
                "Check the header of the file.",
            )

    @property
    def n_averages(self) -> int:
        """Number of averages of each line."""
        return int(self.kspace.shape[0])

    @property
    def n_repetitions(self) -> int:
        """Number of repetitions of the whole acquisition."""
        return int(self.kspace.shape[1])

    @property
    def n_slices(self) -> int:
        """Number of slices (2D) or slabs (3D)."""
        return int(self.kspace.shape[2])

    @property
    def n_coils(self) -> int:
        """Number of receive channels."""
        return int(self.kspace.shape[3])

    @property
    def is_3d(self) -> bool:
        """Whether partitions are encoded by phase."""
        return bool(self.kspace.shape[4] > 1)


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a file holds, from its headers: for `mroptimum inspect`, and to say what a refused file is.

    ``kind`` is ``imaging``, ``noise``, ``spectroscopy`` or ``unknown``, of what is no raw data ``image`` or ``result``;
    ``file_format`` then is none of `FileFormat`. ``identifying_fields`` are the names (never the values) of header
    fields that are filled and could identify a person.
    """

    file_format: str
    kind: str
    size_bytes: int
    measurements: tuple[dict[str, str | int | float | list[int] | bool | None], ...]
    identifying_fields: tuple[str, ...]
    notes: tuple[str, ...] = ()
