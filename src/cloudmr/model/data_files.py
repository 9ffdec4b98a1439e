"""A data file: what the Brain knows of an object in a unit's data bucket. Its content never passes through here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudmr.errors import InvalidRequest
from cloudmr.model.acquisition_size import AcquisitionSize
from cloudmr.model.instants import require_utc

MAX_FILENAME_LENGTH = 255
MAX_PARTS = 10_000
"""What S3 allows."""


class DataState(StrEnum):
    """Where a data file stands."""

    UPLOADING = "uploading"
    """Its parts are on their way."""
    READY = "ready"
    """It is complete and can be used."""
    ABORTED = "aborted"
    """Its upload was given up."""
    DELETED = "deleted"
    """Its owner removed it, or its time was up; until it is purged it can be brought back."""


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One file. `filename` is what its owner calls it and appears in no key; `checksum` is the composite of its parts.

    `object_key` is the key of an object that its owner put there, None for one that was uploaded through the Brain.
    `acquisition` is what its owner said of its content. The file is there until `expires_at` (None: as long as its unit
    keeps it). An aborted or deleted file is gone for good after `purge_after`; `purged_at` is when the unit's storage
    was told to forget it. `cleaned_at` is when a worker blanked what named a person in it.
    """

    id: str
    owner_id: str
    unit_id: str
    filename: str
    size_bytes: int
    upload_id: str
    state: DataState
    created_at: datetime
    checksum: str | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    purged_at: datetime | None = None
    object_key: str | None = None
    acquisition: AcquisitionSize | None = None
    expires_at: datetime | None = None
    purge_after: datetime | None = None
    cleaned_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)

    @property
    def key(self) -> str:
        """The object's key in the data bucket of its unit."""
        return self.object_key or f"uploads/{self.id}"

    def n_parts(self, part_size_bytes: int) -> int:
        """Return how many parts the upload has; an empty file has one, empty part."""
        return max(1, -(-self.size_bytes // part_size_bytes))


def clean_filename(text: str) -> str:
    """Return the last part of a path, as a name to show. Raise `InvalidRequest` if nothing is left, or too much."""
    name = re.sub(r"[\x00-\x1f\x7f]", "", re.split(r"[/\\]", text.strip())[-1]).strip()
    if not name or name in {".", ".."} or len(name) > MAX_FILENAME_LENGTH:
        raise InvalidRequest(
            f"A file name has 1 to {MAX_FILENAME_LENGTH} printable characters.", "Give the file a shorter name."
        )
    return name
