"""A connection reads the same, whoever keeps what it has received."""

from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudmr.receive_buffer import MAX_HEAD_BYTES, limit_and_hand_on

bodies = st.binary(max_size=40)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return a request with a body of a known length, or in pieces, or one that ends nowhere near where it says."""
    body = draw(bodies)
    if draw(st.booleans()):
        length = draw(st.sampled_from([len(body), len(body), len(body) + 3]))
        return b"PUT / HTTP/1.1\r\nHost: brain\r\nContent-Length: %d\r\n\r\n%b" % (length, body)
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in draw(st.lists(bodies, max_size=3)) if piece)
    return b"PUT / HTTP/1.1\r\nHost: brain\r\nTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % pieces


def events(connection: h11.Connection, pieces: list[bytes]) -> list[object]:
    """Return what a server hears, and what it has not understood at the end."""
    heard: list[object] = []
    for piece in pieces:
        connection.receive_data(piece)
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                return [*heard, str(error)]
            if event is h11.NEED_DATA:
                break
            if event is h11.PAUSED:
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                connection.start_next_cycle()
                continue
            heard.append((type(event), bytes(event.data)) if isinstance(event, h11.Data) else event)
    return [*heard, connection.trailing_data]


@given(st.lists(requests(), min_size=1, max_size=3), st.lists(st.integers(min_value=0, max_value=400)))
def test_what_arrives_is_understood_as_h11_understands_it(sent: list[bytes], cuts: list[int]) -> None:
    content = b"".join(sent)
    places = sorted({0, len(content), *(cut for cut in cuts if cut < len(content))})
    pieces = [content[start:stop] for start, stop in pairwise(places)]
    plain, whole = h11.Connection(h11.SERVER), h11.Connection(h11.SERVER)
    limit_and_hand_on(whole)
    assert events(whole, pieces) == events(plain, pieces)


def head(n_bytes: int) -> bytes:
    """Return the head of a request of so many bytes."""
    start, end = b"GET / HTTP/1.1\r\nHost: brain\r\nA: ", b"\r\n\r\n"
    return start + b"a" * (n_bytes - len(start) - len(end)) + end


@pytest.mark.parametrize(("n_bytes", "is_heard"), [(MAX_HEAD_BYTES, True), (MAX_HEAD_BYTES + 1, False)])
def test_a_head_is_no_longer_than_it_may_be_even_if_it_comes_at_once(n_bytes: int, is_heard: bool) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=2**20)
    limit_and_hand_on(connection)
    connection.receive_data(head(n_bytes) + head(100))
    if is_heard:
        assert isinstance(connection.next_event(), h11.Request)
    else:
        with pytest.raises(h11.RemoteProtocolError, match="too long"):
            connection.next_event()


def test_what_follows_a_body_in_pieces_is_no_longer_either() -> None:
    connection = h11.Connection(h11.SERVER)
    limit_and_hand_on(connection)
    connection.receive_data(b"PUT / HTTP/1.1\r\nHost: brain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    connection.receive_data(b"A: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    with pytest.raises(h11.RemoteProtocolError, match="too long"):
        connection.next_event()


def test_all_there_is_of_a_body_is_handed_on_without_a_copy() -> None:
    connection = h11.Connection(h11.SERVER)
    limit_and_hand_on(connection)
    connection.receive_data(b"PUT / HTTP/1.1\r\nHost: brain\r\nContent-Length: 100\r\n\r\n")
    assert isinstance(connection.next_event(), h11.Request)
    connection.receive_data(b"some of it")
    kept = connection._receive_buffer._data
    event = connection.next_event()
    assert isinstance(event, h11.Data)
    assert event.data is kept
