"""Every request has an id, is timed, and leaves one line in the log: what was asked for by its route, not its address.

Addresses carry what they are good for (signed requests, links of shared jobs), and are kept out of logs.
"""

from __future__ import annotations

import logging
import time
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloudmr.metrics import Metrics
from cloudmr.request_ids import HEADER, current_request_id, request_id

access_log = logging.getLogger("cloudmr.access")
NO_ROUTE = "(none)"
"""Where nothing is at an address; the address is the caller's, and could be anything."""


class RequestLog:
    """Gives requests their ids, and counts and logs them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its id; whatever becomes of it, it is counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        of_request = request_id(Headers(scope=scope).get(HEADER))
        scope.setdefault("state", {})["request_id"] = of_request
        current_request_id.set(of_request)
        began = time.perf_counter()
        status, n_bytes = int(HTTPStatus.INTERNAL_SERVER_ERROR), 0

        async def told(message: Message) -> None:
            nonlocal status, n_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault(HEADER, of_request)
            elif message["type"] == "http.response.body":
                n_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            _tell(scope, status, n_bytes, time.perf_counter() - began)


def _tell(scope: Scope, status: int, n_bytes: int, seconds: float) -> None:
    method, route = scope["method"], route_of(scope)
    metrics: Metrics = scope["app"].state.brain.metrics
    metrics.request_answered(method=method, route=route, status=status, seconds=seconds)
    access_log.info(
        "%s %s %d",
        method,
        route,
        status,
        extra={
            "fields": {
                "method": method,
                "route": route,
                "status": status,
                "bytes": n_bytes,
                "seconds": round(seconds, 4),
            }
        },
    )


def route_of(scope: Scope) -> str:
    """Return the template of the route that a request was for, with its placeholders."""
    route: Any = scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) else NO_ROUTE
