"""Files of real scanners: what each is read as, or refused for, and what a second reader makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from mapvbvd import mapVBVD
from numpy.typing import NDArray

from mroptimum.errors import RawDataError, UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata import FileFormat, inspect, read, read_noise

pytestmark = pytest.mark.real_data


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a file must be read as."""

    file_format: FileFormat
    shape: tuple[int, ...]
    dwell_time_s: float
    readout_oversampling: float
    centre_mm: tuple[float, float, float]
    fov_mm: tuple[float, float, float]
    first_coil: str
    field_strength_t: float
    warnings: tuple[str, ...] = ()


IMAGES = {
    "xa61_brain_16ch_128.dat": Expected(
        file_format=FileFormat.TWIX_VE,
        shape=(1, 1, 1, 16, 1, 128, 128),
        dwell_time_s=20e-6,
        readout_oversampling=1.0,
        centre_mm=(0.0, 0.0, 0.0),
        fov_mm=(256.0, 256.0, 3.0),
        first_coil="HeadNeck_20_TCS:H12",
        field_strength_t=2.89362001419,
        warnings=("header's matrix (64) is not the recorded one (128", "Pulseq"),
    ),
    "xa61_brain_bodycoil_2ch_128.dat": Expected(
        file_format=FileFormat.TWIX_VE,
        shape=(1, 1, 1, 2, 1, 128, 128),
        dwell_time_s=20e-6,
        readout_oversampling=1.0,
        centre_mm=(0.0, 0.0, 0.0),
        fov_mm=(256.0, 256.0, 3.0),
        first_coil="Body:BC1",
        field_strength_t=2.89362001419,
        warnings=("header's matrix (64) is not the recorded one (128", "Pulseq"),
    ),
    "ve11_phantom_32ch_64.dat": Expected(
        file_format=FileFormat.TWIX_VE,
        shape=(1, 1, 1, 32, 1, 64, 64),
        dwell_time_s=10e-6,
        readout_oversampling=1.0,
        centre_mm=(-6.658596, 45.399517, 0.0),
        fov_mm=(128.0, 128.0, 30.0),
        first_coil="Head_32:H10",
        field_strength_t=2.89362001419,
        warnings=("marked for a correction factor", "Pulseq"),
    ),
    "ve11_phantom_2ch_160_2reps.dat": Expected(
        file_format=FileFormat.TWIX_VE,
        shape=(1, 2, 1, 2, 1, 160, 320),
        dwell_time_s=11.6e-6,
        readout_oversampling=2.0,
        centre_mm=(4.483237, 28.335386, -106.004768),
        fov_mm=(220.0, 220.0, 5.0),
        first_coil="Body:BC2",
        field_strength_t=2.89362001419,
    ),
    "vb19_phantom_4ch_256_rep1.dat": Expected(
        file_format=FileFormat.TWIX_VB,
        shape=(1, 1, 1, 4, 1, 256, 256),
        dwell_time_s=20e-6,
        readout_oversampling=1.0,
        centre_mm=(9.297821, -4.958838, 0.0),
        fov_mm=(256.0, 256.0, 3.0),
        first_coil="HeadMatrix:H3P",
        field_strength_t=2.89362,
        warnings=("Pulseq",),
    ),
    "vb19_phantom_4ch_256_rep2.dat": Expected(
        file_format=FileFormat.TWIX_VB,
        shape=(1, 1, 1, 4, 1, 256, 256),
        dwell_time_s=20e-6,
        readout_oversampling=1.0,
        centre_mm=(9.297821, -4.958838, 0.0),
        fov_mm=(256.0, 256.0, 3.0),
        first_coil="HeadMatrix:H3P",
        field_strength_t=2.89362,
        warnings=("Pulseq",),
    ),
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_read_with_its_facts(real_data: Path, name: str) -> None:
    acquisition, expected = read(real_data / "twix" / name), IMAGES[name]
    assert acquisition.file_format is expected.file_format
    assert acquisition.kspace.shape == expected.shape
    assert acquisition.sampled.all()
    assert acquisition.acceleration == (1, 1)
    assert acquisition.dwell_time_s == pytest.approx(expected.dwell_time_s)
    assert acquisition.readout_oversampling == expected.readout_oversampling
    assert acquisition.geometry[0].centre_mm == pytest.approx(expected.centre_mm, abs=1e-5)
    assert acquisition.geometry[0].fov_mm == expected.fov_mm
    assert acquisition.coil_names[0] == expected.first_coil
    assert len(set(acquisition.coil_names)) == acquisition.n_coils
    assert acquisition.field_strength_t == pytest.approx(expected.field_strength_t)
    assert acquisition.noise is None
    assert acquisition.calibration is None
    assert len(acquisition.warnings) == len(expected.warnings)
    for warning, part in zip(acquisition.warnings, expected.warnings, strict=True):
        assert part in warning
    assert inspect(real_data / "twix" / name).kind == "imaging"


@pytest.mark.parametrize("name", IMAGES)
def test_a_second_reader_decodes_the_same_samples(
    real_data: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = mapVBVD(str(real_data / "twix" / name), quiet=True).image
    capsys.readouterr()  # it shows progress
    image.flagRemoveOS = False
    second: NDArray[np.complex64] = image[""]  # (column, coil, line, partition, slice, average, …, repetition, …)
    kspace = read(real_data / "twix" / name).kspace
    reordered = second.reshape(*second.shape[:3], -1, *second.shape[8:9]).squeeze(axis=3)
    np.testing.assert_array_equal(np.conj(reordered).transpose(3, 1, 2, 0), kspace[0, :, 0, :, 0])


REFUSED: dict[str, tuple[type[RawDataError], str, str]] = {
    "twix/ve11_epi_2ch_80.dat": (UnsupportedData, "EPI with ramp sampling", "imaging"),
    "twix/vb17_svs_8ch_noiseadj.dat": (UnsupportedData, "spectroscopy", "spectroscopy"),
    "twix/vb17_noiseonly_8ch_128.dat": (WrongKindOfFile, "noise only", "noise"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_refused_for_what_it_is(real_data: Path, name: str) -> None:
    error, cause, kind = REFUSED[name]
    with pytest.raises(error, match=cause):
        read(real_data / name)
    assert inspect(real_data / name).kind == kind


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("arrays/koma_brain_phantom_pd_r1_r2.h5", "no ISMRMRD raw data"),
        ("dicom/DIFirstImage.dcm", "DICOM image"),
        ("SOURCES.md", "unknown kind"),
    ],
)
def test_other_files_are_no_raw_data(real_data: Path, name: str, cause: str) -> None:
    with pytest.raises(UnreadableFile, match=cause):
        read(real_data / name)


def test_a_noise_measurement_is_read_unsorted(real_data: Path) -> None:
    path = real_data / "twix" / "vb17_noiseonly_8ch_128.dat"
    noise = read_noise(path)
    assert noise.samples.shape == (128, 8, 256)
    assert noise.dwell_time_s == pytest.approx(15e-6)
    assert noise.noise_bandwidth_ratio is None
    spectrum = (np.abs(np.fft.fft(noise.samples, axis=-1)) ** 2).mean(axis=(0, 1))
    flat = np.r_[spectrum[:64], spectrum[-64:]].mean()
    # The receiver's noise-equivalent bandwidth as measured on this file by others, 0.794.
    assert spectrum.mean() / flat == pytest.approx(0.794, abs=0.01)


def test_marked_noise_among_spectroscopy_is_read(real_data: Path) -> None:
    """Sequences of researchers sample noise as they sample the image, and its power tells."""
    noise = read_noise(real_data / "twix" / "vb17_svs_8ch_noiseadj.dat")
    assert noise.samples.shape == (1, 8, 8224)
    assert noise.dwell_time_s == pytest.approx(100e-6)


@pytest.mark.parametrize("name", [*IMAGES, "ve11_epi_2ch_80.dat"])
def test_an_image_given_as_the_noise_is_named(real_data: Path, name: str) -> None:
    with pytest.raises(WrongKindOfFile, match="holds a signal"):
        read_noise(real_data / "twix" / name)


def test_blanked_names_are_not_reported_and_what_was_left_is(real_data: Path) -> None:
    found = set(inspect(real_data / "twix" / "xa61_brain_16ch_128.dat").identifying_fields)
    left = {name for name in found if name.lower().startswith(("patient", "tpatient", "flpatient"))}
    assert left == {"PatientRegistrationData"}, "a DICOM data set in base64, which whoever blanked the names overlooked"
    assert {"StudyLOID", "tFrameOfReference", "InstitutionName", "tStudyDescription"} <= found


def test_arrays_of_16_coils(real_data: Path) -> None:
    path = real_data / "arrays" / "mroptimum_phantom_16ch_signal_noise.mat"
    acquisition = read(path)
    stored = scipy.io.loadmat(path)
    assert acquisition.kspace.shape == (1, 1, 1, 16, 1, 96, 96)
    np.testing.assert_array_equal(acquisition.kspace[0, 0, 0, :, 0], stored["S"].transpose(2, 1, 0))
    assert acquisition.noise is not None
    np.testing.assert_array_equal(acquisition.noise.samples, stored["N"].transpose(1, 2, 0))
    np.testing.assert_array_equal(read_noise(path).samples, acquisition.noise.samples)
    assert not acquisition.is_oversampling_known


def test_a_water_phantom_lies_with_its_air_on_top(real_data: Path) -> None:
    """The patient is supine, so up is anterior: the water of a phantom that is not full ends in a level surface there.

    The phantom is round: at its posterior end its rows taper off, at the surface of the water they end at full width.
    """
    acquisition = read(real_data / "twix" / "ve11_phantom_2ch_160_2reps.dat")
    kspace = acquisition.kspace[0, :, 0, :, 0]
    shifted = np.fft.ifftshift(kspace, axes=(-2, -1))
    images = np.fft.fftshift(np.fft.ifft2(shifted, norm="ortho"), axes=(-2, -1))
    image = np.sqrt((np.abs(images) ** 2).sum(axis=(0, 1)))
    columns = np.abs(np.arange(320) - 160) * 220 / 160  # mm along the readout
    width_mm = [2 * columns[row].max(initial=0.0) for row in image > 0.25 * np.quantile(image, 0.98)]
    filled = [row for row, width in enumerate(width_mm) if width > 25]
    posterior_is_last = acquisition.geometry[0].phase_direction[1] > 0
    first, last = (filled[0], filled[-1]) if posterior_is_last else (filled[-1], filled[0])
    assert width_mm[first] > 90
    assert width_mm[last] < 60
