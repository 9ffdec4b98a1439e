"""A parcel as a webhook: one signed POST to an address that somebody else chose, and so to be mistrusted.

The name is looked up once, every address it has must be public, and the connection goes to the address that was
looked at: a name that changes its mind in between gains nothing. No redirect is followed, no proxy asked, and what is
answered is not kept.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any

import httpcore

from cloudmr.delivery.base import NotDelivered, Parcel
from cloudmr.errors import InvalidRequest
from cloudmr.model.webhooks import check_webhook_url, is_public, signature_headers

Resolve = Callable[[str, int], list[str]]
"""Gives the addresses of a name. Raises `OSError`."""

DEADLINE_S = 15.0
"""For everything: connecting, sending, and the head of the answer."""
_GONE = 410


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that this machine knows a name by."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Webhooks:
    """Sends webhooks. `allows_private` lets them go to any address, and without encryption."""

    def __init__(
        self,
        *,
        allows_private: bool = False,
        trust: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._allows_private = allows_private
        self._trust = trust or ssl.create_default_context()
        self._resolve = resolve
        self._deadline_s = deadline_s

    def carry(self, parcel: Parcel) -> None:
        """Deliver it: 2xx is thanks, 410 means never again, whatever else is a failure. Raises `NotDelivered`."""
        try:
            url = check_webhook_url(parcel.target, allows_private=self._allows_private)
        except InvalidRequest as error:
            raise NotDelivered("the address is not allowed", is_final=True) from error
        body = parcel.body.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "CloudMR-Brain",
            **signature_headers(parcel.secret, delivery=parcel.name, body=body, now=parcel.at),
        }
        status = self._post(url, headers, body)
        if not 200 <= status < 300:
            raise NotDelivered(f"the receiver answered {status}", is_final=status == _GONE)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        network = _CheckedNetwork(
            self._resolve, allows_private=self._allows_private, deadline=time.monotonic() + self._deadline_s
        )
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._trust, network_backend=network) as pool,
                # Closed with its head read: what a stranger's server goes on to say is nobody's news.
                pool.stream("POST", url, headers=list(headers.items()), content=body) as answer,
            ):
                return answer.status
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise NotDelivered(f"the receiver does not answer ({type(error).__name__})") from error


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects to public addresses only, and gives up at a deadline however slowly the other side goes on."""

    def __init__(self, resolve: Resolve, *, allows_private: bool, deadline: float) -> None:
        self._resolve = resolve
        self._allows_private = allows_private
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - ours is the deadline
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"unknown name: {error}") from error
        if not self._allows_private and not all(is_public(ip_address(address)) for address in addresses):
            raise NotDelivered("the address leads into a private network")
        failure = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                stream = self._network.connect_tcp(address, port, _left(self._deadline), local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
            else:
                return _BoundedStream(stream, self._deadline)
        raise failure

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class _BoundedStream(httpcore.NetworkStream):
    """A connection on which every wait ends at one deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _BoundedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise httpcore.ReadTimeout("the deadline is over")
    return left_s
