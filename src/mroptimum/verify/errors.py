"""What keeps a package from being verified."""

from __future__ import annotations

from mroptimum.errors import ExplainedError


class VerificationError(ExplainedError):
    """The files given are not those that the result was made from."""

    code = "not_the_inputs"
