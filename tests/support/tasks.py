"""Task documents for tests, from the flags a person would type."""

from __future__ import annotations

from pathlib import Path

from mroptimum.flags import Flags
from mroptimum.result import Map, Result
from mroptimum.run import run
from mroptimum.task import FileReference


def local(path: Path) -> FileReference:
    return FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": str(path)}})


def run_flags(flags: Flags, signal: Path, noise: Path | None = None, second: Path | None = None) -> Result:
    """Do a task on local files."""
    document = flags.document(local(signal), local(noise) if noise else None, local(second) if second else None)
    return run(document, locate=lambda reference: Path(reference.options.filename))


def map_of(result: Result, number: int) -> Map:
    """Return the map with a number."""
    return next(of_map for of_map in result.maps if of_map.id == number)
