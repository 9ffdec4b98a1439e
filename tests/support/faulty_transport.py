"""A network between client and Brain on which chosen requests, or the answers to them, are lost."""

from __future__ import annotations

from collections.abc import Callable

import httpx

Choose = Callable[[httpx.Request], bool]


def no_request(_: httpx.Request) -> bool:
    """Choose none."""
    return False


class FaultyTransport(httpx.BaseTransport):
    """Passes requests on over real connections, but loses those, or the answers to those, that are chosen."""

    def __init__(self, *, lose: Choose = no_request, lose_answer: Choose = no_request) -> None:
        self._inner = httpx.HTTPTransport()
        self._lose = lose
        self._lose_answer = lose_answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._lose(request):
            raise httpx.ConnectError("lost on the way", request=request)
        response = self._inner.handle_request(request)
        if self._lose_answer(request):
            response.read()
            response.close()
            raise httpx.ReadError("the answer was lost", request=request)
        return response

    def close(self) -> None:
        self._inner.close()
