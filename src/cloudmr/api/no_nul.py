"""No address holds a NUL: no text has one that anybody wrote, and PostgreSQL takes none."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from cloudmr.api.errors import error_response
from cloudmr.errors import InvalidRequest
from mroptimum.errors import Explanation

_REFUSAL: Explanation = {
    "code": InvalidRequest.code,
    "message": "The request cannot be understood: its address holds a NUL.",
    "next_step": "Take it out (%00).",
}


class NoNul:
    """Refuses them in query strings; those in paths match no route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and b"%00" in scope["query_string"]:
            await error_response(_REFUSAL, HTTPStatus.BAD_REQUEST)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
