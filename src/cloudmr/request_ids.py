"""The id of the request that is being answered: in its answer, in every line that is logged meanwhile."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "X-Request-Id"
_SHAPE = re.compile(r"[A-Za-z0-9_.:-]{8,64}")

current_request_id: ContextVar[str | None] = ContextVar("current_request_id", default=None)
"""Known in the threads that work at the request, too: they are given a copy of its context."""


def request_id(given: str | None) -> str:
    """Return the id that somebody before us gave a request, if it looks like one; else a new one."""
    if given is not None and _SHAPE.fullmatch(given):
        return given
    return secrets.token_hex(8)
