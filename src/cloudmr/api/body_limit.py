"""No request body is larger, or takes longer, than it has reason to: refused before it fills memory or connections."""

from __future__ import annotations

from http import HTTPStatus

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1024 * 1024
"""Enough for every JSON request; the parts of files go to the storage, which counts for itself."""
BODY_DEADLINE_S = 30
"""For a whole JSON request, and for each piece of a part: a part may take long, as long as it goes on."""
LEAST_BYTES_PER_S = 8 * 1024
"""And as long as it gets somewhere: a part that is slower than this, but for a first while, holds a connection only."""


class BodyLimit:
    """Counts the bytes of a request's body as they are read, and the seconds until they come."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit_bytes: int = MAX_BODY_BYTES,
        deadline_s: float = BODY_DEADLINE_S,
        least_bytes_per_s: float = LEAST_BYTES_PER_S,
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._deadline_s = deadline_s
        self._least_bytes_per_s = least_bytes_per_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted and timed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        of_object = is_object(scope["path"])
        deadline = anyio.current_time() + self._deadline_s
        n_bytes = 0
        is_whole = False

        async def limited() -> Message:
            nonlocal n_bytes, is_whole
            if is_whole:
                # What comes now is that the client has gone, and that may take as long as the answer does.
                return await receive()
            by = deadline
            if of_object:
                by = min(anyio.current_time() + self._deadline_s, deadline + n_bytes / self._least_bytes_per_s)
            message = await _before(by, receive)
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._limit_bytes and not of_object:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            is_whole = not message.get("more_body", False)
            return message

        await self._app(scope, limited, send)


async def _before(deadline: float, receive: Receive) -> Message:
    with anyio.CancelScope(deadline=deadline):
        return await receive()
    # The rest of the body may still come: nothing after it could be told apart from it.
    raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"})


def is_object(path: str) -> bool:
    """Tell whether a path is one of the storage's, with or without `/Prod`."""
    return path.removeprefix("/Prod").startswith("/objects/")
