from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mroptimum.errors import UnsupportedData, WrongKindOfFile
from mroptimum.phantom import (
    Phantom,
    Scan,
    simulate,
    vendor_noise_dwell_time_s,
    write_mrd,
    write_npz,
    write_twix_vb,
    write_twix_ve,
)
from mroptimum.rawdata import Acquisition, FileFormat, inspect, read, read_noise
from twix_bytes import MULTIBAND, NOISE, PHASE_CORRECTION, RAW_DATA_CORRECTION, REFLECT, TwixBytes

WRITERS = {"twix-vb": write_twix_vb, "twix-ve": write_twix_ve}


def recorded(scan: Scan) -> np.ndarray[tuple[int, ...], np.dtype[np.complex64]]:
    """The k-space that a reader must return: imaging lines, zero elsewhere."""
    lines = np.zeros(scan.phantom.n_y, np.bool_)
    lines[list(scan.phantom.imaging_lines)] = True
    return (scan.kspace * lines[:, np.newaxis])[:, :, :, :, np.newaxis]


@pytest.mark.parametrize("name", WRITERS)
def test_every_sample_comes_back_to_its_place(files: dict[str, Path], accelerated: Scan, name: str) -> None:
    acquisition = read(files[name])
    phantom = accelerated.phantom
    assert acquisition.file_format is FileFormat(name)
    np.testing.assert_array_equal(acquisition.kspace, recorded(accelerated))
    np.testing.assert_array_equal(np.flatnonzero(acquisition.sampled[0]), phantom.imaging_lines)
    assert acquisition.acceleration == (2, 1)
    assert acquisition.readout_oversampling == 2
    assert acquisition.calibration is not None
    np.testing.assert_array_equal(np.flatnonzero(acquisition.calibration.sampled[0]), phantom.calibration_lines)
    lines = list(phantom.calibration_lines)
    np.testing.assert_array_equal(
        acquisition.calibration.kspace[:, :, 0, lines], accelerated.kspace[0, 0, :, :, lines].transpose(1, 2, 0, 3)
    )
    assert acquisition.dwell_time_s == pytest.approx(phantom.dwell_time_s)
    assert acquisition.echo_time_s == pytest.approx(phantom.echo_time_s)
    assert acquisition.repetition_time_s == pytest.approx(phantom.repetition_time_s)
    assert acquisition.flip_angle_deg == phantom.flip_angle_deg
    assert acquisition.field_strength_t == phantom.field_strength_t
    assert acquisition.coil_names == ("Phantom:P1", "Phantom:P2", "Phantom:P3")
    assert acquisition.warnings == ()


def test_slices_come_in_space_though_they_were_recorded_interleaved(files: dict[str, Path], accelerated: Scan) -> None:
    geometry = read(files["twix-ve"]).geometry
    for one, centre in zip(geometry, accelerated.phantom.slice_centres_mm, strict=True):
        assert one.centre_mm == pytest.approx(centre, abs=1e-5)
        assert one.fov_mm == (220.0, 220.0, 5.0)


def test_the_noise_scan_of_another_measurement_is_found(files: dict[str, Path], accelerated: Scan) -> None:
    noise = read(files["twix-ve"]).noise
    assert noise is not None
    np.testing.assert_array_equal(noise.samples, accelerated.noise)
    assert noise.dwell_time_s == pytest.approx(accelerated.phantom.noise_dwell_time_s)
    assert noise.noise_bandwidth_ratio == pytest.approx(0.79)
    np.testing.assert_array_equal(read_noise(files["twix-ve"]).samples, accelerated.noise)


def test_the_image_measurement_alone(files: dict[str, Path]) -> None:
    acquisition = read(files["twix-ve"], multiraid=False)
    assert acquisition.noise is None
    np.testing.assert_array_equal(acquisition.kspace, read(files["twix-ve"]).kspace)


def test_multiraid_without_a_noise_scan_is_the_wrong_file(tmp_path: Path) -> None:
    write_twix_ve(tmp_path / "no_noise.dat", simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=0)))
    assert read(tmp_path / "no_noise.dat").noise is None
    with pytest.raises(WrongKindOfFile, match="multiraid"):
        read(tmp_path / "no_noise.dat", multiraid=True)


@pytest.mark.parametrize("oversampling", [1, 2])
@pytest.mark.parametrize("habit", ["130 Hz per pixel", "that of the image"])
def test_the_dwell_time_of_noise_lines_in_front_of_an_image(tmp_path: Path, habit: str, oversampling: int) -> None:
    phantom = Phantom(n_x=32, n_y=32, n_coils=4, readout_oversampling=oversampling, sigma=0.2, dwell_time_s=8e-6)
    vendor_s = vendor_noise_dwell_time_s(phantom.n_recorded_x)
    dwell_time_s = vendor_s if habit == "130 Hz per pixel" else phantom.dwell_time_s
    write_twix_vb(tmp_path / "vb.dat", simulate(replace(phantom, noise_dwell_time_s=dwell_time_s)))
    noise = read(tmp_path / "vb.dat").noise
    assert noise is not None
    assert noise.dwell_time_s == pytest.approx(dwell_time_s)
    assert habit in noise.origin
    assert read_noise(tmp_path / "vb.dat").dwell_time_s == pytest.approx(dwell_time_s)


def test_noise_between_the_two_habits_is_warned_about(tmp_path: Path) -> None:
    phantom = Phantom(n_x=32, n_y=32, n_coils=4, readout_oversampling=2, sigma=0.2, dwell_time_s=5e-6)
    between = float(np.sqrt(5e-6 * vendor_noise_dwell_time_s(64)))
    write_twix_vb(tmp_path / "vb.dat", simulate(replace(phantom, noise_dwell_time_s=between)))
    acquisition = read(tmp_path / "vb.dat")
    assert any("dwell time" in warning and "uncertain" in warning for warning in acquisition.warnings)
    assert "uncertain" in read_noise(tmp_path / "vb.dat").warnings[0]


@pytest.mark.parametrize("name", WRITERS)
def test_partial_fourier_keeps_the_centre_in_the_middle(tmp_path: Path, name: str) -> None:
    scan = simulate(Phantom(n_x=16, n_y=32, n_coils=2, n_omitted_lines=8))
    WRITERS[name](tmp_path / "file.dat", scan)
    acquisition = read(tmp_path / "file.dat")
    np.testing.assert_array_equal(acquisition.kspace, recorded(scan))
    assert acquisition.sampled.sum() == 24


def test_lines_without_a_centre_are_taken_from_edge_to_edge(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    for position in changed.readouts():
        changed.set_centre_line(position, 0)
    changed.replace_text(b"sKSpace.lPhaseEncodingLines\t = \t24", b"sKSpace.lPhaseEncodingLines\t = \t12")
    changed.replace_text(b'"iNoOfFourierLines">  { 24 ', b'"iNoOfFourierLines">  { 1  ')
    acquisition = read(changed.save(tmp_path / "pulseq.dat"))
    np.testing.assert_array_equal(acquisition.kspace, read(files["twix-ve"]).kspace)


def test_a_single_measurement_whose_length_is_not_given(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=0))
    write_twix_ve(tmp_path / "ve.dat", scan)
    changed = TwixBytes(tmp_path / "ve.dat")
    changed.content[24:32] = bytes(8)
    np.testing.assert_array_equal(read(changed.save(tmp_path / "xa.dat")).kspace, recorded(scan))


def test_lines_that_are_no_image_lines_are_left_out(tmp_path: Path, files: dict[str, Path]) -> None:
    scan = simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_repetitions=2, n_noise_readouts=0))
    write_twix_ve(tmp_path / "ve.dat", scan)
    changed = TwixBytes(tmp_path / "ve.dat")
    for position in changed.readouts()[16:]:
        changed.add_flags(position, PHASE_CORRECTION | REFLECT)
    acquisition = read(changed.save(tmp_path / "phasecor.dat"))
    np.testing.assert_array_equal(acquisition.kspace, recorded(scan)[:, :1])


def test_readouts_of_segments_are_merged(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_noise_readouts=0))
    write_twix_ve(tmp_path / "ve.dat", scan)
    changed = TwixBytes(tmp_path / "ve.dat")
    for number, position in enumerate(changed.readouts()):
        changed.content[position + 68 : position + 70] = (number % 4).to_bytes(2, "little")
    np.testing.assert_array_equal(read(changed.save(tmp_path / "segments.dat")).kspace, recorded(scan))


def test_coils_of_the_noise_scan_are_put_in_the_order_of_the_image(
    tmp_path: Path, files: dict[str, Path], accelerated: Scan
) -> None:
    changed = TwixBytes(files["twix-ve"])
    first, second = b'tElement\t = \t"P1"', b'tElement\t = \t"P2"'
    noise_start = changed.structure.measurements[0].start
    noise_end = changed.structure.measurements[0].end
    header = bytes(changed.content[noise_start:noise_end])
    swapped = header.replace(first, b"@" * len(first)).replace(second, first).replace(b"@" * len(first), second)
    changed.content[noise_start:noise_end] = swapped
    noise = read(changed.save(tmp_path / "swapped.dat")).noise
    assert noise is not None
    np.testing.assert_array_equal(noise.samples, accelerated.noise[:, [1, 0, 2]])


def test_a_noise_scan_of_other_coils_is_left_out_with_a_warning(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    noise_end = changed.structure.measurements[0].end
    changed.content[:noise_end] = bytes(changed.content[:noise_end]).replace(b'\t = \t"P1"', b'\t = \t"Q1"')
    acquisition = read(changed.save(tmp_path / "other.dat"))
    assert acquisition.noise is None
    assert any("other coils" in warning for warning in acquisition.warnings)


def test_raw_data_correction_is_told(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-vb"])
    for position in changed.readouts():
        changed.add_flags(position, RAW_DATA_CORRECTION)
    acquisition = read(changed.save(tmp_path / "corrected.dat"))
    assert any("correction factor" in warning for warning in acquisition.warnings)
    np.testing.assert_array_equal(acquisition.kspace, read(files["twix-vb"]).kspace)


def refused(changed: TwixBytes, tmp_path: Path) -> str:
    with pytest.raises(UnsupportedData) as caught:
        read(changed.save(tmp_path / "changed.dat"))
    assert caught.value.next_step
    return caught.value.message


def test_ramp_sampling_is_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    changed.replace_text(b'"alRegridMode">  { 1 1', b'"alRegridMode">  { 2 1')
    assert "EPI with ramp sampling" in refused(changed, tmp_path)


def test_reflected_lines_are_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-vb"])
    for position in changed.readouts()[21::2]:
        changed.add_flags(position, REFLECT)
    assert "EPI" in refused(changed, tmp_path)


def test_a_radial_trajectory_is_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-vb"])
    changed.replace_text(b"ucTrajectory\t = \t0x1", b"ucTrajectory\t = \t0x2")
    assert "not Cartesian" in refused(changed, tmp_path)


def test_simultaneous_multi_slice_is_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    changed.add_flags(changed.readouts()[0], MULTIBAND)
    assert "multi-band" in refused(changed, tmp_path)


def test_several_echoes_are_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    changed.set_counter(changed.readouts()[3], "contrast", 1)
    assert "2 contrasts" in refused(changed, tmp_path)


def test_spectroscopy_is_refused_and_told_by_inspection(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    changed.replace_text(b"lBaseResolution\t = \t16", b"lBaseResolution\t = \t1 ")
    assert "spectroscopy" in refused(changed, tmp_path)
    assert inspect(tmp_path / "changed.dat").kind == "spectroscopy"


def test_a_noise_measurement_alone_is_no_signal(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_x=32, n_y=32, n_coils=2, amplitude=0, sigma=1, n_noise_readouts=0, dwell_time_s=7e-6))
    write_twix_vb(tmp_path / "noise.dat", scan)
    with pytest.raises(WrongKindOfFile, match="noise only"):
        read(tmp_path / "noise.dat")
    assert inspect(tmp_path / "noise.dat").kind == "noise"
    noise = read_noise(tmp_path / "noise.dat")
    np.testing.assert_array_equal(noise.samples, scan.kspace[0, 0, 0].transpose(1, 0, 2))
    assert noise.dwell_time_s == pytest.approx(7e-6)


def test_marked_noise_lines_alone_are_no_signal(tmp_path: Path, files: dict[str, Path]) -> None:
    scan = simulate(Phantom(n_x=32, n_y=32, n_coils=2, amplitude=0, sigma=1, n_noise_readouts=0))
    write_twix_vb(tmp_path / "vb.dat", scan)
    changed = TwixBytes(tmp_path / "vb.dat")
    for position in changed.readouts():
        changed.add_flags(position, NOISE)
    assert "no imaging lines" in refused(changed, tmp_path)
    assert inspect(tmp_path / "changed.dat").kind == "noise"
    assert read_noise(tmp_path / "changed.dat").samples.shape == (32, 2, 32)


def test_an_image_is_no_noise(tmp_path: Path) -> None:
    write_twix_vb(tmp_path / "image.dat", simulate(Phantom(n_x=32, n_y=32, n_coils=2, n_noise_readouts=0)))
    with pytest.raises(WrongKindOfFile, match="holds a signal"):
        read_noise(tmp_path / "image.dat")


def test_inspection_counts_what_is_there(files: dict[str, Path], accelerated: Scan) -> None:
    inspection = inspect(files["twix-ve"])
    assert inspection.kind == "imaging"
    assert inspection.size_bytes == files["twix-ve"].stat().st_size
    assert inspection.identifying_fields == ()
    noise, image = inspection.measurements
    assert noise["n_noise_lines"] == noise["n_readouts"] == 20
    assert noise["n_imaging_lines"] == 0
    assert image["n_slices"] == 3
    assert image["n_repetitions"] == 2
    assert image["n_averages"] == 2
    assert image["n_lines"] == len(accelerated.phantom.imaging_lines)
    assert image["n_coils"] == 3
    assert image["readout_oversampling"] == 2.0


def test_slice_positions_unknown_are_told(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-vb"])
    for position in changed.readouts():
        changed.set_place(position, (0.0,) * 7)
    acquisition = read(changed.save(tmp_path / "nowhere.dat"))
    assert acquisition.geometry == ()
    assert any("where its slices lie" in warning for warning in acquisition.warnings)


def test_slices_without_positions_are_ordered_by_the_header(tmp_path: Path, files: dict[str, Path]) -> None:
    changed = TwixBytes(files["twix-ve"])
    for position in changed.readouts():
        changed.set_place(position, (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0))
    acquisition = read(changed.save(tmp_path / "counters.dat"))
    np.testing.assert_array_equal(acquisition.kspace, read(files["twix-ve"]).kspace)
    assert [one.centre_mm[2] for one in acquisition.geometry] == pytest.approx([3.0, 11.0, 19.0])


def test_the_known_noise_comes_back_in_the_image(tmp_path: Path) -> None:
    """500 raw acquisitions: the real part of an image pixel has the standard deviation that was put in."""
    scan = simulate(
        Phantom(n_x=12, n_y=10, n_coils=2, n_repetitions=500, sigma=0.05, coil_correlation=0.0, n_noise_readouts=0)
    )
    write_twix_ve(tmp_path / "repeated.dat", scan)
    kspace = read(tmp_path / "repeated.dat").kspace[0, :, 0, :, 0]
    shifted = np.fft.ifftshift(kspace, axes=(-2, -1))
    images = np.fft.fftshift(np.fft.ifft2(shifted, norm="ortho"), axes=(-2, -1))
    variance = images.real.var(axis=0, ddof=1).mean(axis=(-2, -1))
    expected = np.diag(scan.covariance).real / 2
    # 120 pixels x 499 degrees of freedom: one standard error is sqrt(2 / 59880) = 0.6 %.
    np.testing.assert_allclose(variance, expected, rtol=0.025)
    assert np.sqrt(variance.mean()) == pytest.approx(0.05, rel=0.013)


def read_quietly(path: Path) -> Acquisition:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        acquisition = read(path)
    assert out.getvalue() == err.getvalue() == ""
    return acquisition


def test_nothing_is_printed(files: dict[str, Path]) -> None:
    for path in files.values():
        assert read_quietly(path).kspace.any()


@pytest.mark.parametrize("name", ["twix-vb", "twix-ve", "ismrmrd", "npz"])
def test_the_noise_scan_carried_over_to_the_image_is_the_noise_that_was_put_in(tmp_path: Path, name: str) -> None:
    """Psi_image = Psi_scan x (dwell_scan / dwell_image) / NBW, from what the reader returns alone."""
    phantom = Phantom(
        n_x=32, n_y=32, n_coils=3, readout_oversampling=2, noise_bandwidth_ratio=0.79, n_noise_readouts=400, sigma=0.05,
        dwell_time_s=7e-6, noise_dwell_time_s=vendor_noise_dwell_time_s(64), coil_correlation=0.8,
    )  # fmt: skip
    scan = simulate(phantom)
    {**WRITERS, "ismrmrd": write_mrd, "npz": write_npz}[name](tmp_path / "file", scan)
    acquisition = read(tmp_path / "file")
    noise = acquisition.noise
    assert noise is not None
    assert noise.dwell_time_s is not None
    assert noise.noise_bandwidth_ratio is not None
    assert acquisition.dwell_time_s is not None
    samples = noise.samples.transpose(1, 0, 2).reshape(3, -1).astype(np.complex128)
    covariance = samples @ samples.conj().T / samples.shape[1]
    carried = covariance * (noise.dwell_time_s / acquisition.dwell_time_s) / noise.noise_bandwidth_ratio
    # 25600 samples: one standard error of an element is 1 / sqrt(25600) = 0.6 % of the diagonal.
    np.testing.assert_allclose(carried, scan.covariance, atol=0.025 * np.abs(scan.covariance).max())


def test_the_longest_of_several_noise_scans_is_taken(tmp_path: Path, files: dict[str, Path], accelerated: Scan) -> None:
    changed = TwixBytes(files["twix-ve"])
    for position in changed.readouts()[:5]:
        changed.add_flags(position, NOISE)
    noise = read_noise(changed.save(tmp_path / "two.dat"))
    np.testing.assert_array_equal(noise.samples, accelerated.noise)


def test_noise_lines_that_hold_a_signal_are_left_out_with_a_warning(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_x=32, n_y=32, n_coils=2, n_repetitions=2, n_noise_readouts=0))
    for name, write in {**WRITERS, "ismrmrd": write_mrd}.items():
        path = tmp_path / name
        write(path, scan)
        if name == "ismrmrd":
            with h5py.File(path, "r+") as file:
                rows = file["dataset/data"][()]
                rows["head"]["flags"][:32] |= 1 << 18
                file["dataset/data"][...] = rows
        else:
            changed = TwixBytes(path)
            for position in changed.readouts()[:32]:
                changed.add_flags(position, NOISE)
            changed.save(path)
        acquisition = read(path)
        assert acquisition.noise is None
        assert acquisition.n_repetitions == 1
        assert any("holds a signal" in warning for warning in acquisition.warnings)
