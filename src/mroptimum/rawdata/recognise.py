"""Which format a file is, judged by its bytes and never by its name, save for BART's .cfl, which has only its name."""

from __future__ import annotations

import struct
import zlib
from enum import StrEnum
from pathlib import Path

from mroptimum.errors import UnreadableFile
from mroptimum.rawdata.acquisition import FileFormat
from mroptimum.rawdata.anonymise.nifti import is_nifti
from mroptimum.rawdata.bart_files import HEADER_SIGNATURE, SAMPLES, is_bart
from mroptimum.rawdata.dicom_elements import is_dicom
from mroptimum.rawdata.zip_files import SIGNATURE, begins_as_zip, names_in_zip

_HEAD_BYTES = 1024
_GZIP_SIGNATURE = b"\x1f\x8b"
_NAMES_IN_RESULT = frozenset({"info.json", "manifest.json"})
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MATLAB_HEADER_BYTES = 512
"""MATLAB 7.3 puts its own text in front of an HDF5 file."""

_VE_FIRST_WORD_BELOW = 10_000
_VE_TABLE_ENTRIES = 64
_VE_FIRST_OFFSET_AT_LEAST = 8 + 152 * _VE_TABLE_ENTRIES

_FOREIGN: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (128, b"DICM", "a DICOM image, which is already reconstructed"),
    (344, b"n+1\0", "a NIfTI image, which is already reconstructed"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"<?xml", "an XML text"),
)


class OtherFormat(StrEnum):
    """Files that hold no raw data and are of use all the same."""

    DICOM = "dicom"
    """An image of a scanner."""
    NIFTI = "nifti"
    """An image, a map or a mask."""
    NIFTI_GZ = "nifti-gz"
    """The same, compressed."""
    RESULT = "result-package"
    """A result package of ours in one zip file."""


_NEXT_STEP = (
    "Give raw data as the scanner saved it: Siemens TWIX (.dat), ISMRMRD (.h5, .mrd), or arrays in .mat, .npz or .cfl."
)


def recognise(path: Path) -> FileFormat:
    """Return the format of a file; raise `UnreadableFile`, naming what the file is if that can be told."""
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile("The file is empty (0 bytes).", "Export or upload it again.")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if is_bart(path):
        return FileFormat.BART
    found = _format_of(head, size)
    if found is None and head.startswith(HEADER_SIGNATURE):
        raise UnreadableFile("The file is the header of a BART array.", "Give the .cfl file that lies beside it.")
    if found is None and path.suffix == SAMPLES:
        raise UnreadableFile(
            "The .cfl file has no .hdr file beside it, which says what its numbers are.",
            "Keep BART's two files together, or pack both in one zip file.",
        )
    if found is None:
        raise UnreadableFile(f"The file is not MR raw data: it is {_describe(head, size)}.", _NEXT_STEP)
    return found


def recognise_other(path: Path) -> OtherFormat | None:
    """Return what a file is that is no raw data and of use all the same, None for anything else."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if is_dicom(head):
        return OtherFormat.DICOM
    if is_nifti(head):
        return OtherFormat.NIFTI
    if head.startswith(_GZIP_SIGNATURE) and is_nifti(_first_inflated(head)):
        return OtherFormat.NIFTI_GZ
    if head.startswith(SIGNATURE) and names_in_zip(path) >= _NAMES_IN_RESULT:
        return OtherFormat.RESULT
    return None


def holds_arrays(path: Path) -> bool:
    """Return whether a file recognised as NumPy's is an array, or a zip with arrays and not of anything else."""
    if not begins_as_zip(path):
        return True
    names = names_in_zip(path)
    return bool(names) and all(name.endswith(".npy") for name in names)


def _first_inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, _HEAD_BYTES)
    except zlib.error:
        return b""


def _format_of(head: bytes, size: int) -> FileFormat | None:
    if head.startswith(_HDF5_SIGNATURE):
        return FileFormat.ISMRMRD
    if head.startswith(b"MATLAB 5.0") or (
        head.startswith(b"MATLAB 7.3") and head[_MATLAB_HEADER_BYTES:].startswith(_HDF5_SIGNATURE)
    ):
        return FileFormat.MAT
    if head.startswith((b"\x93NUMPY", SIGNATURE)):
        return FileFormat.NPZ
    if _looks_like_twix_ve(head, size):
        return FileFormat.TWIX_VE
    if _looks_like_twix_vb(head, size):
        return FileFormat.TWIX_VB
    return None


def _looks_like_twix_ve(head: bytes, size: int) -> bool:
    if len(head) < 32:
        return False
    first, count, _, _, offset, _ = struct.unpack_from("<IIIIQQ", head)
    return bool(
        first < _VE_FIRST_WORD_BELOW and 1 <= count <= _VE_TABLE_ENTRIES and _VE_FIRST_OFFSET_AT_LEAST <= offset < size
    )


def _looks_like_twix_vb(head: bytes, size: int) -> bool:
    if len(head) < 64:
        return False
    header_length, n_buffers = struct.unpack_from("<II", head)
    name, end, _ = head[8:56].partition(b"\0")
    return bool(
        _VE_FIRST_WORD_BELOW <= header_length < size and 1 <= n_buffers <= 64 and end and len(name) >= 4
    ) and bool(name.isalnum())


def _describe(head: bytes, size: int) -> str:
    for offset, magic, sentence in _FOREIGN:
        if head[offset:].startswith(magic):
            return sentence
    if size < _HEAD_BYTES:
        return f"only {size} bytes long and starts like no raw data format"
    return "of an unknown kind (its first bytes belong to no raw data format)"
