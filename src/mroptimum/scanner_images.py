"""Images that were reconstructed elsewhere, from DICOM and NIfTI files, and whether two of them can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mroptimum.errors import ReconstructionError, UnreadableFile, WrongKindOfFile
from mroptimum.export.nifti import LPS_TO_RAS, Volume, volumes
from mroptimum.rawdata.acquisition import SliceGeometry, Vector
from mroptimum.rawdata.anonymise.cleaning import identifying_fields
from mroptimum.rawdata.dicom import read_dicom
from mroptimum.rawdata.magnitude_image import MagnitudeImage
from mroptimum.rawdata.recognise import OtherFormat, recognise_other
from mroptimum.snr.difference import equal_images
from mroptimum.volume_file import read_volume

SAME_WITHIN = 0.01
"""Times and angles that differ by less, relative, are the same: headers are rounded."""
BRIGHTER_BY = 0.05
"""Mean signals that differ by more are worth a word."""


def read_image(path: Path) -> MagnitudeImage:
    """Return the image in a DICOM or NIfTI file. Raise `RawDataError` for anything else, for damage, and for phases."""
    match recognise_other(path):
        case OtherFormat.DICOM:
            return read_dicom(path)
        case OtherFormat.NIFTI | OtherFormat.NIFTI_GZ:
            return _read_nifti(path)
    raise WrongKindOfFile(
        "The file is neither a DICOM nor a NIfTI image.",
        "Give images as the scanner made them; of raw data, choose the reconstruction rss.",
    )


def refuse_unless_repeated(first: MagnitudeImage, second: MagnitudeImage) -> None:
    """Raise `ReconstructionError` unless two images can be two scans of the same slices with the same protocol."""
    if first.data.shape != second.data.shape:
        raise _other(f"the first has {first.data.shape} voxels (slice, y, x), the second {second.data.shape}")
    if first.geometry and second.geometry:
        pairs = zip(_grids(first), _grids(second), strict=False)
        if len(first.geometry) != len(second.geometry) or not all(a.grid.coincides_with(b.grid) for a, b in pairs):
            raise _other("they lie at different places")
    for name, a, b in _facts(first, second):
        if a is not None and b is not None and abs(a - b) > SAME_WITHIN * max(abs(a), abs(b)):
            raise _other(f"the {name} is {a:g} in the first and {b:g} in the second")
    if np.array_equal(first.data, second.data):
        raise equal_images()


def warnings_of_pair(first: MagnitudeImage, second: MagnitudeImage) -> Iterator[str]:
    """Yield what a person should know of two images that are compared."""
    if not (first.geometry and second.geometry):
        yield "The files do not say where their slices lie: whether they are the same slices was not checked."
    means = float(first.data.mean()), float(second.data.mean())
    if means[0] > 0 and abs(means[1] / means[0] - 1) > BRIGHTER_BY:
        yield f"The second image is {means[1] / means[0]:.2f} times as bright as the first: something changed between."
    used = [image.parallel_imaging for image in (first, second) if image.parallel_imaging.is_used]
    if used:
        yield (
            f"NOT VALID with parallel imaging, which was used ({used[0].source}): its noise differs from place to "
            "place (g-factor), so that one spread over a region is the noise of no voxel in it. Measure from raw data."
        )
    elif any(image.parallel_imaging.is_used is None for image in (first, second)):
        yield (
            "Nothing says whether parallel imaging was used. If it was, the difference of two images is no valid "
            "measure of its SNR."
        )
    yield from dict.fromkeys((*first.warnings, *second.warnings))


def _facts(first: MagnitudeImage, second: MagnitudeImage) -> Iterator[tuple[str, float | None, float | None]]:
    yield "echo time (s)", first.echo_time_s, second.echo_time_s
    yield "repetition time (s)", first.repetition_time_s, second.repetition_time_s
    yield "flip angle (degrees)", first.flip_angle_deg, second.flip_angle_deg
    yield "field strength (T)", first.field_strength_t, second.field_strength_t


def _grids(image: MagnitudeImage) -> tuple[Volume, ...]:
    return volumes(image.data, image.geometry)


def _other(what: str) -> ReconstructionError:
    return ReconstructionError(
        f"The two images are not of the same scan: {what}.",
        "Give two images of the same slices, measured one after the other with the same protocol.",
        code="not_a_pair",
    )


def _read_nifti(path: Path) -> MagnitudeImage:
    volume = read_volume(path)
    if volume.data.min() < 0:
        raise WrongKindOfFile("The NIfTI image holds negative values.", "Give magnitude images.")
    if not np.all(np.isfinite(volume.data)):
        raise UnreadableFile("The NIfTI image holds values that are not numbers.", "Save it again, with 0 outside.")
    first, second = (axis for axis in range(3) if axis != volume.slice_axis)
    return MagnitudeImage(
        data=volume.data.transpose(volume.slice_axis, second, first).astype(np.float64),
        file_format=OtherFormat.NIFTI,
        geometry=_geometry(volume, (first, second, volume.slice_axis)) if volume.is_placed else (),
        removed_fields=identifying_fields(path),
    )


def _geometry(volume: Volume, axes: tuple[int, int, int]) -> tuple[SliceGeometry, ...]:
    """Return where the slices of a volume lie, whose axes x, y and slice are `axes`."""
    to_lps = LPS_TO_RAS @ volume.affine
    sizes = [volume.data.shape[axis] for axis in axes]
    steps = [to_lps[:3, axis] for axis in axes]
    lengths = [float(np.linalg.norm(step)) for step in steps]
    directions = [_vector(step / length) for step, length in zip(steps, lengths, strict=True)]
    found = []
    for index in range(sizes[2]):
        centre = to_lps[:3, 3] + steps[0] * (sizes[0] // 2) + steps[1] * (sizes[1] // 2) + steps[2] * index
        found.append(
            SliceGeometry(
                centre_mm=_vector(centre),
                readout_direction=directions[0],
                phase_direction=directions[1],
                slice_direction=directions[2],
                fov_mm=(lengths[0] * sizes[0], lengths[1] * sizes[1], lengths[2]),
            )
        )
    return tuple(found)


def _vector(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vector:
    x, y, z = (float(component) for component in array)
    return (x, y, z)
