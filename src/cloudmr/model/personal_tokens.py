"""Tokens that a person makes for programs: with a name, for one purpose, and with an end."""

from __future__ import annotations

from datetime import timedelta

from cloudmr.errors import InvalidRequest
from cloudmr.model.tokens import Scope

SCOPES = frozenset({Scope.READ, Scope.JOB_WRITE, Scope.UNIT_REGISTER})
MAX_NAME_LENGTH = 100
MOST_TOKENS = 100
_DAY = timedelta(days=1)
_LONGEST = {Scope.READ: 366 * _DAY, Scope.JOB_WRITE: 366 * _DAY, Scope.UNIT_REGISTER: timedelta(hours=1)}
_USUAL = {Scope.READ: 90 * _DAY, Scope.JOB_WRITE: 90 * _DAY, Scope.UNIT_REGISTER: timedelta(hours=1)}
_SHORTEST = timedelta(minutes=1)


def check_scope(scope: Scope) -> None:
    """Raise `InvalidRequest` for what only signing in gives."""
    if scope not in SCOPES:
        raise InvalidRequest(
            f"A personal token cannot be good for {scope}.", f"Choose one of {', '.join(sorted(SCOPES))}."
        )


def token_name(text: str) -> str:
    """Return the name of a token as it is kept. Raise `InvalidRequest` for what cannot be one."""
    name = " ".join(text.split())
    if not 0 < len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(
            f"A token has a name of 1 to {MAX_NAME_LENGTH} characters, on one line.",
            "Say what it is for, such as `cluster in room 12`.",
        )
    return name


def lifetime(scope: Scope, wanted_s: int | None) -> timedelta:
    """Return how long a token lives. Raise `InvalidRequest` for longer than its purpose needs."""
    if wanted_s is None:
        return _USUAL[scope]
    longest = _LONGEST[scope]
    if not _SHORTEST.total_seconds() <= wanted_s <= longest.total_seconds():
        raise InvalidRequest(
            f"A token for {scope} lives {_SHORTEST.total_seconds():.0f} to {longest.total_seconds():.0f} s.",
            "Choose a time between these two.",
        )
    return timedelta(seconds=wanted_s)
