"""The session of a page: the access token in a cookie that scripts cannot read, and a token against forged requests.

A request that changes something and is known only by its cookie must carry the token that the page was given, in the
header `X-CSRF-Token` or the form field `csrf_token`: other sites can make a browser send the cookie, but not read it.
"""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

from cloudmr.errors import NotAllowed
from cloudmr.model.tokens import ACCESS_LIFETIME, secret_hash

COOKIE = "cloudmr_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_secret(request: Request) -> str | None:
    """Return the access token that a page's request carries."""
    return request.cookies.get(COOKIE)


def csrf_token(secret_key: bytes, secret: str) -> str:
    """Return what the pages of one session prove with that they are ours."""
    return hmac.new(secret_key, f"csrf|{secret_hash(secret)}".encode(), hashlib.sha256).hexdigest()


async def require_csrf_token(request: Request, secret_key: bytes, secret: str) -> None:
    """Raise `NotAllowed` (`csrf_refused`) for a changing request without the token of its session."""
    if request.method in _SAFE_METHODS:
        return
    given = request.headers.get(CSRF_HEADER)
    if given is None and "form" in request.headers.get("Content-Type", ""):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if not hmac.compare_digest((given or "").encode(), csrf_token(secret_key, secret).encode()):
        raise NotAllowed(
            "The request does not come from a page of this session.",
            "Load the page again, and repeat what you did.",
            code="csrf_refused",
        )


def require_same_site(request: Request) -> None:
    """Raise `NotAllowed` (`csrf_refused`) for a form that another site sent where there is no session yet."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise NotAllowed(
            "The form was sent from another site.", "Open the page here, and sign in.", code="csrf_refused"
        )


def keep_session(response: Response, secret: str, *, is_secure: bool) -> None:
    """Have the browser keep a session."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(ACCESS_LIFETIME.total_seconds()),
        httponly=True,
        secure=is_secure,
        samesite="lax",
        path="/",
    )


def forget_session(response: Response) -> None:
    """Have the browser forget a session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", path="/")
