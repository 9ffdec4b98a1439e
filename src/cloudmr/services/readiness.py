"""Whether a Brain can serve."""

from __future__ import annotations

from cloudmr.database.migrate import is_up_to_date
from cloudmr.errors import DatabaseUnavailable
from cloudmr.services.brain import Brain


def is_ready(brain: Brain) -> bool:
    """Tell whether the database answers and has the shape that this release needs."""
    try:
        return brain.database.is_answering() and is_up_to_date(brain.database)
    except DatabaseUnavailable:
        return False
