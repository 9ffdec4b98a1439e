from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import ismrmrd
import numpy as np
import pytest

from mroptimum.errors import UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.phantom import Phantom, Scan, simulate, write_mrd
from mroptimum.rawdata import FileFormat, inspect, read, read_noise

Change = Callable[[ismrmrd.Acquisition], None]


@pytest.fixture(scope="module")
def scan() -> Scan:
    return simulate(Phantom(n_x=16, n_y=16, n_coils=2, n_slices=2, readout_oversampling=2, n_noise_readouts=5))


@pytest.fixture(scope="module")
def small(scan: Scan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mrd") / "small.h5"
    write_mrd(path, scan)
    return path


def rewritten(source: Path, target: Path, *, header: Callable[[str], str] = str, change: Change | None = None) -> Path:
    """Copy a file readout by readout with the ISMRMRD library, changing header and readouts on the way."""
    with ismrmrd.Dataset(source, mode="r") as old, ismrmrd.Dataset(target) as new:
        new.write_xml_header(header(old.read_xml_header().decode()).encode())
        for number in range(old.number_of_acquisitions()):
            readout = old.read_acquisition(number)
            if change is not None:
                change(readout)
            new.append_acquisition(readout)
    return target


def test_a_file_of_the_ismrmrd_library_is_read(tmp_path: Path, small: Path) -> None:
    written = rewritten(small, tmp_path / "copy.h5")
    np.testing.assert_array_equal(read(written).kspace, read(small).kspace)
    np.testing.assert_array_equal(read_noise(written).samples, read(small).noise.samples)  # type: ignore[union-attr]


def test_facts_of_the_header(files: dict[str, Path], accelerated: Scan) -> None:
    acquisition = read(files["ismrmrd"])
    phantom = accelerated.phantom
    assert acquisition.file_format is FileFormat.ISMRMRD
    assert acquisition.echo_time_s == pytest.approx(phantom.echo_time_s)
    assert acquisition.repetition_time_s == pytest.approx(phantom.repetition_time_s)
    assert acquisition.flip_angle_deg == phantom.flip_angle_deg
    assert acquisition.field_strength_t == pytest.approx(phantom.field_strength_t)
    assert acquisition.protocol == {"scanner": "Synthetic", "sequence": "gre"}
    assert acquisition.removed_fields == ()
    assert acquisition.warnings == ()


def test_siemens_data_are_conjugated(tmp_path: Path, small: Path) -> None:
    """Converters copy the samples of Siemens files, demodulated with the opposite sign, as they are."""

    def conjugate(readout: ismrmrd.Acquisition) -> None:
        readout.data[:] = readout.data.conj()

    siemens = rewritten(
        small,
        tmp_path / "siemens.h5",
        header=lambda xml: xml.replace("MR Optimum", "SIEMENS"),
        change=conjugate,
    )
    np.testing.assert_array_equal(read(siemens).kspace, read(small).kspace)
    np.testing.assert_array_equal(read_noise(siemens).samples, read_noise(small).samples)


def test_partial_fourier(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_x=16, n_y=32, n_coils=2, n_omitted_lines=8))
    write_mrd(tmp_path / "file.h5", scan)
    acquisition = read(tmp_path / "file.h5")
    np.testing.assert_array_equal(np.flatnonzero(acquisition.sampled[0]), np.arange(8, 32))
    np.testing.assert_array_equal(acquisition.kspace[0, 0, :, :, 0, 8:], scan.kspace[0, 0, :, :, 8:])


def test_readouts_that_are_no_image_lines_are_left_out(tmp_path: Path, scan: Scan) -> None:
    write_mrd(tmp_path / "file.h5", simulate(replace(scan.phantom, n_repetitions=2)))

    def mark(readout: ismrmrd.Acquisition) -> None:
        if readout.idx.repetition == 1:
            for flag in (ismrmrd.ACQ_IS_NAVIGATION_DATA, ismrmrd.ACQ_IS_DUMMYSCAN_DATA, ismrmrd.ACQ_IS_REVERSE):
                readout.set_flag(flag)

    acquisition = read(rewritten(tmp_path / "file.h5", tmp_path / "marked.h5", change=mark))
    assert acquisition.n_repetitions == 1


def test_a_noise_file_is_no_signal_and_is_read_as_noise(tmp_path: Path, small: Path) -> None:

    def mark(readout: ismrmrd.Acquisition) -> None:
        readout.set_flag(ismrmrd.ACQ_IS_NOISE_MEASUREMENT)
        readout.data[:] = np.random.default_rng(readout.scan_counter).standard_normal(readout.data.shape)

    noise = rewritten(small, tmp_path / "noise.h5", change=mark)
    with pytest.raises(UnsupportedData, match="no imaging lines"):
        read(noise)
    assert inspect(noise).kind == "noise"
    assert read_noise(noise).samples.shape == (37, 2, 32)


def test_an_unmarked_noise_file_is_told_by_its_samples(tmp_path: Path, scan: Scan) -> None:
    phantom = replace(scan.phantom, amplitude=0.0, sigma=1.0, n_noise_readouts=0)
    write_mrd(tmp_path / "noise.h5", simulate(phantom))
    with pytest.raises(WrongKindOfFile, match="noise only"):
        read(tmp_path / "noise.h5")
    assert inspect(tmp_path / "noise.h5").kind == "noise"
    assert read_noise(tmp_path / "noise.h5").dwell_time_s == pytest.approx(phantom.dwell_time_s)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("<trajectory>cartesian", "<trajectory>radial", "radial"),
        ("<trajectory>cartesian", "<trajectory>epi", "epi"),
    ],
)
def test_trajectories_that_are_not_cartesian_are_refused(
    tmp_path: Path, small: Path, old: str, new: str, cause: str
) -> None:
    changed = rewritten(small, tmp_path / "c.h5", header=lambda xml: xml.replace(old, new))
    with pytest.raises(UnsupportedData, match=cause):
        read(changed)


def test_reversed_lines_are_refused(tmp_path: Path, small: Path) -> None:
    def reverse(readout: ismrmrd.Acquisition) -> None:
        if readout.idx.kspace_encode_step_1 % 4 == 0:
            readout.set_flag(ismrmrd.ACQ_IS_REVERSE)

    with pytest.raises(UnsupportedData, match="EPI"):
        read(rewritten(small, tmp_path / "epi.h5", change=reverse))


def test_one_line_is_spectroscopy(tmp_path: Path, small: Path) -> None:

    def to_one_line(readout: ismrmrd.Acquisition) -> None:
        readout.idx.average = readout.idx.kspace_encode_step_1
        readout.idx.kspace_encode_step_1 = 0

    with pytest.raises(UnsupportedData, match="spectroscopy"):
        read(rewritten(small, tmp_path / "one.h5", change=to_one_line))


def test_lines_of_several_encodings_are_refused(tmp_path: Path, small: Path) -> None:
    def spread(readout: ismrmrd.Acquisition) -> None:
        readout.encoding_space_ref = readout.idx.slice % 2

    with pytest.raises(UnsupportedData, match="2 encodings"):
        read(rewritten(small, tmp_path / "two.h5", change=spread))


def test_an_encoding_that_is_not_described_is_refused(tmp_path: Path, small: Path) -> None:
    def shift(readout: ismrmrd.Acquisition) -> None:
        readout.encoding_space_ref = 3

    with pytest.raises(UnreadableFile, match="encoding 3"):
        read(rewritten(small, tmp_path / "three.h5", change=shift))


@pytest.mark.parametrize(
    ("header", "cause"),
    [
        ("no xml", "no XML"),
        ("<a/>", "not of ISMRMRD"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        ("<ismrmrdHeader><encoding/></ismrmrdHeader>", "no matrix"),
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, small: Path, header: str, cause: str) -> None:
    with pytest.raises(UnreadableFile, match=cause):
        read(rewritten(small, tmp_path / "header.h5", header=lambda _: header))


def test_other_hdf5_files_are_told_apart(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["phantom"] = np.zeros((4, 4))
    with pytest.raises(UnreadableFile, match="no ISMRMRD raw data"):
        read(tmp_path / "other.h5")


def test_another_group_name_is_found(tmp_path: Path, small: Path) -> None:
    (tmp_path / "named.h5").write_bytes(small.read_bytes())
    with h5py.File(tmp_path / "named.h5", "r+") as file:
        file.move("dataset", "scan_7")
    np.testing.assert_array_equal(read(tmp_path / "named.h5").kspace, read(small).kspace)


def test_compressed_readouts_are_refused_with_a_way_out(tmp_path: Path, small: Path) -> None:
    with h5py.File(small, "r") as old, h5py.File(tmp_path / "gzip.h5", "w") as new:
        new["dataset/xml"] = old["dataset/xml"][()]
        new["dataset"].create_dataset("data", data=old["dataset/data"][()], compression="gzip")
    with pytest.raises(UnsupportedData, match="compressed") as caught:
        read(tmp_path / "gzip.h5")
    assert "h5repack" in caught.value.next_step


def test_truncation_is_refused_wherever_it_is(tmp_path: Path, small: Path) -> None:
    content = small.read_bytes()
    for share in np.linspace(0.01, 0.999, 25):
        (tmp_path / "cut.h5").write_bytes(content[: int(share * len(content))])
        with pytest.raises(UnreadableFile):
            read(tmp_path / "cut.h5")


def test_a_readout_of_another_length_than_announced_is_refused(tmp_path: Path, small: Path) -> None:
    (tmp_path / "length.h5").write_bytes(small.read_bytes())
    with h5py.File(tmp_path / "length.h5", "r+") as file:
        rows = file["dataset/data"][()]
        rows["head"]["active_channels"] = 3
        file["dataset/data"][...] = rows
    with pytest.raises(UnreadableFile, match="were announced"):
        read(tmp_path / "length.h5")


def test_inspection(files: dict[str, Path], accelerated: Scan) -> None:
    inspection = inspect(files["ismrmrd"])
    assert inspection.kind == "imaging"
    (measurement,) = inspection.measurements
    assert measurement["n_noise_lines"] == 20
    assert measurement["n_slices"] == accelerated.phantom.n_slices
    assert measurement["noise_bandwidth_ratio"] == pytest.approx(accelerated.noise_bandwidth_ratio)
