"""A region of interest that somebody drew in a job's images: its mask lies beside the job's data, in its unit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloudmr.errors import InvalidRequest
from cloudmr.model.instants import require_utc

MAX_NAME_LENGTH = 255
MAX_DESCRIPTION_BYTES = 16 * 1024
MAX_MASK_BYTES = 10 * 1024 * 1024
"""A mask of 512 x 512 x 256 voxels takes less than a tenth of it, compressed."""
MAX_REGIONS_OF_JOB = 200


@dataclass(frozen=True, kw_only=True)
class Region:
    """One region. `description` is JSON of whoever drew it: shape, colour, statistics."""

    id: str
    job_id: str
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    purged_at: datetime | None = None

    def __post_init__(self) -> None:
        require_utc(self)

    @property
    def key(self) -> str:
        """The mask's key in the data bucket of the job's unit."""
        return f"{regions_prefix(self.job_id)}{self.id}.nii.gz"


def regions_prefix(job_id: str) -> str:
    """Return what the keys of a job's masks begin with."""
    return f"regions/{job_id}/"


def clean_name(text: str) -> str:
    """Return what to call a region. Raise `InvalidRequest` if nothing can be shown of it, or it is too long."""
    name = "".join(character for character in text if character.isprintable()).strip()
    if not name or len(name) > MAX_NAME_LENGTH:
        raise InvalidRequest(
            f"The name of a region has 1 to {MAX_NAME_LENGTH} printable characters.", "Choose another one."
        )
    return name


def description_text(description: dict[str, Any]) -> str:
    """Return a description as it is kept. Raise `InvalidRequest` for one that is too long."""
    text = json.dumps(description, separators=(",", ":"), sort_keys=True)
    if len(text.encode()) > MAX_DESCRIPTION_BYTES:
        raise InvalidRequest(
            f"The description of a region has at most {MAX_DESCRIPTION_BYTES} bytes.",
            "Leave out what the mask says anyhow.",
        )
    return text
