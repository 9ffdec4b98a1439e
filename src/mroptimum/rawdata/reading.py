"""Read any raw file: the format is recognised by content, and its reader imported when it is needed."""

from __future__ import annotations

from pathlib import Path

from mroptimum.errors import WrongKindOfFile
from mroptimum.rawdata.acquisition import Acquisition, FileFormat, Inspection, NoiseScan
from mroptimum.rawdata.recognise import recognise


def read(path: Path, *, multiraid: bool | None = None) -> Acquisition:
    """Read a file given as the signal.

    In a Siemens file of several measurements the last one with imaging lines is the image, and noise lines of any are
    its noise scan. `multiraid` is what the task says about that: True demands a noise scan in the file, False leaves
    other measurements alone, None takes what is there.

    Raises `UnreadableFile` for a damaged or foreign file, `UnsupportedData` for content that is not handled, and
    `WrongKindOfFile` for a file that holds noise only, or no noise where `multiraid` demands it.
    """
    acquisition = _read(path, recognise(path), image_measurement_only=multiraid is False)
    if multiraid and acquisition.noise is None:
        raise WrongKindOfFile(
            "The task says that the noise scan is in the same file (multiraid), but the file holds none.",
            "Give the noise scan as a file of its own, or the multi-raid file that holds it.",
        )
    return acquisition


def read_noise(path: Path) -> NoiseScan:
    """Read a file given as the noise: its noise lines if any are marked, else all its readouts.

    They are unsorted, unaveraged and uncropped. Raises as `read` does; `WrongKindOfFile` when the file holds an echo.
    """
    file_format = recognise(path)
    match file_format:
        case FileFormat.TWIX_VB | FileFormat.TWIX_VE:
            from mroptimum.rawdata.twix import read_twix_noise

            return read_twix_noise(path, file_format)
        case FileFormat.ISMRMRD:
            from mroptimum.rawdata.mrd import read_mrd_noise

            return read_mrd_noise(path)
        case FileFormat.MAT:
            from mroptimum.rawdata.mat import read_mat_noise

            return read_mat_noise(path)
        case FileFormat.NPZ:
            from mroptimum.rawdata.npz import read_npz_noise

            return read_npz_noise(path)


def inspect(path: Path) -> Inspection:
    """Say what a file holds, and the names of filled header fields that could identify a person."""
    file_format = recognise(path)
    match file_format:
        case FileFormat.TWIX_VB | FileFormat.TWIX_VE:
            from mroptimum.rawdata.twix import inspect_twix

            return inspect_twix(path, file_format)
        case FileFormat.ISMRMRD:
            from mroptimum.rawdata.mrd import inspect_mrd

            return inspect_mrd(path)
        case FileFormat.MAT:
            from mroptimum.rawdata.mat import inspect_mat

            return inspect_mat(path)
        case FileFormat.NPZ:
            from mroptimum.rawdata.npz import inspect_npz

            return inspect_npz(path)


def _read(path: Path, file_format: FileFormat, *, image_measurement_only: bool) -> Acquisition:
    match file_format:
        case FileFormat.TWIX_VB | FileFormat.TWIX_VE:
            from mroptimum.rawdata.twix import read_twix

            return read_twix(path, file_format, image_measurement_only=image_measurement_only)
        case FileFormat.ISMRMRD:
            from mroptimum.rawdata.mrd import read_mrd

            return read_mrd(path)
        case FileFormat.MAT:
            from mroptimum.rawdata.mat import read_mat

            return read_mat(path)
        case FileFormat.NPZ:
            from mroptimum.rawdata.npz import read_npz

            return read_npz(path)
