"""A file as it may leave the user's machine: `mroptimum anonymise` writes it, and an upload sends the same bytes.

Values are overwritten in place, at their length, so that everything else in the file stays as it is, byte by byte.
Where that cannot be, in compressed NIfTI and in BART's pair of files, a clean file is made anew.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mroptimum.errors import UnreadableFile, UnsupportedData, WrongKindOfFile
from mroptimum.rawdata import mat
from mroptimum.rawdata.acquisition import FileFormat
from mroptimum.rawdata.anonymise import bart, dicom, ismrmrd, nifti, twix
from mroptimum.rawdata.anonymise.blanks import Kind, Patch, names_of
from mroptimum.rawdata.bounded_file import BoundedFile
from mroptimum.rawdata.dicom_elements import walk_dicom
from mroptimum.rawdata.mrd_content import header_texts
from mroptimum.rawdata.mrd_header import parse_header
from mroptimum.rawdata.npy_arrays import array_shapes
from mroptimum.rawdata.recognise import OtherFormat, holds_arrays, recognise, recognise_other
from mroptimum.rawdata.twix_structure import walk

_CHUNK_BYTES = 2**20
_LARGEST_INFLATED = 2**30
_FEWEST_CHARACTERS = 6
"""Shorter values are found anywhere by chance."""


@dataclass(frozen=True, kw_only=True)
class CleanFile:
    """The bytes of a file with nothing in its header that identifies a person.

    ``fields`` are the names of the fields that were blanked; ``notes`` is what a person should know who sends the file
    on; ``suffix`` is what the name of a copy should end in.
    """

    file_format: FileFormat | OtherFormat
    fields: tuple[str, ...]
    notes: tuple[str, ...]
    size_bytes: int
    suffix: str
    path: Path
    patches: tuple[Patch, ...] = ()

    def sha256(self) -> str:
        """Return the SHA-256 of the clean bytes, as hex."""
        digest = hashlib.sha256()
        for start in range(0, self.size_bytes, _CHUNK_BYTES):
            digest.update(self.read(start, _CHUNK_BYTES))
        return digest.hexdigest()

    def read(self, start: int, count: int) -> bytes:
        """Return up to `count` clean bytes from a position; several threads may do so at once."""
        with self.path.open("rb") as file:
            file.seek(start)
            measured = file.read(count)
        stop = start + len(measured)
        patches = [each for each in self.patches if start < each.position + len(each.content) and each.position < stop]
        if not patches:
            return measured
        content = bytearray(measured)
        for patch in patches:
            begin, end = max(patch.position, start), min(patch.position + len(patch.content), stop)
            content[begin - start : end - start] = patch.content[begin - patch.position : end - patch.position]
        return bytes(content)


@contextmanager
def cleaned(path: Path) -> Iterator[CleanFile]:
    """Give a file as it may leave this machine; what had to be made anew is there while the context lasts.

    Raise `UnreadableFile` for a file of no known format or a damaged one, which cannot be looked into, and
    `UnsupportedData` for one that cannot be cleaned in place.
    """
    other = recognise_other(path)
    file_format = other or recognise(path)
    with tempfile.TemporaryDirectory(prefix="mroptimum-") as folder:
        yield _clean(path, file_format, Path(folder) / "clean")


def identifying_fields(path: Path) -> tuple[str, ...]:
    """Return the names of what would be blanked in a file. Raise as `cleaned` does."""
    with cleaned(path) as clean:
        return clean.fields


def anonymise(path: Path, output: Path) -> CleanFile:
    """Write a file as it may leave this machine, and return what was done. Raise as `cleaned` does."""
    with cleaned(path) as clean:
        part = output.with_name(f".{output.name}.part")
        try:
            with part.open("xb") as target:
                for start in range(0, clean.size_bytes, _CHUNK_BYTES):
                    target.write(clean.read(start, _CHUNK_BYTES))
            part.replace(output)
        finally:
            part.unlink(missing_ok=True)
        return clean


def _clean(path: Path, file_format: FileFormat | OtherFormat, anew: Path) -> CleanFile:
    patches: Sequence[Patch] = ()
    notes: tuple[str, ...] = ()
    match file_format:
        case FileFormat.TWIX_VB | FileFormat.TWIX_VE:
            structure = walk(path, is_ve=file_format is FileFormat.TWIX_VE)
            with path.open("rb") as file:
                patches = list(twix.twix_patches(file, structure))
        case FileFormat.ISMRMRD:
            patches = _of_ismrmrd(path)
        case OtherFormat.DICOM:
            with path.open("rb") as file:
                bounded = BoundedFile.of(file)
                structure_of_image = walk_dicom(bounded)
                patches = list(dicom.dicom_patches(bounded, structure_of_image))
                notes = dicom.notes_of(bounded, structure_of_image)
        case OtherFormat.NIFTI:
            with path.open("rb") as file:
                patches = list(nifti.nifti_patches(BoundedFile.of(file)))
        case OtherFormat.NIFTI_GZ:
            return _of_compressed_nifti(path, anew)
        case FileFormat.BART:
            return _of_bart(path, anew)
        case FileFormat.NPZ:
            if not holds_arrays(path):
                raise WrongKindOfFile(
                    "The zip file holds neither arrays nor a result package: what is in it is not known.",
                    "Give one file of raw data, arrays, an image, or a result package.",
                )
            array_shapes(path, name_of_only="array")
            notes = ("Arrays have no header. Names of arrays, and text in them, are left as they are.",)
        case FileFormat.MAT:
            mat.array_shapes(path)
            notes = ("Only numeric arrays are used. Other variables, and text in them, are left as they are.",)
        case OtherFormat.RESULT:
            notes = ("A result package holds nothing of a header that identifies a person.",)
    return CleanFile(
        file_format=file_format,
        fields=names_of(patches),
        notes=notes,
        size_bytes=path.stat().st_size,
        suffix=path.suffix,
        path=path,
        patches=tuple(patches),
    )


def _of_ismrmrd(path: Path) -> list[Patch]:
    headers = header_texts(path)
    if not headers:
        raise UnreadableFile(
            "The HDF5 file holds no ISMRMRD raw data, so that it is not known what is in it.",
            "Give ISMRMRD raw data, or another file of raw data or arrays.",
        )
    patches = [patch for header in headers for patch in ismrmrd.header_patches(header)]
    for header in headers:
        clean = bytearray(header.content)
        for patch in patches:
            start = patch.position - header.position
            if 0 <= start < len(clean):
                clean[start : start + len(patch.content)] = patch.content
        if left := parse_header(bytes(clean)).identifying_fields:
            raise UnsupportedData(
                f"The XML header is written in a way that cannot be cleaned in place ({', '.join(left)}).",
                "Remove these elements from the header, or convert the measurement again without them.",
            )
    if _values_elsewhere(path, patches):
        raise UnsupportedData(
            "A value of the header that identifies a person stands elsewhere in the file, too.",
            "Rewrite the file with `h5repack`, which leaves behind what was overwritten, or convert it again.",
        )
    return patches


def _values_elsewhere(path: Path, patches: Iterable[Patch]) -> bool:
    """Return whether a value that is blanked is found where nothing is blanked, as in the free space of HDF5."""
    blanked = [(patch.position, patch.position + len(patch.content)) for patch in patches if patch.kind is Kind.TEXT]
    with path.open("rb") as file:
        bounded = BoundedFile.of(file)
        values = {bounded.read_at(start, end - start) for start, end in blanked if end - start >= _FEWEST_CHARACTERS}
        if not values:
            return False
        wanted = re.compile(b"|".join(map(re.escape, sorted(values, key=len, reverse=True))))
        overlap = max(map(len, values)) - 1
        for begin in range(0, bounded.size, _CHUNK_BYTES):
            content = bounded.read_at(begin, min(_CHUNK_BYTES + overlap, bounded.size - begin))
            for found in wanted.finditer(content):
                start, end = begin + found.start(), begin + found.end()
                if not any(first <= start and end <= last for first, last in blanked):
                    return True
    return False


def _of_compressed_nifti(path: Path, anew: Path) -> CleanFile:
    inflated = anew.with_suffix(".nii")
    _inflate(path, inflated)
    with inflated.open("rb") as file:
        patches = tuple(nifti.nifti_patches(BoundedFile.of(file)))
    if patches:
        with inflated.open("r+b") as file:
            for patch in patches:
                file.seek(patch.position)
                file.write(patch.content)
        with (
            inflated.open("rb") as source,
            anew.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as target,
        ):
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
    content = anew if patches else path
    return CleanFile(
        file_format=OtherFormat.NIFTI_GZ,
        fields=names_of(patches),
        notes=(),
        size_bytes=content.stat().st_size,
        suffix=".nii.gz",
        path=content,
    )


def _inflate(path: Path, target: Path) -> None:
    try:
        with gzip.open(path) as source, target.open("wb") as output:
            n_bytes = 0
            while chunk := source.read(_CHUNK_BYTES):
                n_bytes += output.write(chunk)
                if n_bytes > _LARGEST_INFLATED:
                    raise UnreadableFile("The compressed image is too large.", "Give it uncompressed.")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile("The compressed image is damaged or truncated.", "Save it again.") from error


def _of_bart(path: Path, anew: Path) -> CleanFile:
    content = path
    if not bart.is_clean_zip(path):
        bart.write_clean_zip(path, anew)
        content = anew
    return CleanFile(
        file_format=FileFormat.BART,
        fields=bart.filled_sections(path),
        notes=("Both files of BART go in one zip, with the dimensions alone in the header.",),
        size_bytes=content.stat().st_size,
        suffix=".zip",
        path=content,
    )
