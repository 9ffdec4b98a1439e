"""What an address tells: whether somebody elsewhere can reach it, and what browsers call its origin."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_LOCAL_ENDINGS = ("localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid")


def origin_of(url: str) -> str:
    """Return the part of an address that browsers let pages be of: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_for_everybody(url: str) -> bool:
    """Tell whether an address could be reached from elsewhere: not loopback, private, or a name of one network only.

    Names are not looked up: what a name means here says nothing of what it means there.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not any(host == ending or host.endswith(ending) for ending in _LOCAL_ENDINGS)
