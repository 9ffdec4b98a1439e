"""Where the Brain is now: one that comes back at another port is still told of the jobs it began at the first.

A Brain writes its address into a file of its home when it starts. Whoever works at its jobs on this machine asks there
first, at every request, and at the address that it was begun with if that is in vain.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import httpx


def announce_address(file: Path, url: str) -> None:
    """Write down where the Brain answers on this machine."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    draft.write_text(url, encoding="utf-8")
    draft.replace(file)


class ToPresentAddress(httpx.BaseTransport):
    """Carries requests to where the Brain is now, as far as the file says; without one, to where they are addressed."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._network = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer. Raise `httpx.TransportError` where nobody answers."""
        present = self._present()
        if present is None or _is_same(present, request.url):
            return self._network.handle_request(request)
        try:
            return self._network.handle_request(_addressed(request, present))
        except httpx.TransportError:
            # That Brain has ended, too; of several, another one may still be where it was.
            return self._network.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._network.close()

    def _present(self) -> httpx.URL | None:
        try:
            return httpx.URL(self._file.read_text(encoding="utf-8").strip()) if self._file else None
        except (OSError, UnicodeDecodeError, httpx.InvalidURL):
            return None


def _is_same(present: httpx.URL, url: httpx.URL) -> bool:
    return (present.scheme, present.netloc) == (url.scheme, url.netloc)


def _addressed(request: httpx.Request, present: httpx.URL) -> httpx.Request:
    url = request.url.copy_with(scheme=present.scheme, host=present.host, port=present.port)
    headers = request.headers.copy()
    headers["Host"] = url.netloc.decode("ascii")
    return httpx.Request(request.method, url, headers=headers, content=request.read(), extensions=request.extensions)
