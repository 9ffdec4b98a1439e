"""A job's data files, brought to this machine and checked before anybody reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cloudmr.model.documents import InputFile
from cloudmr.storage.base import Bucket, ObjectStore
from cloudmr.storage.checksums import checksum_file
from cloudmr.worker.errors import InputChanged, InputMissing
from cloudmr.worker.journal import Journal
from mroptimum.task import FileReference


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
    inputs: tuple[InputFile, ...],
    *,
    storage: ObjectStore,
    folder: Path,
    journal: Journal,
    go_on: Callable[[], None],
) -> StagedInputs:
    """Fetch the files into `folder` (made). Raise `ObjectNotFound`, or `InputChanged` for other bytes than promised."""
    folder.mkdir()
    paths: dict[str, Path] = {}
    for number, file in enumerate(inputs):
        journal.say(f"fetching data file {number + 1} of {len(inputs)}", step="fetch", done=number, total=len(inputs))
        go_on()
        path = folder / file.data_id
        storage.fetch(Bucket(file.bucket), file.key, path)
        found = checksum_file(path)
        if found.size_bytes != file.size_bytes or file.checksum not in {None, found.composite}:
            raise InputChanged(file.data_id)
        paths[file.key] = path
    return StagedInputs(paths=paths)
