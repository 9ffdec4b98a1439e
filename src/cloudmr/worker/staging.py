"""A job's data files, brought to this machine and checked before anybody reads them.

In a shared unit no file that is read names a person: one that does all the same is cleaned first, here and in the
unit's bucket, or, where that cannot be, removed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloudmr.errors import UnitUnavailable
from cloudmr.model.documents import InputFile, JobDocument
from cloudmr.model.reports import ReportedInput
from cloudmr.model.units import Mode
from cloudmr.storage.base import Bucket, ObjectStore
from cloudmr.storage.checksums import checksum_file
from cloudmr.worker.errors import InputChanged, InputMissing, InputNamesPerson, InputNotThere
from cloudmr.worker.journal import Journal
from mroptimum.errors import RawDataError, UnsupportedData
from mroptimum.rawdata.anonymise.cleaning import anonymise, identifying_fields
from mroptimum.task import FileReference


class Counter(Protocol):
    """Who is told of data files that named a person, and knows what they are by now."""

    def tell_input(self, found: ReportedInput) -> None:
        """Tell what a file is since it was cleaned, or that it must go."""

    def fetch_document(self) -> JobDocument:
        """Return the job document as it is now."""


@dataclass(frozen=True, kw_only=True)
class StagedInputs:
    """Where the job's data files lie, by their keys. Their names here are their ids: real names may name a person."""

    paths: dict[str, Path]

    def locate(self, reference: FileReference) -> Path:
        """Return the local path of a file the task refers to. Raise `InputMissing`."""
        path = self.paths.get(reference.options.key or "")
        if path is None:
            raise InputMissing
        return path


def stage(
    document: JobDocument,
    *,
    storage: ObjectStore,
    folder: Path,
    journal: Journal,
    go_on: Callable[[], None],
    counter: Counter,
) -> StagedInputs:
    """Fetch the files into `folder` (made).

    Raise `ObjectNotFound`, `InputChanged` for other bytes than promised, and `InputNamesPerson` for a file in a shared
    unit that names a person and cannot be cleaned.
    """
    folder.mkdir()
    paths: dict[str, Path] = {}
    total = len(document.inputs)
    for number, file in enumerate(document.inputs):
        journal.say(f"fetching data file {number + 1} of {total}", step="fetch", done=number, total=total)
        go_on()
        path = folder / file.data_id
        is_shared = document.computing_unit.mode is Mode.MODE_1
        _bring(file, storage, path, journal, counter, is_shared=is_shared)
        paths[file.key] = path
    return StagedInputs(paths=paths)


def _bring(
    file: InputFile, storage: ObjectStore, path: Path, journal: Journal, counter: Counter, *, is_shared: bool
) -> None:
    promised = file
    _fetch(file, storage, path)
    is_right = _is(promised, path)
    if not is_right:
        # Another job may have cleaned it meanwhile: what is promised is asked for once more, and so is the file.
        promised = next((one for one in counter.fetch_document().inputs if one.data_id == file.data_id), file)
        _fetch(file, storage, path)
        is_right = _is(promised, path)
    fields = _clean(file, path, counter) if is_shared else ()
    # A worker that ended between the two below has promised a clean file, and left the other.
    if not is_right and not (fields and _is(promised, path)):
        raise InputChanged(file.data_id)
    if fields:
        clean = checksum_file(path)
        counter.tell_input(
            ReportedInput(
                data_id=file.data_id, fields=tuple(fields), size_bytes=clean.size_bytes, checksum=clean.composite
            )
        )
        storage.put(Bucket(file.bucket), file.key, path)
        journal.warn(f"The header of {file.data_id} named a person ({', '.join(fields)}): these fields were blanked.")


def _fetch(file: InputFile, storage: ObjectStore, path: Path) -> None:
    try:
        storage.fetch(Bucket(file.bucket), file.key, path)
    except UnitUnavailable as error:
        if error.is_lasting:
            raise InputNotThere(file.data_id) from error
        raise


def _is(promised: InputFile, path: Path) -> bool:
    found = checksum_file(path)
    return found.size_bytes == promised.size_bytes and promised.checksum in {None, found.composite}


def _clean(file: InputFile, path: Path, counter: Counter) -> Sequence[str]:
    """Blank what names a person in a file, and return the names of these fields; nothing if there is nothing."""
    try:
        fields = identifying_fields(path)
    except UnsupportedData as error:
        counter.tell_input(ReportedInput(data_id=file.data_id))
        raise InputNamesPerson(file.data_id, error.message) from error
    except RawDataError:
        return ()  # nobody can look into it; the computation says why, and what to do
    if fields:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            clean = Path(folder) / "clean"
            anonymise(path, clean)
            clean.replace(path)
    return fields
