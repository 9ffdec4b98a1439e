from __future__ import annotations

from pathlib import Path

import ismrmrd
import numpy as np
import pytest

from mroptimum.phantom import Phantom, Scan, simulate, write_mrd


@pytest.fixture(scope="module")
def scan() -> Scan:
    return simulate(
        Phantom(
            n_x=16, n_y=16, n_coils=3, n_slices=3, n_averages=2, acceleration=2, n_calibration_lines=6,
            readout_oversampling=2, n_noise_readouts=4, noise_bandwidth_ratio=0.79, noise_dwell_time_s=5e-6,
            centre_mm=(1.0, 2.0, 3.0),
        )
    )  # fmt: skip


def test_the_library_of_the_format_finds_every_line(tmp_path: Path, scan: Scan) -> None:
    write_mrd(tmp_path / "file.h5", scan)
    found = np.zeros((2, 3, 3, 16, 32), np.complex64)
    noise = []
    heights = set()
    n_calibration = 0
    with ismrmrd.Dataset(tmp_path / "file.h5", mode="r") as dataset:
        header = ismrmrd.xsd.CreateFromDocument(dataset.read_xml_header())
        for number in range(dataset.number_of_acquisitions()):
            readout = dataset.read_acquisition(number)
            assert readout.center_sample == 16
            if readout.is_flag_set(ismrmrd.ACQ_IS_NOISE_MEASUREMENT):
                noise.append(readout.data)
                assert readout.sample_time_us == pytest.approx(5.0)
                continue
            assert readout.sample_time_us == pytest.approx(10.0)
            in_space = (0, 2, 1)[readout.idx.slice]
            heights.add((in_space, readout.position[2]))
            is_calibration = readout.is_flag_set(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION)
            n_calibration += is_calibration or readout.is_flag_set(ismrmrd.ACQ_IS_PARALLEL_CALIBRATION_AND_IMAGING)
            if not is_calibration:
                found[readout.idx.average, in_space, :, readout.idx.kspace_encode_step_1] = readout.data
    lines = np.zeros(16, np.bool_)
    lines[list(scan.phantom.imaging_lines)] = True
    np.testing.assert_array_equal(found, scan.kspace[:, 0] * lines[:, np.newaxis])
    np.testing.assert_array_equal(noise, scan.noise)
    assert heights == {(0, -5.0), (1, 3.0), (2, 11.0)}
    assert n_calibration == 6 * 3 * 2
    system = header.acquisitionSystemInformation
    assert system.relativeReceiverNoiseBandwidth == pytest.approx(scan.noise_bandwidth_ratio, rel=1e-6)
    encoding = header.encoding[0]
    assert encoding.encodedSpace.fieldOfView_mm.x == 2 * encoding.reconSpace.fieldOfView_mm.x == 440.0
    assert encoding.encodingLimits.kspace_encoding_step_1.center == 8
    assert header.subjectInformation is None
