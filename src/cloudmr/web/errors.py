"""Errors as pages: the same code, cause and next step that the API gives, for whoever looks with a browser."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cloudmr.errors import NotSignedIn
from cloudmr.web.rendering import is_part, render

Handler = Callable[[Request, Any], Response | Awaitable[Response]]
_NOT_PAGES = ("/api/", "/Prod/", "/objects/", "/static/")


def wants_page(request: Request) -> bool:
    """Tell whether the answer to a request is for a person to look at."""
    return not request.url.path.startswith(_NOT_PAGES) and "text/html" in request.headers.get("Accept", "")


def install_error_pages(app: FastAPI) -> None:
    """Have errors that meet a browser shown as pages; what they say comes from the handlers there are."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _as_page(handler))


def _as_page(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = handler(request, error)
        response = await answer if isawaitable(answer) else answer
        if not wants_page(request):
            return response
        if isinstance(error, NotSignedIn) and not is_part(request):
            return RedirectResponse(f"/sign-in?{urlencode({'next': _address(request)})}", HTTPStatus.SEE_OTHER)
        explanation = json.loads(bytes(response.body))
        template = "parts/error.html" if is_part(request) else "error.html"
        page = render(request, template, {"error": explanation}, status=response.status_code)
        for name in ("Retry-After", "Allow"):
            if name in response.headers:
                page.headers[name] = response.headers[name]
        return page

    return handle


def _address(request: Request) -> str:
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
