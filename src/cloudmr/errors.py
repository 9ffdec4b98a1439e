"""Every error of the platform that a person or a unit can meet; the status each has in HTTP stands in `api/errors.py`.

ExplainedError (mroptimum)
├── InvalidRequest          what was asked cannot be understood
├── NotSignedIn             no valid access token, or a wrong password
├── NotAllowed              signed in, and not entitled to this
├── NotFound                there is no such thing, or it is somebody else's
├── Conflict                the thing is not in a state where this can be done
├── LimitReached            too often or too much; says when to come back
├── CallbackRefused         a message from a unit whose signature does not hold
├── UnitUnavailable         the computing unit does not answer or may not be used
├── DatabaseUnavailable     the Brain's own database does not answer
└── SettingsError           a setting has a value that cannot be used
"""

from __future__ import annotations

from mroptimum.errors import ExplainedError


class InvalidRequest(ExplainedError):
    """What was asked cannot be understood."""

    code = "invalid_request"


class NotSignedIn(ExplainedError):
    """No valid access token, or a wrong password."""

    code = "not_signed_in"


class NotAllowed(ExplainedError):
    """Signed in, and not entitled to this."""

    code = "not_allowed"


class NotFound(ExplainedError):
    """There is no such thing, or it is somebody else's; the two look the same from outside."""

    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.", f"Check its id; the list of your {what}s shows what there is.")


class Conflict(ExplainedError):
    """The thing is not in a state where this can be done."""

    code = "conflict"


class LimitReached(ExplainedError):
    """Too often or too much; `retry_after_s` says in how many seconds it is worth trying again."""

    code = "limit_reached"

    def __init__(self, message: str, next_step: str, *, retry_after_s: int, code: str | None = None) -> None:
        super().__init__(message, next_step, code=code)
        self.retry_after_s = retry_after_s


class CallbackRefused(ExplainedError):
    """A message from a unit whose signature does not hold."""

    code = "callback_refused"


class UnitUnavailable(ExplainedError):
    """The computing unit does not answer or may not be used.

    `is_lasting` says that it answered, and would answer the same again until somebody changes something there.
    """

    code = "unit_unavailable"
    is_lasting = False


class DatabaseUnavailable(ExplainedError):
    """The Brain's own database does not answer, or takes nothing: it is full, or too much waits for it."""

    code = "database_unavailable"


class SettingsError(ExplainedError):
    """A setting has a value that cannot be used."""

    code = "invalid_setting"
