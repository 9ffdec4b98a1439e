"""The address of a Brain: one spelling for each, and whether it is this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cloudmr.client.errors import InvalidAddress

LOCAL_BRAIN = "http://127.0.0.1:8000"
"""Where `cloudmr serve` answers unless it is told otherwise."""


def normal_address(text: str) -> str:
    """Return the one spelling of an address: scheme, host in lower case, port if it is not the usual one, path.

    A path such as `/Prod` is kept, a slash at its end is not. Raise `InvalidAddress` for what is none, and for one
    with a user's name, a query or a fragment in it.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise InvalidAddress from None
    has_more = "@" in parts.netloc or parts.query or parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or has_more:
        raise InvalidAddress
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    shown_port = "" if port in {None, usual} else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{parts.path.rstrip('/')}"


def is_this_machine(server: str) -> bool:
    """Tell whether an address is a loopback one. Names are not looked up."""
    host = urlsplit(server).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_readable_on_the_way(server: str) -> bool:
    """Tell whether others on the network can read what is sent there."""
    return urlsplit(server).scheme == "http" and not is_this_machine(server)
