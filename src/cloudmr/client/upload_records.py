"""What has to be known to go on with an upload after a restart: which upload belongs to which version of a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from cloudmr.client.folder import forget, read_private, write_private
from cloudmr.client.source_file import SourceFile


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    data_id: str


@dataclass(frozen=True, kw_only=True)
class UploadRecords:
    """Unfinished uploads, one small file each, in a folder of the client's own.

    The name of a record is a hash of server, unit asked for, and the file's path, size and time of change, so that no
    name of a file is kept.
    """

    folder: Path

    def find(self, source: SourceFile, destination: str) -> str | None:
        """Return the id of the unfinished upload of this version of a file to `destination`, if there is one."""
        text = read_private(self._path(source, destination))
        try:
            return _Record.model_validate_json(text).data_id if text else None
        except ValidationError:  # a record that cannot be read costs a fresh upload, nothing more
            return None

    def keep(self, source: SourceFile, destination: str, data_id: str) -> None:
        """Remember an upload that was started."""
        write_private(self._path(source, destination), _Record(data_id=data_id).model_dump_json())

    def forget(self, source: SourceFile, destination: str) -> None:
        """Forget an upload that has ended."""
        forget(self._path(source, destination))

    def _path(self, source: SourceFile, destination: str) -> Path:
        known_by = json.dumps([destination, str(source.path), source.size_bytes, source.modified_ns])
        return self.folder / f"{hashlib.sha256(known_by.encode()).hexdigest()}.json"
