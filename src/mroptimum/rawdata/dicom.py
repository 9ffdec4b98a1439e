"""A DICOM image: one slice of magnitudes, scaled as its header says, and its place in the patient."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mroptimum.errors import UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata.acquisition import SliceGeometry, Vector
from mroptimum.rawdata.anonymise.blanks import names_of
from mroptimum.rawdata.anonymise.dicom import dicom_patches
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.dicom_elements import EXPLICIT, EXPLICIT_BIG_ENDIAN, IMPLICIT, PIXEL_DATA, walk_dicom
from mroptimum.rawdata.dicom_values import DicomValues, decimals
from mroptimum.rawdata.magnitude_image import NOT_SAID, MagnitudeImage, ParallelImaging
from mroptimum.rawdata.recognise import OtherFormat
from mroptimum.rawdata.slice_axes import slice_geometry

_IMAGE_TYPE, _MANUFACTURER, _COMPLEX_COMPONENT = 0x00080008, 0x00080070, 0x00089208
_THICKNESS, _REPETITION_TIME, _ECHO_TIME, _FIELD, _FLIP_ANGLE = (
    0x00180050,
    0x00180080,
    0x00180081,
    0x00180087,
    0x00181314,
)
_EFFECTIVE_ECHO_TIME = 0x00189082
_PARALLEL, _TECHNIQUE, _REDUCTION, _REDUCTION_Z = 0x00189077, 0x00189078, 0x00189069, 0x00189155
_POSITION, _ORIENTATION, _SPACING = 0x00200032, 0x00200037, 0x00280030
_SAMPLES, _FRAMES, _ROWS, _COLUMNS = 0x00280002, 0x00280008, 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH_BIT, _IS_SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_INTERCEPT, _SLOPE, _LOSSY = 0x00281052, 0x00281053, 0x00282110
_FLOATS, _DOUBLES = 0x7FE00008, 0x7FE00009
_UNCOMPRESSED = (IMPLICIT, EXPLICIT, EXPLICIT_BIG_ENDIAN)
_EXPORT_AGAIN = "Export the image again."
_SIEMENS_PROTOCOLS = ((0x0029, 0x20, "SIEMENS CSA HEADER"), (0x0021, 0x19, "SIEMENS MR SDS 01"))
_ACCELERATION = re.compile(rb"sPat\.lAccelFact(PE|3D)[ \t]*=[ \t]*(\d{1,3})")
_MODE = re.compile(r"[pst](\d+)", re.IGNORECASE)


def read_dicom(path: Path) -> MagnitudeImage:
    """Read one slice.

    Raise `UnreadableFile` for damage, `UnsupportedData` for compressed and for several frames, and `WrongKindOfFile`
    for what is no magnitude.
    """
    with path.open("rb") as opened:
        file = BoundedFile.of(opened)
        structure = walk_dicom(file)
        if structure.transfer_syntax not in _UNCOMPRESSED:
            raise UnsupportedData(
                "The picture in the DICOM file is compressed.",
                "Export it uncompressed (Explicit VR Little Endian), for example with `gdcmconv --raw`.",
            )
        values = DicomValues(file, structure)
        _refuse_other_than_magnitude(values)
        pixels = _pixels(values)
        return MagnitudeImage(
            data=_scaled(pixels, values)[np.newaxis],
            file_format=OtherFormat.DICOM,
            geometry=_geometry(values, pixels.shape),
            parallel_imaging=parallel_imaging(values),
            field_strength_t=values.number(_FIELD),
            flip_angle_deg=values.number(_FLIP_ANGLE),
            echo_time_s=_seconds(values.number(_ECHO_TIME) or values.double(_EFFECTIVE_ECHO_TIME)),
            repetition_time_s=_seconds(values.number(_REPETITION_TIME)),
            removed_fields=names_of(dicom_patches(file, structure)),
            warnings=_warnings(values),
        )


def parallel_imaging(values: DicomValues) -> ParallelImaging:
    """Return what the header says of parallel imaging: where the standard has it, or where Siemens and GE have it."""
    said = values.text(_PARALLEL)
    if said in {"YES", "NO"}:
        factors = (values.double(_REDUCTION) or 1.0, values.double(_REDUCTION_Z) or 1.0)
        technique = values.text(_TECHNIQUE)
        return _found(f"ParallelAcquisition (0018,9077): {said}", *factors, is_used=said == "YES", more=technique)
    mode = values.text_of(values.private(0x0051, 0x11, "SIEMENS MR HEADER"))
    if mode:
        factors_of_mode = [int(number) for number in _MODE.findall(mode)] or [2]
        return _found(f"PATModeText (0051,xx11) of Siemens: {mode}", max(factors_of_mode), 1)
    for group, number, creator in _SIEMENS_PROTOCOLS:
        element = values.private(group, number, creator)
        found = dict(_ACCELERATION.findall(values.content(element))) if element else {}
        if found:
            in_plane, across = (int(found.get(axis, b"1")) for axis in (b"PE", b"3D"))
            return _found("the protocol of Siemens in the header (sPat)", in_plane, across)
    of_ge = decimals(values.text_of(values.private(0x0043, 0x83, "GEMS_PARM_01")))
    if len(of_ge) == 2 and min(of_ge) > 0:
        return _found("Asset R Factors (0043,xx83) of GE", *(1 / part for part in of_ge))
    return NOT_SAID


def _found(
    source: str, in_plane: float, across: float, *, is_used: bool | None = None, more: str = ""
) -> ParallelImaging:
    acceleration = (max(1, round(in_plane)), max(1, round(across)))
    return ParallelImaging(
        is_used=max(in_plane, across) > 1 if is_used is None else is_used,
        source=f"{source} {more}".strip(),
        acceleration=acceleration,
    )


def _refuse_other_than_magnitude(values: DicomValues) -> None:
    kinds = values.text(_IMAGE_TYPE).upper().split("\\")
    component = values.text(_COMPLEX_COMPONENT).upper()
    others = {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY"}
    if others & set(kinds[2:]) or component in others - {""}:
        raise WrongKindOfFile(
            "The DICOM file holds a phase, real or imaginary image.", "Give the magnitude image of the same scan."
        )
    frames = values.text(_FRAMES)
    if frames not in {"", "1"}:
        raise UnsupportedData(
            "The DICOM file holds several frames.",
            "Export the slices one by one (as classic, not enhanced, MR images), or convert them to NIfTI.",
        )
    if values.whole(_SAMPLES) not in {None, 1}:
        raise WrongKindOfFile("The DICOM file holds a picture in colours.", "Give the image of the scan itself.")


def _pixels(values: DicomValues) -> NDArray[np.generic]:
    rows, columns = values.whole(_ROWS), values.whole(_COLUMNS)
    if not rows or not columns:
        raise UnreadableFile("The DICOM file gives no rows or columns: it holds no image.", "Give an MR image.")
    order = values.structure.byte_order
    for tag, kind in ((_FLOATS, "f4"), (_DOUBLES, "f8"), (PIXEL_DATA, "")):
        element = values.element(tag)
        if element is None or element.depth:
            continue
        dtype = np.dtype(order + kind) if kind else _stored_type(values)
        n_bytes = rows * columns * dtype.itemsize
        if element.length < n_bytes:
            raise UnreadableFile(
                f"The picture in the DICOM file is truncated: {n_bytes - element.length:,} bytes are missing.",
                _EXPORT_AGAIN,
            )
        if dtype.itemsize == 1 and element.vr == "OW" and order == ">":
            raise UnsupportedData("The picture's bytes are swapped within words of two.", _EXPORT_AGAIN)
        pixels = np.frombuffer(values.file.read_at(element.position, n_bytes), dtype).reshape(rows, columns)
        return pixels if kind else _stored_bits(pixels, values)
    raise UnreadableFile("The DICOM file holds no picture.", "Give an MR image.")


def _stored_type(values: DicomValues) -> np.dtype[np.generic]:
    allocated = values.whole(_ALLOCATED)
    if allocated not in (8, 16, 32):
        raise UnreadableFile(f"The picture in the DICOM file has {allocated} bits a pixel.", _EXPORT_AGAIN)
    return np.dtype(f"{values.structure.byte_order}u{allocated // 8}")


def _stored_bits(pixels: NDArray[np.generic], values: DicomValues) -> NDArray[np.int64]:
    """Return the numbers in the bits that are used; others once held overlays."""
    allocated = 8 * pixels.dtype.itemsize
    stored = values.whole(_STORED) or allocated
    high = values.whole(_HIGH_BIT)
    lowest = (stored - 1 if high is None else high) - stored + 1
    if not (1 <= stored <= allocated and lowest >= 0 and lowest + stored <= allocated):
        raise UnreadableFile("The picture in the DICOM file has impossible bits a pixel.", _EXPORT_AGAIN)
    found: NDArray[np.int64] = (pixels.astype(np.int64) >> lowest) & ((1 << stored) - 1)
    if values.whole(_IS_SIGNED) == 1:
        found = np.where(found >= 1 << (stored - 1), found - (1 << stored), found)
    return found


def _scaled(pixels: NDArray[np.generic], values: DicomValues) -> NDArray[np.float64]:
    slope, intercept = values.number(_SLOPE), values.number(_INTERCEPT)
    scaled: NDArray[np.float64] = pixels.astype(np.float64)
    if slope is not None:
        if slope <= 0:
            raise UnreadableFile(f"The DICOM file scales its picture by {slope:g}.", _EXPORT_AGAIN)
        scaled = scaled * slope + (intercept or 0.0)
    if not np.all(np.isfinite(scaled)):
        raise UnreadableFile("The picture in the DICOM file holds values that are not numbers.", _EXPORT_AGAIN)
    return scaled


def _geometry(values: DicomValues, shape: tuple[int, ...]) -> tuple[SliceGeometry, ...]:
    """Return where the slice lies (PS3.3, C.7.6.2.1.1), empty where the header does not say it whole."""
    position, orientation, spacing = values.numbers(_POSITION), values.numbers(_ORIENTATION), values.numbers(_SPACING)
    if len(position) != 3 or len(orientation) != 6 or len(spacing) != 2 or min(spacing) <= 0:
        return ()
    along_x, along_y = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.linalg.norm(along_x), np.linalg.norm(along_y)
    if any(abs(length - 1) > 0.01 for length in lengths) or abs(along_x @ along_y) > 0.01:
        return ()
    n_y, n_x = shape
    step_y, step_x = spacing  # the first is between rows
    centre = np.array(position) + along_x * step_x * (n_x // 2) + along_y * step_y * (n_y // 2)
    thickness = values.number(_THICKNESS) or 1.0
    axes = (_vector(along_x), _vector(along_y), _vector(np.cross(along_x, along_y)))
    found = slice_geometry(_vector(centre), axes, (n_x * step_x, n_y * step_y, thickness))
    return () if found is None else (found,)


def _warnings(values: DicomValues) -> tuple[str, ...]:
    warnings = []
    if values.text(_LOSSY) == "01":
        warnings.append("The image was compressed with loss, which removes noise: its SNR is not that of the scan.")
    if "PHILIPS" in values.text(_MANUFACTURER).upper():
        warnings.append("Philips scales images one by one; two images can be compared only if both were scaled alike.")
    return tuple(warnings)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None or not milliseconds > 0 else milliseconds / 1000


def _vector(array: NDArray[np.floating]) -> Vector:
    x, y, z = (float(component) for component in array)
    return (x, y, z)
