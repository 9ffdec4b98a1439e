"""The files of a package, whether they lie in a folder or in a zip file.

A zip file may claim anything: names that lead out of the package, the same name twice, members that overlap or inflate
without end. Such an archive is refused whole, before anything of it is read; nothing is ever unpacked to disk.
"""

from __future__ import annotations

import hashlib
import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from mroptimum.package.errors import GET_IT_AGAIN, DamagedPackage, NotAPackage
from mroptimum.rawdata.zip_files import DAMAGE

MAX_FILES = 20_000
"""More files than any package of ours can have: 1000 coils give some 2000 maps in each of a few stacks."""
MAX_INFLATION = 100
"""A zip file may hold this many times its own size; texts reach 20, maps and arrays are compressed already."""
SMALL_BYTES = 1 << 20
"""Inflating to this size is never suspicious."""
_CHUNK_BYTES = 1 << 20
_NAME = re.compile(r"[^/\\:\x00-\x1f\x7f]+(/[^/\\:\x00-\x1f\x7f]+)*")
_MAX_NAME_LENGTH = 512


class PackageFiles(Protocol):
    """Where the files of a package are. Names are relative, with `/` between their parts."""

    @property
    def names(self) -> frozenset[str]:
        """Every file of the package."""
        ...

    def size_bytes(self, name: str) -> int:
        """Return the size of a file that is there."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open a file that is there, to be read once from its beginning."""
        ...


class FolderFiles:
    """A package that lies in a folder; links that lead out of it are not part of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        home = folder.resolve()
        self._paths: dict[str, Path] = {}
        for path in folder.rglob("*"):
            if path.is_file() and path.resolve().is_relative_to(home):
                self._paths[path.relative_to(folder).as_posix()] = path
                if len(self._paths) > MAX_FILES:
                    raise NotAPackage(f"{folder} holds more than {MAX_FILES} files.", "Give the folder of one package.")

    @property
    def names(self) -> frozenset[str]:
        """Every file below the folder."""
        return frozenset(self._paths)

    def size_bytes(self, name: str) -> int:
        """Return the size of a file."""
        return self._paths[name].stat().st_size

    def open(self, name: str) -> IO[bytes]:
        """Open a file."""
        return self._paths[name].open("rb")


class ArchiveFiles:
    """A package in a zip file. Raises `DamagedPackage` for an archive that no writer of ours makes."""

    def __init__(self, archive: zipfile.ZipFile, archive_bytes: int) -> None:
        self._archive = archive
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]
        if len(members) > MAX_FILES:
            raise _suspicious(f"it lists {len(members)} files")
        self._members = {member.filename: member for member in members}
        if len(self._members) < len(members):
            raise _suspicious("it lists a file twice")
        for member in members:
            _refuse_unusual(member)
        if sum(member.compress_size for member in members) > archive_bytes:
            raise _suspicious("its members overlap")
        inflated = sum(member.file_size for member in members)
        if inflated > SMALL_BYTES + MAX_INFLATION * archive_bytes:
            raise _suspicious(f"{archive_bytes} bytes would become {inflated}")

    @property
    def names(self) -> frozenset[str]:
        """Every file in the archive."""
        return frozenset(self._members)

    def size_bytes(self, name: str) -> int:
        """Return the size of a member once it is inflated, as the archive says; reading never gives more."""
        return self._members[name].file_size

    def open(self, name: str) -> IO[bytes]:
        """Open a member."""
        try:
            return self._archive.open(self._members[name])
        except DAMAGE as error:
            raise _cut(name) from error


@contextmanager
def opened(path: Path) -> Iterator[PackageFiles]:
    """Give the files of the package at `path`, a folder or a zip file.

    Raises `NotAPackage` where there is neither, and `DamagedPackage` for a zip file that cannot be trusted.
    """
    if path.is_dir():
        yield FolderFiles(path)
        return
    if not path.is_file():
        raise NotAPackage(f"There is no result package {path}.", "Give the folder of a package, or its package.zip.")
    with path.open("rb") as file, opened_archive(file, path.stat().st_size) as files:
        yield files


@contextmanager
def opened_archive(file: IO[bytes], size_bytes: int) -> Iterator[PackageFiles]:
    """Give the files in a zip file of a known size. Raises as `opened` does."""
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGE:
        raise NotAPackage(
            "The file is no zip file, or only part of one.", "Give the folder of a package, or its package.zip."
        ) from None
    with archive:
        yield ArchiveFiles(archive, size_bytes)


def read_bytes(files: PackageFiles, name: str, *, limit_bytes: int) -> bytes:
    """Return a file whole. Raises `DamagedPackage` when it is not there, too large or damaged."""
    if name not in files.names:
        raise DamagedPackage(f"The package has no file {name}.", GET_IT_AGAIN)
    try:
        size = files.size_bytes(name)
        with files.open(name) as file:
            content = file.read(limit_bytes + 1)
    except DAMAGE as error:
        raise _cut(name) from error
    if len(content) > limit_bytes:
        raise DamagedPackage(f"{name} has {size} bytes; no more than {limit_bytes} make sense.", GET_IT_AGAIN)
    return content


def sha256_of(files: PackageFiles, name: str) -> str:
    """Return the SHA-256 of a file, as hex. Raises `DamagedPackage` when it cannot be read to its end."""
    digest = hashlib.sha256()
    try:
        with files.open(name) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except DAMAGE as error:
        raise _cut(name) from error
    return digest.hexdigest()


def is_plain_name(name: str) -> bool:
    """Return whether a name stays inside the package wherever it is put."""
    parts = name.split("/")
    return bool(_NAME.fullmatch(name)) and len(name) <= _MAX_NAME_LENGTH and not {".", ".."} & set(parts)


def _refuse_unusual(member: zipfile.ZipInfo) -> None:
    if not is_plain_name(member.filename):
        raise _suspicious("it names a file outside itself")
    if member.flag_bits & 1:
        raise _suspicious("it is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _suspicious("it is compressed in an unusual way")
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise _suspicious("it holds something that is not a plain file")


def _suspicious(what: str) -> DamagedPackage:
    return DamagedPackage(f"The zip file is damaged, or no result package: {what}.", GET_IT_AGAIN)


def _cut(name: str) -> DamagedPackage:
    return DamagedPackage(f"{name} cannot be read to its end.", GET_IT_AGAIN)
