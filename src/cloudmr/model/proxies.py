"""Who sent a request that came through proxies: only what trusted ones say is believed."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Networks = tuple[IPv4Network | IPv6Network, ...]


def parse_networks(text: str) -> Networks:
    """Return addresses and networks written with commas between them. Raises `ValueError`."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def sender(peer: str, forwarded_for: Iterable[str], trusted: Networks) -> str:
    """Return the network address that a request comes from.

    `peer` is the other end of the connection, `forwarded_for` the values of `X-Forwarded-For`, in order. Each proxy
    appends where it got the request from, so the list is read from its end, as long as those who speak are trusted:
    the first that is not is the sender, whatever stands before it.
    """
    sender = peer
    claims = [claim.strip() for value in forwarded_for for claim in value.split(",")]
    while claims and is_trusted(sender, trusted):
        claim = _address(claims.pop())
        if claim is None:
            break
        sender = str(claim)
    return sender


def is_trusted(text: str, trusted: Networks) -> bool:
    """Tell whether a network address is that of a trusted proxy."""
    address = _address(text)
    return address is not None and any(address in network for network in trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket that listens for both kinds gives IPv4 addresses in IPv6's clothes.
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
