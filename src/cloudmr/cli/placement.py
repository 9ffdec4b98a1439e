"""From a task on this machine to one a unit understands: each local file is brought there, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mroptimum.task import FileReference, TaskDocument


def placed(document: TaskDocument, place: Callable[[Path], FileReference]) -> TaskDocument:
    """Return a task whose local files were placed.

    `place` brings a file to a unit and returns what to refer to it by; the same file named twice is placed once.
    """
    known: dict[Path, FileReference] = {}

    def place_once(filename: str) -> FileReference:
        path = Path(filename).resolve()
        if path not in known:
            known[path] = place(Path(filename))
        return known[path]

    return type(document).parse(_placed(document.as_json(), place_once))


def local(path: Path) -> FileReference:
    """Return the reference to a file of this machine."""
    from mroptimum.task import FileReference  # with pydantic, too slow for `cloudmr --help`

    return FileReference.model_validate({"type": "file", "options": {"type": "local", "filename": str(path)}})


def _placed(value: Any, place: Callable[[str], FileReference]) -> Any:
    match value:
        case {"type": "file", "options": {"type": "local", "filename": filename, **others}, **rest}:
            where = place(filename).options.model_dump(mode="json", by_alias=True, exclude_none=True)
            return {"type": "file", **rest, "options": {**others, **where}}
        case dict():
            return {key: _placed(inner, place) for key, inner in value.items()}
        case _:
            return value
