r"""Where webhooks may go, and how a receiver knows that one came from the Brain.

A webhook is a POST of JSON with the headers

    X-CloudMR-Delivery: the same at each try of one message
    X-CloudMR-Timestamp: seconds since 1970, at the moment of *this* try
    X-CloudMR-Signature: v1=<hex>

where the signature is HMAC-SHA256, keyed with the text of the account's webhook secret, over
`v1\n{timestamp}\n{delivery}\n{sha256 of the body in hex}`. A receiver that compares it, and takes no timestamp that is
older than a few minutes, can believe the message, and knows a second copy by its delivery.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from cloudmr.errors import InvalidRequest
from cloudmr.model.messages import MAX_TARGET_LENGTH

DELIVERY_HEADER = "X-CloudMR-Delivery"
TIMESTAMP_HEADER = "X-CloudMR-Timestamp"
SIGNATURE_HEADER = "X-CloudMR-Signature"
_NAT64 = IPv6Network("64:ff9b::/96")
"""Public by itself, and a gateway to the IPv4 address in its last four bytes."""


def signature_headers(secret: str, *, delivery: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers that prove who sent a webhook."""
    timestamp = str(int(now.timestamp()))
    signed = "\n".join(("v1", timestamp, delivery, hashlib.sha256(body).hexdigest()))
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return {DELIVERY_HEADER: delivery, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: f"v1={digest}"}


def check_webhook_url(url: str, *, allows_private: bool) -> str:
    """Return an address that webhooks may be sent to. Raise `InvalidRequest` (`webhook_url`) for any other.

    A name may still lead to a private network: that is looked at when the webhook is sent.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("It is no web address.") from None
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > MAX_TARGET_LENGTH or not host:
        raise _refused("It is no web address.")
    if parts.scheme != "https" and not (allows_private and parts.scheme == "http"):
        raise _refused("It does not begin with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise _refused("It holds a user name, a password, a fragment or no port.")
    try:
        address = ip_address(host)
    except ValueError:
        return url
    if not (allows_private or is_public(address)):
        raise _refused("It leads into a private network.")
    return url


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is somebody's in the internet: not of this machine, this network, or a group."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _refused(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"Webhooks cannot be sent to this address. {what}",
        "Give an address such as https://example.org/hooks/cloudmr.",
        code="webhook_url",
    )
