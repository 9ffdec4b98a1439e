"""A file read by position. It is not mapped into memory: a mapped file that shrinks under it kills the process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

from mroptimum.errors import UnreadableFile


@dataclass(frozen=True)
class BoundedFile:
    """An open file and its size, against which every position is held."""

    file: BinaryIO
    size: int

    @classmethod
    def of(cls, file: BinaryIO) -> BoundedFile:
        """Take the size of an open file."""
        return cls(file, os.fstat(file.fileno()).st_size)

    def read_at(self, position: int, count: int) -> bytes:
        """Return `count` bytes; raise `UnreadableFile` when the file ends before."""
        missing = position + count - self.size
        if missing <= 0:
            self.file.seek(position)
            content = self.file.read(count)
            missing = count - len(content)
        if missing > 0:
            raise UnreadableFile(
                f"The file is truncated: at least {missing:,} bytes are missing.", "Export or copy it again."
            )
        return content
