"""What a page may load and call: this server, and the storage of the units that its reader may use. Nothing else."""

from __future__ import annotations

from collections.abc import Iterable

_FIXED = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "worker-src": "'self' blob:",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}


def content_policy(storage_origins: Iterable[str] = ()) -> str:
    """Return the Content-Security-Policy of a page.

    `storage_origins` are exact, such as `https://host:443`, or `https://host/bucket/` where one host has many buckets.
    """
    rules = _FIXED | {"connect-src": " ".join(["'self'", "blob:", "data:", *sorted(set(storage_origins))])}
    return "; ".join(f"{name} {value}" for name, value in rules.items())
