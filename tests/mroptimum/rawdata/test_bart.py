"""Arrays of BART: every sample in its place, its own order of dimensions, damage and lies refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bart_pair import as_bart, write_pair, zip_pair
from mroptimum.coils.loaded import read_maps
from mroptimum.coils.slice_grid import SliceGrid
from mroptimum.errors import RawDataError, ReconstructionError, UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.phantom import Phantom, Scan, simulate
from mroptimum.rawdata import FileFormat, inspect, read, read_noise

DIMENSIONS = (16, 24, 1, 3, 1, 1, 1, 1, 1, 1, 2, 1, 1, 3, 2, 1)
"""READ, PHS1, PHS2, COIL, then TIME (10), SLICE (13) and AVG (14), as BART numbers them."""


@pytest.fixture(scope="module")
def scan() -> Scan:
    return simulate(Phantom(n_x=16, n_y=24, n_coils=3, n_slices=3, n_repetitions=2, n_averages=2, n_noise_readouts=20))


@pytest.fixture
def pair(tmp_path: Path, scan: Scan) -> Path:
    return write_pair(tmp_path / "ksp.cfl", as_bart(scan.kspace))


def test_each_of_barts_dimensions_goes_to_its_axis(tmp_path: Path) -> None:
    """Worked out sample by sample: the first dimension is the fastest in the file."""
    rng = np.random.default_rng(1)
    values = (rng.normal(size=13824) + 1j * rng.normal(size=13824)).astype("<c8")
    values[200] = 1e3  # an echo
    path = tmp_path / "k.cfl"
    path.write_bytes(values.tobytes())
    path.with_suffix(".hdr").write_text("# Dimensions\n" + " ".join(map(str, DIMENSIONS)) + "\n")
    kspace = read(path).kspace
    strides = np.cumprod((1, *DIMENSIONS[:-1]))
    for x, y, coil, repetition, of_slice, average in [(0, 0, 0, 0, 0, 0), (5, 7, 2, 1, 2, 1), (15, 23, 1, 0, 1, 1)]:
        place = np.dot([x, y, coil, repetition, of_slice, average], strides[[0, 1, 3, 10, 13, 14]])
        assert kspace[average, repetition, of_slice, coil, 0, y, x] == values[place]


def test_a_pair_is_read(pair: Path, scan: Scan) -> None:
    acquisition = read(pair)
    np.testing.assert_array_equal(acquisition.kspace[..., 0, :, :], scan.kspace)
    assert acquisition.file_format is FileFormat.BART
    assert acquisition.sampled.all()
    assert not acquisition.is_oversampling_known
    assert acquisition.dwell_time_s is None


@pytest.mark.parametrize("compressed", [False, True])
def test_a_zip_of_both_is_read_whatever_it_is_called(tmp_path: Path, pair: Path, scan: Scan, compressed: bool) -> None:
    path = zip_pair(tmp_path / "data_01", pair, compressed=compressed)
    np.testing.assert_array_equal(read(path).kspace[..., 0, :, :], scan.kspace)
    assert inspect(path).file_format is FileFormat.BART


def test_undersampling_shows_in_the_zeros(tmp_path: Path) -> None:
    scan = simulate(Phantom(n_x=16, n_y=24, n_coils=2, acceleration=2, n_calibration_lines=6))
    lines = np.zeros((24, 1), np.bool_)
    lines[list(scan.phantom.imaging_lines)] = True
    acquisition = read(write_pair(tmp_path / "r2.cfl", as_bart(np.where(lines, scan.kspace, 0))))
    assert acquisition.acceleration == (2, 1)


def test_partitions_are_the_z_axis(tmp_path: Path, rng: np.random.Generator) -> None:
    volume = (rng.normal(size=(2, 6, 8, 20)) + 0j).astype(np.complex64)
    volume[:, 3, 4, 10] = 1e3
    acquisition = read(write_pair(tmp_path / "3d.cfl", volume.reshape(*(1,) * 12, *volume.shape)))
    np.testing.assert_array_equal(acquisition.kspace[0, 0, 0], volume)


def test_noise_is_every_line(tmp_path: Path, scan: Scan) -> None:
    lines = scan.noise.transpose(1, 0, 2)[:, None, :, :]  # (coil, z, y, x)
    noise = read_noise(write_pair(tmp_path / "noise.cfl", lines.reshape(*(1,) * 12, *lines.shape)))
    np.testing.assert_array_equal(noise.samples, scan.noise)
    assert noise.dwell_time_s is None


def test_noise_and_image_are_told_apart(tmp_path: Path, pair: Path, scan: Scan) -> None:
    lines = scan.noise.transpose(1, 0, 2)[:, None, :, :]
    noise = write_pair(tmp_path / "noise.cfl", lines.reshape(*(1,) * 12, *lines.shape))
    assert (inspect(pair).kind, inspect(noise).kind) == ("imaging", "noise")
    with pytest.raises(WrongKindOfFile):
        read(noise)
    with pytest.raises(WrongKindOfFile):
        read_noise(pair)


def test_coil_maps_are_read(tmp_path: Path, rng: np.random.Generator) -> None:
    maps = (rng.normal(size=(2, 3, 8, 6)) + 1j * rng.normal(size=(2, 3, 8, 6))).astype(np.complex64)
    stored = maps.reshape(1, 1, 2, *(1,) * 9, 3, 1, 8, 6)
    grid = SliceGrid(n_slices=2, n_coils=3, n_y=8, n_x=6)
    np.testing.assert_array_equal(read_maps(write_pair(tmp_path / "maps.cfl", stored), grid), maps)
    with pytest.raises(ReconstructionError, match="shape"):
        read_maps(tmp_path / "maps.cfl", SliceGrid(n_slices=1, n_coils=3, n_y=8, n_x=6))
    two_sets = np.repeat(stored, 2, axis=11)
    with pytest.raises(UnsupportedData, match="2 sets") as caught:
        read_maps(write_pair(tmp_path / "m2.cfl", two_sets), grid)
    assert "-m 1" in caught.value.next_step


@pytest.mark.parametrize(
    ("dimensions", "error", "cause"),
    [
        ((16, 24, 1, 3, 1, 1, 1, 1, 1, 1, 2, 1, 1, 3, 3), UnreadableFile, "announces 165,888 bytes"),
        ((10**17, 10**17, 10**17), UnreadableFile, "announces"),
        ((0, 24), UnreadableFile, "dimension of 0"),
        ((16, 24, 1, 3, 1, 12), UnsupportedData, "5 \\(TE\\)"),
        ((1, 16, 24, 36), UnsupportedData, "dimension 0"),
        ((16,) * 17, UnreadableFile, "no dimensions"),
    ],
)
def test_dimensions_that_cannot_be_are_refused(
    tmp_path: Path, scan: Scan, dimensions: tuple[int, ...], error: type[RawDataError], cause: str
) -> None:
    with pytest.raises(error, match=cause) as caught:
        read(write_pair(tmp_path / "k.cfl", as_bart(scan.kspace), dimensions))
    assert caught.value.next_step


def test_half_a_pair_is_explained(pair: Path) -> None:
    with pytest.raises(UnreadableFile, match="header of a BART array") as caught:
        read(pair.with_suffix(".hdr"))
    assert ".cfl" in caught.value.next_step
    pair.with_suffix(".hdr").unlink()
    with pytest.raises(UnreadableFile, match=r"no \.hdr file"):
        read(pair)


def test_zips_that_hold_no_one_pair_are_not_barts(tmp_path: Path, pair: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for name in ("a.cfl", "a.hdr", "b.cfl", "b.hdr"):
            archive.write(pair.with_suffix(name[1:]), name)
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.write(pair, "a.cfl")
        archive.write(pair.with_suffix(".hdr"), "b.hdr")
    for name in ("two.zip", "odd.zip"):
        assert inspect(tmp_path / name).file_format is FileFormat.NPZ


def test_a_zip_that_inflates_without_end_is_refused(tmp_path: Path) -> None:
    zeros = write_pair(tmp_path / "zeros.cfl", np.zeros((1,) * 12 + (8, 1, 256, 256), np.complex64))
    with pytest.raises(UnreadableFile, match="MiB"):
        read(zip_pair(tmp_path / "bomb.zip", zeros, compressed=True))
