"""NIfTI files as volumes: nothing is allocated on the word of a header alone, and damage is always explained."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile
from mroptimum.export.nifti import Volume
from mroptimum.grid import Affine

if TYPE_CHECKING:
    import nibabel

MAX_VOLUME_BYTES = 2**30
"""The largest map that is read, uncompressed: 1024 slices of 512 x 512 voxels in single precision."""
_GZIP_SIGNATURE = b"\x1f\x8b"
_NIFTI2_SIGNATURES = (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")
_MILLIMETRES = {"meter": 1e3, "mm": 1.0, "micron": 1e-3}
_NEXT_STEP = "Give a NIfTI file (.nii or .nii.gz) with one number a voxel."


class UnreadableMap(UnreadableFile):
    """A NIfTI file that holds no map of numbers."""

    code = "unreadable_map"


def read_volume(path: Path) -> Volume:
    """Return the volume in a NIfTI file. Raises `UnreadableMap`."""
    if not path.is_file():
        raise UnreadableMap(f"There is no file {path}.", "Check its name.", code="file_not_found")
    if path.stat().st_size > MAX_VOLUME_BYTES:
        raise _no_map(f"it is larger than {MAX_VOLUME_BYTES} bytes")
    return volume_from(path.read_bytes())


def volume_from(content: bytes) -> Volume:
    """Return the volume in the bytes of a NIfTI file, its values scaled as the header says.

    Raises `UnreadableMap` for what is no NIfTI file, is cut short, or has other than three axes of real numbers.
    """
    content = _inflated(content) if content.startswith(_GZIP_SIGNATURE) else content
    image = _decoded(content)
    shape, affine = _three_axes(image), np.asarray(image.affine, dtype=np.float64)
    if not np.all(np.isfinite(affine)) or abs(np.linalg.det(affine[:3, :3])) < np.finfo(np.float32).tiny:
        raise _no_map("its voxels have no place or no size")
    unit_mm = _unit_mm(image)
    if unit_mm is not None:
        affine = np.diag([unit_mm, unit_mm, unit_mm, 1.0]) @ affine
    slice_axis = image.header.get_dim_info()[2]
    return Volume(
        data=_values(image, shape, len(content)),
        affine=affine,
        slice_axis=2 if slice_axis is None else int(slice_axis),
        is_placed=unit_mm is not None,
    )


def in_order_of(volume: Volume, affine: Affine) -> Volume:
    """Return a volume with its axes in the order and direction of another's: the same values at the same places."""
    from nibabel import orientations

    turn = orientations.ornt_transform(orientations.io_orientation(volume.affine), orientations.io_orientation(affine))
    turned = volume.affine @ orientations.inv_ornt_aff(turn, volume.data.shape)
    return Volume(
        data=orientations.apply_orientation(volume.data, turn),
        affine=np.asarray(turned, dtype=np.float64),
        slice_axis=int(turn[volume.slice_axis, 0]),
        is_placed=volume.is_placed,
    )


def _inflated(content: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        inflated = inflate.decompress(content, MAX_VOLUME_BYTES + 1)
    except zlib.error:
        raise _no_map("its compressed content is damaged") from None
    if len(inflated) > MAX_VOLUME_BYTES:
        raise _no_map(f"it is larger than {MAX_VOLUME_BYTES} bytes")
    if not inflate.eof:
        raise _no_map("its compressed content ends too early")
    return inflated


def _decoded(content: bytes) -> nibabel.Nifti1Image:
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError, HeaderTypeError
    from nibabel.wrapstruct import WrapStructError

    kind = nibabel.Nifti2Image if content.startswith(_NIFTI2_SIGNATURES) else nibabel.Nifti1Image
    try:
        with _unheard():
            return kind.from_bytes(content)
    except (ImageFileError, HeaderDataError, HeaderTypeError, WrapStructError, ValueError, OverflowError, EOFError):
        raise _no_map("its header is damaged, or it is another kind of file") from None


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep nibabel from telling standard error what it mends in a header."""
    from nibabel.imageglobals import logger

    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled


def _unit_mm(image: nibabel.Nifti1Image) -> float | None:
    try:
        unit, _ = image.header.get_xyzt_units()
    except KeyError:
        return None
    return _MILLIMETRES.get(unit)


def _three_axes(image: nibabel.Nifti1Image) -> tuple[int, int, int]:
    shape = [int(length) for length in image.shape]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    shape += [1] * (3 - len(shape))
    if len(shape) > 3 or min(shape) < 1:
        raise _no_map(f"its axes are {tuple(image.shape)}, and three were expected")
    return shape[0], shape[1], shape[2]


def _values(image: nibabel.Nifti1Image, shape: tuple[int, int, int], content_bytes: int) -> NDArray[Any]:
    from nibabel.arrayproxy import ArrayProxy

    dtype = image.header.get_data_dtype()
    if dtype.kind not in "iuf":
        raise _no_map("its voxels hold no real numbers")
    try:
        assert isinstance(image.dataobj, ArrayProxy), "bytes are read through a proxy"
        wanted_bytes = int(image.dataobj.offset) + math.prod(shape) * dtype.itemsize
        if wanted_bytes > content_bytes:
            raise _no_map(f"it is cut short, {content_bytes} of {wanted_bytes} bytes are there")
        with np.errstate(all="ignore"):
            values = np.asanyarray(image.dataobj)
    except (OSError, ValueError, OverflowError, EOFError):
        raise _no_map("where its values begin is damaged") from None
    return values.reshape(shape).astype(values.dtype.newbyteorder("="), copy=False)


def _no_map(why: str) -> UnreadableMap:
    return UnreadableMap(f"The file holds no map: {why}.", _NEXT_STEP)
