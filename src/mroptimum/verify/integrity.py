"""Every file of a package against the manifest that was written with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mroptimum.package.documents import Manifest, read_manifest
from mroptimum.package.errors import DamagedPackage, NotAPackage
from mroptimum.package.files import PackageFiles, opened_archive, sha256_of
from mroptimum.package.layout import ARCHIVE, MANIFEST


class FileState(StrEnum):
    """What is wrong with a file."""

    MISSING = "missing"
    """The manifest lists it, and it is not there."""
    CHANGED = "changed"
    """Its content is not what the manifest says, or cannot be read."""
    EXTRA = "extra"
    """It is there, and the manifest does not list it."""


@dataclass(frozen=True, kw_only=True)
class FileProblem:
    """A file that is not as it was written; files inside `package.zip` have its name before theirs."""

    path: str
    state: FileState


@dataclass(frozen=True, kw_only=True)
class Integrity:
    """What a check of all files found. The manifest vouches for them; ``manifest_sha256`` stands for the manifest."""

    manifest_sha256: str
    n_files: int
    problems: tuple[FileProblem, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every file is as it was written, and none was added."""
        return not self.problems


def check_integrity(files: PackageFiles) -> Integrity:
    """Check every file of a package, and a `package.zip` that lies beside them. Raises `PackageError` without manifest.

    The manifest itself is vouched for by nobody here: compare its SHA-256 with the one that was noted elsewhere.
    """
    if MANIFEST not in files.names:
        raise NotAPackage(
            f"There is no {MANIFEST}, which is written last: this is no package, or not a whole one.",
            "Give the folder of a result package, or its package.zip.",
        )
    manifest = read_manifest(files)
    listed = {output.path for output in manifest.outputs}
    problems = [*_problems(files, manifest, listed)]
    if ARCHIVE in files.names - listed:
        problems += _archive_problems(files)
    return Integrity(
        manifest_sha256=sha256_of(files, MANIFEST), n_files=len(manifest.outputs), problems=tuple(problems)
    )


def _problems(files: PackageFiles, manifest: Manifest, listed: set[str]) -> Iterator[FileProblem]:
    for output in manifest.outputs:
        if output.path not in files.names:
            yield FileProblem(path=output.path, state=FileState.MISSING)
        elif not _is_as_written(files, output.path, output.size_bytes, output.sha256):
            yield FileProblem(path=output.path, state=FileState.CHANGED)
    for name in sorted(files.names - listed - {MANIFEST, ARCHIVE}):
        yield FileProblem(path=name, state=FileState.EXTRA)


def _is_as_written(files: PackageFiles, name: str, size_bytes: int, sha256: str) -> bool:
    try:
        return files.size_bytes(name) == size_bytes and sha256_of(files, name) == sha256
    except DamagedPackage:
        return False


def _archive_problems(files: PackageFiles) -> Iterator[FileProblem]:
    """Hold the zip file beside the files to the same manifest."""
    try:
        with (
            files.open(ARCHIVE) as archive,
            opened_archive(archive, files.size_bytes(ARCHIVE)) as packed,
        ):
            if MANIFEST not in packed.names or sha256_of(packed, MANIFEST) != sha256_of(files, MANIFEST):
                yield FileProblem(path=f"{ARCHIVE}/{MANIFEST}", state=FileState.CHANGED)
                return
            manifest = read_manifest(packed)
            for problem in _problems(packed, manifest, {output.path for output in manifest.outputs}):
                yield FileProblem(path=f"{ARCHIVE}/{problem.path}", state=problem.state)
    except (NotAPackage, DamagedPackage):
        yield FileProblem(path=ARCHIVE, state=FileState.CHANGED)
