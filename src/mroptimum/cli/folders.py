"""Where commands write: into what is empty, so that nothing of anybody's is lost."""

from __future__ import annotations

from pathlib import Path

from mroptimum.errors import TaskError


def refuse_unless_empty(folder: Path) -> None:
    """Raise `TaskError` unless `folder` is an empty folder, or is not there yet."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TaskError(f"{folder} is not an empty folder.", "Choose another folder with -o.", code="output_not_empty")


def refuse_if_there(path: Path) -> None:
    """Raise `TaskError` if there is something at `path` already."""
    if path.exists():
        raise TaskError(f"{path} is there already.", "Choose another name with -o.", code="output_exists")


def existing(path: Path) -> Path:
    """Return `path`; raise `TaskError` where it is no file."""
    if not path.is_file():
        raise TaskError(f"There is no file {path}.", "Check its name.", code="file_not_found")
    return path
