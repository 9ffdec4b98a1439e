"""A file of this machine on its way to a unit: one version of it, read part by part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cloudmr.client.errors import LocalFileError
from cloudmr.storage.checksums import encode_digest

if TYPE_CHECKING:
    from mroptimum.rawdata.anonymise.cleaning import CleanFile


_PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part: its number from 1, where its bytes begin and how many they are, their SHA-256."""

    number: int
    start: int
    size_bytes: int
    digest: bytes

    @property
    def sha256(self) -> str:
        """The digest in base64, as storage writes it."""
        return encode_digest(self.digest)


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file as it was when it was chosen; one that has changed since is not read any further.

    ``clean`` is what is sent in its place, with nothing in its header that may name a person; None: the file as it is.
    """

    path: Path
    size_bytes: int
    modified_ns: int
    clean: CleanFile | None = field(default=None, compare=False)

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the file as it is now. Raise `LocalFileError` if there is none, or it is not a plain file."""
        try:
            resolved = path.resolve(strict=True)
            status = resolved.stat()
        except OSError as error:
            raise LocalFileError.of(path, error) from None
        if not resolved.is_file():
            raise LocalFileError(f"{path} is not a plain file.", "Give a file, not a folder.")
        return cls(path=resolved, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)

    @property
    def sent_bytes(self) -> int:
        """How many bytes are sent."""
        return self.size_bytes if self.clean is None else self.clean.size_bytes

    @property
    def cleaned_fields(self) -> tuple[str, ...]:
        """Names of the header fields that are blanked on the way."""
        return () if self.clean is None else self.clean.fields

    def n_parts(self, part_size_bytes: int) -> int:
        """Return how many parts it has; an empty file has one, empty part."""
        return max(1, -(-self.sent_bytes // part_size_bytes))

    def part(self, number: int, part_size_bytes: int) -> Part:
        """Read a part and hash it. Raise `LocalFileError`, also when the file is not the same any more."""
        start = (number - 1) * part_size_bytes
        size_bytes = min(part_size_bytes, self.sent_bytes - start)
        digest = hashlib.sha256()
        for position in range(start, start + size_bytes, _PIECE_BYTES):
            digest.update(self.read(position, min(_PIECE_BYTES, start + size_bytes - position)))
        self.check_unchanged()
        return Part(number=number, start=start, size_bytes=size_bytes, digest=digest.digest())

    def read(self, start: int, count: int) -> bytes:
        """Return what is sent from a position on. Raise `LocalFileError`."""
        try:
            if self.clean is not None:
                return self.clean.read(start, count)
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(count)
        except OSError as error:
            raise LocalFileError.of(self.path, error) from None

    def check_unchanged(self) -> None:
        """Raise `LocalFileError` if the file is not the one that was chosen."""
        if type(self).of(self.path) != self:
            raise LocalFileError(
                f"{self.path} changed while it was read.",
                "Upload it again when nothing writes to it.",
                code="file_changed",
            )
