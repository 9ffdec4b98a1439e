"""Read any raw file: the format is recognised by content, and its reader imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mroptimum.errors import WrongKindOfFile
from mroptimum.rawdata.acquisition import Acquisition, FileFormat, Inspection, NoiseScan
from mroptimum.rawdata.recognise import OtherFormat, recognise, recognise_other


def read(path: Path, *, multiraid: bool | None = None) -> Acquisition:
    """Read a file given as the signal.

    In a Siemens file of several measurements the last one with imaging lines is the image, and noise lines of any are
    its noise scan. `multiraid` is what the task says about that: True demands a noise scan in the file, False leaves
    other measurements alone, None takes what is there.

    Raises `UnreadableFile` for a damaged or foreign file, `UnsupportedData` for content that is not handled, and
    `WrongKindOfFile` for a file that holds noise only, or no noise where `multiraid` demands it.
    """
    acquisition = _readers(path, image_measurement_only=multiraid is False).signal(path)
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
    return _readers(path).noise(path)


def inspect(path: Path) -> Inspection:
    """Say what a file holds, raw data or an image, and the names of filled fields that could identify a person."""
    other = recognise_other(path)
    return _readers(path).inspection(path) if other is None else _inspect_other(path, other)


def _inspect_other(path: Path, file_format: OtherFormat) -> Inspection:
    from mroptimum.rawdata.anonymise.cleaning import cleaned

    with cleaned(path) as clean:
        fields = clean.fields
    return Inspection(
        file_format=file_format,
        kind="result" if file_format is OtherFormat.RESULT else "image",
        size_bytes=path.stat().st_size,
        measurements=(),
        identifying_fields=fields,
    )


@dataclass(frozen=True, kw_only=True)
class _Readers:
    """What a format offers."""

    signal: Callable[[Path], Acquisition]
    noise: Callable[[Path], NoiseScan]
    inspection: Callable[[Path], Inspection]


def _readers(path: Path, *, image_measurement_only: bool = False) -> _Readers:
    file_format = recognise(path)
    match file_format:
        case FileFormat.TWIX_VB | FileFormat.TWIX_VE:
            from mroptimum.rawdata import twix

            return _Readers(
                signal=partial(twix.read_twix, file_format=file_format, image_measurement_only=image_measurement_only),
                noise=partial(twix.read_twix_noise, file_format=file_format),
                inspection=partial(twix.inspect_twix, file_format=file_format),
            )
        case FileFormat.ISMRMRD:
            from mroptimum.rawdata import mrd

            return _Readers(signal=mrd.read_mrd, noise=mrd.read_mrd_noise, inspection=mrd.inspect_mrd)
        case FileFormat.MAT:
            from mroptimum.rawdata import mat

            return _Readers(signal=mat.read_mat, noise=mat.read_mat_noise, inspection=mat.inspect_mat)
        case FileFormat.NPZ:
            from mroptimum.rawdata import npz

            return _Readers(signal=npz.read_npz, noise=npz.read_npz_noise, inspection=npz.inspect_npz)
        case FileFormat.BART:
            from mroptimum.rawdata import bart

            return _Readers(signal=bart.read_bart, noise=bart.read_bart_noise, inspection=bart.inspect_bart)
