"""ISMRMRD files of a simulated acquisition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.phantom.description import Phantom
from mroptimum.phantom.schedule import Line, Purpose, centre_y, centre_z, image_lines, noise_lines
from mroptimum.phantom.simulation import Scan

_PURPOSE_FLAGS = {
    Purpose.IMAGING: 0,
    Purpose.CALIBRATION: 1 << 19,
    Purpose.IMAGING_AND_CALIBRATION: 1 << 20,
    Purpose.NOISE: 1 << 18,
}
_FIRST_IN_SLICE = 1 << 6
_LAST_IN_SLICE = 1 << 7


def write_mrd(path: Path, scan: Scan) -> None:
    """Write noise measurements (if the scan has any) and the image, in HDF5."""
    import h5py
    from ismrmrd.hdf5 import acquisition_dtype

    lines = list(chain(noise_lines(scan), image_lines(scan)))
    rows = np.empty(len(lines), acquisition_dtype)
    for number, line in enumerate(lines):
        rows[number] = (
            _head(scan.phantom, line, number, acquisition_dtype["head"]),
            np.empty(0, np.float32),
            np.ascontiguousarray(line.samples, "<c8").view(np.float32).ravel(),
        )
    with h5py.File(path, "w") as file:
        group = file.create_group("dataset")
        group.create_dataset("xml", data=np.array([_header(scan)], object), dtype=h5py.special_dtype(vlen=bytes))
        group.create_dataset("data", data=rows, maxshape=(None,), chunks=True)


def _head(phantom: Phantom, line: Line, number: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    is_noise = line.purpose is Purpose.NOISE
    head = np.zeros((), dtype)
    head["version"] = 1
    head["flags"] = (
        _PURPOSE_FLAGS[line.purpose]
        | (_FIRST_IN_SLICE if line.is_first_in_slice else 0)
        | (_LAST_IN_SLICE if line.is_last_in_slice else 0)
    )
    head["scan_counter"] = number
    head["number_of_samples"] = line.samples.shape[1]
    head["available_channels"] = head["active_channels"] = phantom.n_coils
    head["center_sample"] = line.samples.shape[1] // 2
    head["sample_time_us"] = 1e6 * (phantom.noise_dwell_time_s if is_noise else phantom.dwell_time_s)
    head["position"] = phantom.centre_mm if phantom.is_3d else phantom.slice_centres_mm[line.slice]
    head["read_dir"] = phantom.readout_direction
    head["phase_dir"] = phantom.phase_direction
    head["slice_dir"] = phantom.slice_direction
    head["idx"]["kspace_encode_step_1"] = line.y
    head["idx"]["kspace_encode_step_2"] = line.z
    head["idx"]["slice"] = line.acquired_slice
    head["idx"]["average"] = line.average
    head["idx"]["repetition"] = line.repetition
    return head


def _header(scan: Scan) -> bytes:
    from ismrmrd import xsd

    phantom = scan.phantom
    recorded_fov = phantom.fov_mm[0] * phantom.readout_oversampling
    n_encoded, n_reconstructed = (phantom.n_recorded_z, phantom.n_slices) if phantom.is_3d else (1, 1)
    thickness = phantom.slice_thickness_mm
    encoding = xsd.encodingType(
        encodedSpace=_space(
            xsd,
            (phantom.n_recorded_x, phantom.n_y, n_encoded),
            (recorded_fov, phantom.fov_mm[1], n_encoded * thickness),
        ),
        reconSpace=_space(
            xsd, (phantom.n_x, phantom.n_y, n_reconstructed), (*phantom.fov_mm, n_reconstructed * thickness)
        ),
        encodingLimits=xsd.encodingLimitsType(
            kspace_encoding_step_1=_limit(xsd, phantom.n_y - phantom.n_omitted_lines, centre_y(phantom)),
            kspace_encoding_step_2=_limit(xsd, n_encoded - phantom.n_omitted_partitions, centre_z(phantom)),
            slice=_limit(xsd, 1 if phantom.is_3d else phantom.n_slices),
            average=_limit(xsd, phantom.n_averages),
            repetition=_limit(xsd, phantom.n_repetitions),
        ),
        trajectory=xsd.trajectoryType.CARTESIAN,
    )
    if phantom.acceleration * phantom.partition_acceleration > 1:
        encoding.parallelImaging = xsd.parallelImagingType(
            accelerationFactor=xsd.accelerationFactorType(
                kspace_encoding_step_1=phantom.acceleration, kspace_encoding_step_2=phantom.partition_acceleration
            ),
            calibrationMode=xsd.calibrationModeType.EMBEDDED,
        )
    header = xsd.ismrmrdHeader(
        experimentalConditions=xsd.experimentalConditionsType(
            H1resonanceFrequency_Hz=round(phantom.field_strength_t * 42.577478518e6)
        ),
        acquisitionSystemInformation=xsd.acquisitionSystemInformationType(
            systemVendor="MR Optimum",
            systemModel="Synthetic",
            systemFieldStrength_T=phantom.field_strength_t,
            receiverChannels=phantom.n_coils,
            relativeReceiverNoiseBandwidth=scan.noise_bandwidth_ratio,
            coilLabel=[
                xsd.coilLabelType(coilNumber=coil, coilName=f"Phantom:P{coil + 1}") for coil in range(phantom.n_coils)
            ],
        ),
        sequenceParameters=xsd.sequenceParametersType(
            TR=[1e3 * phantom.repetition_time_s],
            TE=[1e3 * phantom.echo_time_s],
            flipAngle_deg=[phantom.flip_angle_deg],
            sequence_type="gre",
        ),
        encoding=[encoding],
    )
    text: str = header.toXML("utf-8")
    return text.encode()


def _space(xsd: Any, matrix: Sequence[int], fov_mm: Sequence[float]) -> Any:
    return xsd.encodingSpaceType(
        matrixSize=xsd.matrixSizeType(x=matrix[0], y=matrix[1], z=matrix[2]),
        fieldOfView_mm=xsd.fieldOfViewMm(x=fov_mm[0], y=fov_mm[1], z=fov_mm[2]),
    )


def _limit(xsd: Any, count: int, centre: int = 0) -> Any:
    return xsd.limitType(minimum=0, maximum=count - 1, center=centre)
