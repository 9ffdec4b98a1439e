"""All pages, put together around an application."""

from __future__ import annotations

from fastapi import FastAPI

from cloudmr.web.bundle import BundleFiles
from cloudmr.web.errors import install_error_pages
from cloudmr.web.pages import (
    admin,
    data_files,
    home,
    jobs,
    mail_links,
    new_job,
    profile,
    results,
    sessions,
    shared,
    sharing,
    units,
    upload,
)

_PAGES = (
    *(sessions, mail_links, home, data_files, upload, new_job, results, sharing, jobs, shared),
    *(units, profile, admin),
)


def install_pages(app: FastAPI) -> None:
    """Add the pages to an application whose routes and error handlers stand."""
    for page in _PAGES:
        app.include_router(page.router)
    app.mount("/static", BundleFiles(), name="static")
    install_error_pages(app)
