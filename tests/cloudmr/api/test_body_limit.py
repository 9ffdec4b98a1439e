from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from cloudmr.api.body_limit import BodyLimit


async def nowhere(_message: Message) -> None:
    raise AssertionError("nothing is answered here")


def read(
    path: str,
    *,
    pieces: Sequence[bytes],
    is_whole: bool,
    pause_s: float = 0,
    deadline_s: float = 0.05,
    least_bytes_per_s: float = 1,
) -> bytes:
    """Return a body as an application gets it, whose client sends these pieces and falls silent if that is not all."""
    content = b""

    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        nonlocal content
        more_body = True
        while more_body:
            message = await receive()
            content += message["body"]
            more_body = message["more_body"]

    left = list(pieces)

    async def client() -> Message:
        if not left:
            await anyio.sleep_forever()
        await anyio.sleep(pause_s)
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left) or not is_whole}

    limited = BodyLimit(application, limit_bytes=4, deadline_s=deadline_s, least_bytes_per_s=least_bytes_per_s)
    anyio.run(limited, {"type": "http", "path": path}, client, nowhere)
    return content


@pytest.mark.parametrize("path", ["/api/job", "/objects/data/key", "/Prod/objects/data/key"])
def test_a_body_that_stops_coming_is_refused(path: str) -> None:
    with pytest.raises(HTTPException) as refused:
        read(path, pieces=[b"ab"], is_whole=False)
    assert refused.value.status_code == 408
    assert refused.value.headers == {"Connection": "close"}


def test_a_request_is_whole_by_its_deadline_however_steadily_it_comes() -> None:
    with pytest.raises(HTTPException) as refused:
        read("/api/job", pieces=[b""] * 1000, is_whole=True, pause_s=0.001)
    assert refused.value.status_code == 408


def test_a_part_may_take_longer_as_long_as_it_goes_on() -> None:
    # 0.6 s in all, 0.01 s between pieces: a busy machine may stall fifty times as long before one counts as silence.
    pieces = [b"piece"] * 60
    content = read("/objects/data/key", pieces=pieces, is_whole=True, pause_s=0.01, deadline_s=0.5)
    assert content == b"piece" * 60


def test_a_part_that_gets_nowhere_is_refused_however_steadily_it_comes() -> None:
    with pytest.raises(HTTPException) as refused:
        read("/objects/data/key", pieces=[b"x"] * 1000, is_whole=True, pause_s=0.001, least_bytes_per_s=10**6)
    assert refused.value.status_code == 408


def test_an_answer_may_take_longer_than_the_request_did() -> None:
    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        with anyio.move_on_after(0.02) as waited:
            await receive()
        assert waited.cancelled_caught

    told: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def client() -> Message:
        if not told:
            await anyio.sleep_forever()
        return told.pop()

    anyio.run(BodyLimit(application, deadline_s=0), {"type": "http", "path": "/api/job/job_1/events"}, client, nowhere)
