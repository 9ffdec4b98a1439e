"""What anybody can see of a bucket, without credentials: whether it is there, and whether pages may upload (CORS)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx

from cloudmr.model.addresses import origin_of

_TIMEOUT_S = 10
_SENT_BY_PAGES = "x-amz-checksum-sha256"
_SOMETHING_IS_THERE = frozenset({200, 301, 307, 400, 403})


def lets_pages_upload(url: str, page_url: str, *, ca_bundle: str | None = None) -> bool | None:
    """Tell whether pages at an address may PUT to an object's URL; None where that cannot be found out."""
    origin = origin_of(page_url)
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": _SENT_BY_PAGES,
    }
    answer = _ask("OPTIONS", url, headers, ca_bundle)
    if answer is None:
        return None
    if answer.is_success:
        return answer.headers.get("Access-Control-Allow-Origin") in {origin, "*"}
    return False if answer.status_code == httpx.codes.FORBIDDEN else None


def has_bucket(url: str, *, ca_bundle: str | None = None) -> bool | None:
    """Tell whether there is a bucket at a URL; None where that cannot be found out."""
    answer = _ask("HEAD", f"{url}/", {}, ca_bundle)
    if answer is None:
        return None
    if answer.status_code == httpx.codes.NOT_FOUND:
        return False
    return True if answer.status_code in _SOMETHING_IS_THERE else None


def _ask(method: str, url: str, headers: Mapping[str, str], ca_bundle: str | None) -> httpx.Response | None:
    trust: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else True
    try:
        with httpx.Client(verify=trust, timeout=_TIMEOUT_S) as client:
            return client.request(method, url, headers=dict(headers))
    except (httpx.HTTPError, OSError):
        return None
