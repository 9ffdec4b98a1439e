"""DICOM images: values and place as pydicom and the standard have them, parallel imaging as the header has it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from dicom_files import BIG_ENDIAN, PERSON, SYNTAXES, image, save, with_sequences_and_private_elements
from mroptimum.errors import RawDataError, UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata.dicom import read_dicom
from mroptimum.rawdata.limits import MAX_GROWTH

PIXELS = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32, np.int32])
def test_values_are_those_of_pydicom(tmp_path: Path, syntax: Any, dtype: type[np.integer[Any]]) -> None:
    limits = np.iinfo(dtype)
    pixels = np.array([[limits.min, limits.max, 0], [1, 2, 3]], dtype)
    path = save(image(pixels, syntax=syntax, RescaleSlope="2.5", RescaleIntercept="-7"), tmp_path / "a.dcm")
    stored = pydicom.dcmread(path).pixel_array.astype(np.float64)
    np.testing.assert_array_equal(stored, pixels)
    np.testing.assert_array_equal(read_dicom(path).data, (stored * 2.5 - 7)[np.newaxis])


def test_bits_beside_the_stored_ones_do_not_count(tmp_path: Path) -> None:
    """Twelve bits stored, the upper four an overlay of old; signed, the twelfth is the sign."""
    pixels = np.array([[0xF001, 0x0FFF], [0x8800, 0x07FF]], np.uint16)
    unsigned = save(image(pixels, BitsStored=12, HighBit=11), tmp_path / "unsigned.dcm")
    np.testing.assert_array_equal(read_dicom(unsigned).data[0], [[1, 4095], [0x800, 0x7FF]])
    signed = save(image(pixels, BitsStored=12, HighBit=11, PixelRepresentation=1), tmp_path / "signed.dcm")
    np.testing.assert_array_equal(read_dicom(signed).data[0], [[1, -1], [-2048, 2047]])


def test_numbers_of_the_protocol_have_si_units(tmp_path: Path) -> None:
    found = read_dicom(save(image(PIXELS), tmp_path / "a.dcm"))
    assert (found.repetition_time_s, found.echo_time_s, found.flip_angle_deg) == (0.1, 0.005, 25)
    assert found.field_strength_t == 2.89362


def test_the_place_is_that_of_the_standard(tmp_path: Path) -> None:
    """PS3.3, C.7.6.2.1.1: P = S + X * spacing_columns * column + Y * spacing_rows * row, at every voxel."""
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    along_x, along_y = rotation[:, 0], rotation[:, 1]
    elements = {
        "ImageOrientationPatient": [f"{v:.12f}" for v in (*along_x, *along_y)],
        "ImagePositionPatient": ["-41.5", "12.25", "7"],
        "PixelSpacing": ["1.5", "1.25"],
    }
    [geometry] = read_dicom(save(image(PIXELS, **elements), tmp_path / "a.dcm")).geometry
    n_y, n_x = PIXELS.shape
    for row, column in [(0, 0), (5, 7), (2, 6)]:
        expected = np.array([-41.5, 12.25, 7]) + along_x * 1.25 * column + along_y * 1.5 * row
        along = np.array(geometry.readout_direction) * geometry.fov_mm[0] / n_x * (column - n_x // 2)
        across = np.array(geometry.phase_direction) * geometry.fov_mm[1] / n_y * (row - n_y // 2)
        np.testing.assert_allclose(np.array(geometry.centre_mm) + along + across, expected, atol=1e-9)
    np.testing.assert_allclose(geometry.slice_direction, np.cross(along_x, along_y), atol=1e-9)
    assert geometry.fov_mm[2] == 5


@pytest.mark.parametrize(
    "elements",
    [
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": ["1", "0", "0", "1", "0", "0"]},
        {"ImageOrientationPatient": ["2", "0", "0", "0", "1", "0"]},
        {"PixelSpacing": ["0", "1"]},
    ],
)
def test_a_place_that_is_not_said_whole_is_none(tmp_path: Path, elements: dict[str, Any]) -> None:
    assert read_dicom(save(image(PIXELS, **elements), tmp_path / "a.dcm")).geometry == ()


def siemens_mode(mode: str) -> Any:
    dataset = image(PIXELS)
    dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x11, "LO", mode)
    return dataset


def siemens_protocol(group: int, number: int, creator: str, in_plane: int, across: int) -> Any:
    dataset = image(PIXELS)
    text = f"### ASCCONV BEGIN ###\nsPat.lAccelFactPE = {in_plane}\nsPat.lAccelFact3D\t=\t{across}\n### ASCCONV END ###"
    dataset.private_block(group, creator, create=True).add_new(number, "OB", text.encode() + b" ")
    return dataset


def ge_factors(factors: list[str]) -> Any:
    dataset = image(PIXELS)
    dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x83, "DS", factors)
    return dataset


@pytest.mark.parametrize(
    ("dataset", "is_used", "acceleration"),
    [
        (image(PIXELS), None, (1, 1)),
        (image(PIXELS, ParallelAcquisition="NO"), False, (1, 1)),
        (
            image(
                PIXELS,
                ParallelAcquisition="YES",
                ParallelAcquisitionTechnique="SENSE",
                ParallelReductionFactorInPlane=2.0,
                ParallelReductionFactorOutOfPlane=3.0,
            ),
            True,
            (2, 3),
        ),
        (image(PIXELS, ParallelAcquisition="YES"), True, (1, 1)),
        (siemens_mode("p2"), True, (2, 1)),
        (siemens_mode("p3s2"), True, (3, 1)),
        (siemens_protocol(0x0029, 0x20, "SIEMENS CSA HEADER", 1, 1), False, (1, 1)),
        (siemens_protocol(0x0029, 0x20, "SIEMENS CSA HEADER", 2, 1), True, (2, 1)),
        (siemens_protocol(0x0021, 0x19, "SIEMENS MR SDS 01", 1, 2), True, (1, 2)),
        (siemens_protocol(0x0021, 0x19, "SOMEBODY ELSE", 1, 2), None, (1, 1)),
        (ge_factors(["1", "1"]), False, (1, 1)),
        (ge_factors(["0.5", "1"]), True, (2, 1)),
    ],
)
def test_parallel_imaging_is_found(
    tmp_path: Path, dataset: Any, is_used: bool | None, acceleration: tuple[int, int]
) -> None:
    found = read_dicom(save(dataset, tmp_path / "a.dcm")).parallel_imaging
    assert (found.is_used, found.acceleration) == (is_used, acceleration)
    assert found.source


def test_names_go_no_further(tmp_path: Path) -> None:
    found = read_dicom(save(with_sequences_and_private_elements(image(PIXELS, **PERSON)), tmp_path / "a.dcm"))
    assert {"PatientName", "StudyDate", "private elements (0029)"} <= set(found.removed_fields)
    assert not any(text in repr(found) for text in ("Jane", "4711", "Roe", "20240206"))


@pytest.mark.parametrize(
    ("elements", "error", "cause"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, WrongKindOfFile, "phase"),
        ({"ComplexImageComponent": "PHASE"}, WrongKindOfFile, "phase"),
        ({"NumberOfFrames": "3"}, UnsupportedData, "several frames"),
        ({"SamplesPerPixel": 3}, WrongKindOfFile, "colours"),
        ({"Rows": 600}, UnreadableFile, "truncated"),
        ({"Columns": None}, UnreadableFile, "no rows or columns"),
        ({"BitsAllocated": 12}, UnreadableFile, "12 bits"),
        ({"BitsStored": 17}, UnreadableFile, "impossible"),
        ({"HighBit": 3}, UnreadableFile, "impossible"),
        ({"RescaleSlope": "0", "RescaleIntercept": "0"}, UnreadableFile, "scales its picture by 0"),
    ],
)
def test_what_is_no_magnitude_of_one_slice_is_refused(
    tmp_path: Path, elements: dict[str, Any], error: type[RawDataError], cause: str
) -> None:
    with pytest.raises(error, match=cause) as caught:
        read_dicom(save(image(PIXELS, **elements), tmp_path / "a.dcm"))
    assert caught.value.next_step


def test_a_file_without_a_picture_is_refused(tmp_path: Path) -> None:
    dataset = image(PIXELS)
    del dataset.PixelData
    with pytest.raises(UnreadableFile, match="no picture"):
        read_dicom(save(dataset, tmp_path / "a.dcm"))


def test_bytes_in_swapped_words_are_refused(tmp_path: Path) -> None:
    dataset = image(np.zeros((8, 8), np.uint8), syntax=BIG_ENDIAN)
    dataset["PixelData"].VR = "OW"
    with pytest.raises(UnsupportedData, match="swapped"):
        read_dicom(save(dataset, tmp_path / "a.dcm"))


def test_compressed_pictures_are_refused(tmp_path: Path) -> None:
    dataset = image(np.zeros((8, 8), np.uint8))
    dataset.compress(pydicom.uid.RLELossless)
    with pytest.raises(UnsupportedData, match="compressed"):
        read_dicom(save(dataset, tmp_path / "a.dcm"))


def test_what_scaling_or_loss_does_is_told(tmp_path: Path) -> None:
    elements = {"LossyImageCompression": "01", "Manufacturer": "Philips Medical Systems"}
    found = read_dicom(save(image(PIXELS, **elements), tmp_path / "a.dcm"))
    assert [word in text for word, text in zip(("loss", "Philips"), found.warnings, strict=True)] == [True, True]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_damaged_files_are_read_or_refused_within_bounds(tmp_path: Path, syntax: Any, rng: np.random.Generator) -> None:
    path = save(with_sequences_and_private_elements(image(PIXELS, syntax=syntax, **PERSON)), tmp_path / "a.dcm")
    original = path.read_bytes()
    read_dicom(path)  # imports allocate, too
    next_steps: list[str] = []
    tracemalloc.start()
    try:
        for number in range(200):
            damaged = bytearray(original)
            start = int(rng.integers(132, len(original) - 4))
            match number % 4:
                case 0:
                    del damaged[start:]
                case 1:
                    damaged[start] ^= 1 << int(rng.integers(8))
                case 2:
                    damaged[start : start + 4] = int(rng.choice([0, 0x7FFFFFFF, 0xFFFFFFFF])).to_bytes(4, "little")
                case _:
                    del damaged[start : start + int(rng.integers(1, 200))]
            path.write_bytes(damaged)
            try:
                read_dicom(path)
            except RawDataError as refusal:
                next_steps.append(refusal.next_step)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_GROWTH * len(original) + 2**20
    assert len(next_steps) > 80
    assert all(next_steps)


def test_sequences_without_end_are_refused(tmp_path: Path) -> None:
    """Twenty sequences, each in an item of the one before, and none of them closed."""
    path = save(image(PIXELS), tmp_path / "a.dcm")
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(path.read_bytes() + opening * 20)
    with pytest.raises(UnreadableFile, match="damaged"):
        read_dicom(path)


@pytest.mark.real_data
def test_a_pair_made_elsewhere_is_read(real_data: Path) -> None:
    for name in ("DIFirstImage.dcm", "DISecondImage.dcm"):
        path = real_data / "dicom" / name
        np.testing.assert_array_equal(read_dicom(path).data[0], pydicom.dcmread(path).pixel_array)
