from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum.errors import RawDataError, UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.phantom import Phantom, Scan, simulate, write_npz
from mroptimum.rawdata import FileFormat, inspect, npz, read, read_noise

Arrays = dict[str, NDArray[np.generic]]


@pytest.fixture
def arrays(tmp_path: Path) -> Arrays:
    """What the phantom writes, to be changed."""
    phantom = Phantom(n_x=16, n_y=20, n_coils=3, n_slices=2, acceleration=2, n_calibration_lines=6, n_noise_readouts=18)
    write_npz(tmp_path / "written.npz", simulate(phantom))
    with np.load(tmp_path / "written.npz") as file:
        return dict(file)


def saved(path: Path, arrays: Arrays) -> Path:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=True, **arrays)
    return path


def test_all_that_the_phantom_writes_comes_back(files: dict[str, Path], accelerated: Scan) -> None:
    acquisition = read(files["npz"])
    phantom = accelerated.phantom
    assert acquisition.file_format is FileFormat.NPZ
    np.testing.assert_array_equal(np.flatnonzero(acquisition.sampled[0]), phantom.imaging_lines)
    lines = list(phantom.imaging_lines)
    np.testing.assert_array_equal(acquisition.kspace[..., 0, lines, :], accelerated.kspace[..., lines, :])
    assert acquisition.acceleration == (2, 1)
    assert acquisition.readout_oversampling == 2
    assert acquisition.dwell_time_s == phantom.dwell_time_s
    assert acquisition.flip_angle_deg == phantom.flip_angle_deg
    assert acquisition.geometry[2].centre_mm == phantom.slice_centres_mm[2]
    assert acquisition.coil_names[2] == "Phantom:P3"
    assert acquisition.noise is not None
    assert acquisition.noise.dwell_time_s == phantom.noise_dwell_time_s
    assert acquisition.noise.noise_bandwidth_ratio == accelerated.noise_bandwidth_ratio
    assert acquisition.warnings == ()


def test_every_documented_key_is_one_that_is_read_and_the_reverse(arrays: Arrays) -> None:
    documented = npz.__doc__ or ""
    for key in npz.KEYS:
        assert key in documented
    assert set(arrays) == set(npz.KEYS)


def test_fewer_axes_will_do(tmp_path: Path, arrays: Arrays) -> None:
    whole = read(saved(tmp_path / "whole.npz", {"kspace": arrays["kspace"]}))
    assert whole.kspace.shape == (1, 1, 2, 3, 1, 20, 16)
    slices = read(saved(tmp_path / "slices.npz", {"kspace": arrays["kspace"][0, 0, :, :, 0]}))
    np.testing.assert_array_equal(slices.kspace, whole.kspace)
    one = read(saved(tmp_path / "one.npz", {"kspace": arrays["kspace"][0, 0, 1, :, 0]}))
    np.testing.assert_array_equal(one.kspace, whole.kspace[:, :, 1:])


def test_without_a_pattern_the_zeros_tell(tmp_path: Path, arrays: Arrays) -> None:
    acquisition = read(saved(tmp_path / "zeros.npz", {"kspace": arrays["kspace"]}))
    assert acquisition.acceleration == (2, 1)
    np.testing.assert_array_equal(acquisition.sampled, arrays["sampled"])


def test_a_pattern_of_one_axis_is_along_y(tmp_path: Path, arrays: Arrays) -> None:
    arrays["sampled"] = arrays["sampled"][0]
    arrays["calibration_sampled"] = arrays["calibration_sampled"][0]
    assert read(saved(tmp_path / "pattern.npz", arrays)).acceleration == (2, 1)


def test_npy_files_are_k_space_or_noise_alone(tmp_path: Path, arrays: Arrays) -> None:
    np.save(tmp_path / "k.npy", arrays["kspace"])
    np.save(tmp_path / "n.npy", arrays["noise"])
    np.testing.assert_array_equal(read(tmp_path / "k.npy").kspace, arrays["kspace"])
    np.testing.assert_array_equal(read_noise(tmp_path / "n.npy").samples, arrays["noise"])


def test_compressed_and_column_major_files_are_read(tmp_path: Path, arrays: Arrays) -> None:
    arrays["kspace"] = np.asfortranarray(arrays["kspace"])
    with (tmp_path / "c.npz").open("wb") as file:
        np.savez_compressed(file, allow_pickle=True, **arrays)
    np.testing.assert_array_equal(read(tmp_path / "c.npz").kspace, arrays["kspace"])


def test_noise_without_a_name_is_every_line(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_x=16, n_y=16, n_coils=2, amplitude=0, sigma=1))
    noise = read_noise(saved(tmp_path / "noise.npz", {"kspace": scan.kspace[0, 0, 0]}))
    np.testing.assert_array_equal(noise.samples, scan.kspace[0, 0, 0].transpose(1, 0, 2))


def test_oversampling_is_known_only_where_it_is_said(tmp_path: Path, arrays: Arrays) -> None:
    assert read(saved(tmp_path / "said.npz", arrays)).is_oversampling_known
    del arrays["readout_oversampling"]
    assert not read(saved(tmp_path / "unsaid.npz", arrays)).is_oversampling_known


@pytest.mark.parametrize(
    ("change", "error", "cause"),
    [
        ({"kspace": None}, WrongKindOfFile, "noise only"),
        ({"kspace": None, "noise": None}, WrongKindOfFile, "no array `kspace`"),
        ({"kspace": np.ones((3, 20, 16))}, WrongKindOfFile, "float64"),
        ({"kspace": np.ones((2, 2, 3, 20, 16), np.complex64)}, UnsupportedData, "5 axes"),
        ({"kspace": np.ones((3, 0, 16), np.complex64)}, UnreadableFile, "empty"),
        ({"noise": np.ones((2, 2, 2, 16), np.complex64)}, UnsupportedData, "4 axes"),
        ({"sampled": np.ones((1, 19), np.bool_)}, UnsupportedData, "`sampled`"),
        ({"sampled": np.zeros((1, 20), np.bool_)}, UnreadableFile, "None of the lines"),
        ({"calibration": np.ones((3, 5, 16), np.complex64)}, UnsupportedData, "`calibration`"),
        ({"dwell_time_s": np.array(-1.0)}, UnreadableFile, "`dwell_time_s`"),
        ({"dwell_time_s": np.array([1.0, 2.0])}, UnreadableFile, "`dwell_time_s`"),
        ({"dwell_time_s": np.array("5 us")}, UnreadableFile, "`dwell_time_s`"),
        ({"readout_oversampling": np.array(np.nan)}, UnreadableFile, "`readout_oversampling`"),
        ({"centre_mm": np.zeros((3, 3))}, UnreadableFile, "`centre_mm`"),
        ({"fov_mm": np.zeros((2, 3))}, UnreadableFile, "field of view"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(
    tmp_path: Path, arrays: Arrays, change: dict[str, NDArray[np.generic] | None], error: type[RawDataError], cause: str
) -> None:
    changed = {name: array for name, array in {**arrays, **change}.items() if array is not None}
    with pytest.raises(error, match=cause) as caught:
        read(saved(tmp_path / "changed.npz", changed))
    assert caught.value.next_step


def test_pickles_are_never_opened(tmp_path: Path, arrays: Arrays) -> None:
    arrays["kspace"] = np.array([{"a": 1}], object)
    with pytest.raises(UnreadableFile):
        read(saved(tmp_path / "pickle.npz", arrays))


def npy(header: str, content: bytes) -> bytes:
    text = header.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000), }",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3, 4), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (-2, 3), }",
        "__import__('os').abort()",
        "{" * 100,
    ],
)
def test_headers_that_lie_allocate_and_run_nothing(tmp_path: Path, header: str) -> None:
    content = npy(header, bytes(100))
    (tmp_path / "lie.npy").write_bytes(content)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("kspace.npy", content)
    (tmp_path / "lie.npz").write_bytes(archive.getvalue())
    for name in ("lie.npy", "lie.npz"):
        for reader in (read, read_noise):
            with pytest.raises(UnreadableFile):
                reader(tmp_path / name)


def test_a_zip_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
        file.writestr("a.jpg", b"\xff\xd8")
    with pytest.raises(WrongKindOfFile, match="kspace"):
        read(tmp_path / "photos.zip")
    assert inspect(tmp_path / "photos.zip").kind == "unknown"


def test_inspection_lists_shapes(files: dict[str, Path]) -> None:
    inspection = inspect(files["npz"])
    assert inspection.kind == "imaging"
    shapes = {measurement["name"]: measurement["shape"] for measurement in inspection.measurements}
    assert shapes["kspace"] == [2, 2, 3, 3, 1, 24, 32]
    assert shapes["noise"] == [20, 3, 32]
