"""The application around a bench: one for all tests, since to put its routes together takes longer than most of them.

Tests that change an application, or want another than the plain one, build their own.
"""

from __future__ import annotations

from fastapi import FastAPI

from bench import Bench
from cloudmr.api.app import answer_for, build_app
from cloudmr.web.site import install_pages

_built: dict[bool, FastAPI] = {}


def application(bench: Bench, *, has_pages: bool = False) -> FastAPI:
    """Return the application, with pages or without, which answers for this bench from now on."""
    app = _built.get(has_pages)
    if app is None:
        app = _built[has_pages] = build_app(bench.brain, local_storage=bench.storage)
        if has_pages:
            install_pages(app)
    answer_for(app, bench.brain, local_storage=bench.storage)
    return app
