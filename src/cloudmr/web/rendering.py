"""Templates to pages: every page gets its frame, its policy and its reader here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

import mroptimum
from cloudmr.web import wording
from cloudmr.web.bundle import bundle_hash
from cloudmr.web.content_policy import content_policy
from cloudmr.web.visitor import visitor_of

THEME_COOKIE = "cloudmr_theme"
THEMES = ("light", "dark")
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(wording.FILTERS)


def is_part(request: Request) -> bool:
    """Tell whether a script asks for a part of a page, to put it in place."""
    return request.headers.get("HX-Request") == "true"


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    *,
    status: int = HTTPStatus.OK,
    storage_origins: Iterable[str] = (),
) -> HTMLResponse:
    """Return a page, or a part of one."""
    html = _TEMPLATES.get_template(template).render({**_frame(request), **context})
    return HTMLResponse(html, status_code=status, headers={"Content-Security-Policy": content_policy(storage_origins)})


def _frame(request: Request) -> dict[str, Any]:
    theme = request.cookies.get(THEME_COOKIE)
    visitor = visitor_of(request)
    return {
        "path": request.url.path,
        "theme": theme if theme in THEMES else None,
        "visitor": visitor,
        "csrf_token": visitor.csrf_token if visitor else "",
        "static": f"/static/{bundle_hash() or 'none'}",
        "has_bundle": bundle_hash() is not None,
        "version": mroptimum.__version__,
    }
