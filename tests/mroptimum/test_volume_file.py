"""NIfTI files that are ours, somebody else's, damaged, or lies."""

from __future__ import annotations

import gzip
import struct

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from mroptimum import volume_file
from mroptimum.export.nifti import Volume, nifti_file
from mroptimum.volume_file import UnreadableMap, volume_from

AFFINE = np.array([[2.0, 0.1, 0, -20], [-0.1, 3.0, 0, 7], [0, 0, 5.0, 11], [0, 0, 0, 1]])
DATA = np.random.default_rng(0).normal(30, 9, (6, 5, 4)).astype(np.float32)


def nifti(data: NDArray[np.generic], affine: NDArray[np.float64] = AFFINE) -> nibabel.Nifti1Image:
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    return image


@pytest.mark.parametrize("across", [0, 1, 2])
@pytest.mark.parametrize("is_placed", [True, False])
def test_what_we_write_comes_back(across: int, is_placed: bool) -> None:
    volume = Volume(data=DATA, affine=AFFINE, slice_axis=across, is_placed=is_placed)
    found = volume_from(nifti_file(volume, unit="1", description="test"))
    np.testing.assert_array_equal(found.data, DATA)
    np.testing.assert_array_equal(found.affine, AFFINE.astype(np.float32))
    assert (found.slice_axis, found.is_placed, str(found.data.dtype)) == (across, is_placed, "float32")


@pytest.mark.parametrize(("unit", "millimetres"), [("mm", 1.0), ("meter", 1e3), ("micron", 1e-3)])
def test_lengths_become_millimetres(unit: str, millimetres: float) -> None:
    image = nifti(DATA)
    image.header.set_xyzt_units(unit)
    found = volume_from(image.to_bytes())
    np.testing.assert_allclose(found.affine[:3], millimetres * AFFINE[:3], rtol=1e-6)
    assert found.grid.voxel_volume_mm3 == pytest.approx(millimetres**3 * 30.05, rel=1e-6)


@pytest.mark.parametrize("code", [0, 4, 7])
def test_without_a_unit_there_is_no_volume_in_millimetres(code: int) -> None:
    image = nifti(DATA)
    image.header["xyzt_units"] = code
    assert volume_from(image.to_bytes()).grid.voxel_volume_mm3 is None


def test_scaled_whole_numbers_of_either_byte_order_are_read_as_meant() -> None:
    stored = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    for order in "<>":
        image = nibabel.Nifti1Image(stored, AFFINE, header=nibabel.Nifti1Header(endianness=order))
        image.header.set_slope_inter(0.5, 10)
        found = volume_from(gzip.compress(image.to_bytes()))
        np.testing.assert_array_equal(found.data, stored * 0.5 + 10)
        assert found.data.dtype.isnative


def test_nifti_2_and_axes_of_length_1_are_read() -> None:
    found = volume_from(nibabel.Nifti2Image(DATA[..., np.newaxis], AFFINE).to_bytes())
    np.testing.assert_array_equal(found.data, DATA)
    assert volume_from(nifti(DATA[..., 0]).to_bytes()).data.shape == (6, 5, 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (np.zeros((3, 3, 3, 2), dtype=np.float32), "three were expected"),
        (np.zeros((3, 3, 3), dtype=np.complex64), "no real numbers"),
        (np.zeros((3, 3, 3), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]), "no real numbers"),
    ],
)
def test_what_is_no_map_of_numbers_is_refused(data: NDArray[np.generic], why: str) -> None:
    with pytest.raises(UnreadableMap, match=why):
        volume_from(nifti(data).to_bytes())


def with_field(content: bytes, offset: int, kind: str, *values: float) -> bytes:
    return content[:offset] + struct.pack(kind, *values) + content[offset + struct.calcsize(kind) :]


WHOLE = nifti(DATA).to_bytes()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "another kind"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "another kind"),
        (WHOLE[:200], "another kind"),
        (WHOLE[:-1], "cut short"),
        (gzip.compress(WHOLE, mtime=0)[:-30], "ends too early"),
        (gzip.compress(WHOLE, mtime=0)[:10] + b"\xff" * 40, "compressed content is damaged"),
        (with_field(WHOLE, 40, "<4h", 3, 32767, 32767, 32767), "cut short"),
        (with_field(WHOLE, 40, "<4h", 3, 1000, 1000, 100), "cut short"),
        (with_field(WHOLE, 40, "<4h", 3, -6, 5, 4), "axes"),
        (with_field(WHOLE, 108, "<f", 1e30), "cut short|damaged"),
        (with_field(WHOLE, 280, "<4f", *[float("nan")] * 4), "no place"),
        (with_field(WHOLE, 280, "<12f", *[0.0] * 12), "no place or no size"),
    ],
)
def test_damage_and_lies_are_explained(content: bytes, why: str) -> None:
    with pytest.raises(UnreadableMap, match=why) as refusal:
        volume_from(content)
    assert refusal.value.next_step


def test_a_bomb_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_file, "MAX_VOLUME_BYTES", 100_000)
    with pytest.raises(UnreadableMap, match="larger than 100000 bytes"):
        volume_from(gzip.compress(bytes(10_000_000)))


def test_no_flipped_byte_does_more_than_be_explained(caplog: pytest.LogCaptureFixture) -> None:
    """400 files with some bytes of the header changed: each is a volume of its size, or refused in words."""
    rng = np.random.default_rng(11)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(400):
        content = bytearray(WHOLE)
        for place in rng.integers(0, 352, rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        try:
            found = volume_from(bytes(content))
        except UnreadableMap:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            assert found.data.nbytes <= 8 * len(content)
    assert min(outcomes.values()) > 20
    assert caplog.records == []
