from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloudmr.client.events import ServerEvent, parse_events

STREAM = (
    b": a comment keeps the line open\n\n"
    b'id: 3\nevent: state\ndata: {"state":\n data: is no field\ndata:"queued"}\n\n'
    b"retry: 5\r\ndata: S\xc3\xa3o\xe2\x80\xa8Paulo\r\n\r\n"
    b"event: empty\n\n"
    b"id: 4\ndata: last\n\n"
    b"id: 5\ndata: cut off"
)
EVENTS = [
    ServerEvent(name="state", data='{"state":\n"queued"}', last_id="3"),
    ServerEvent(name="message", data="São\u2028Paulo", last_id="3"),
    ServerEvent(name="message", data="last", last_id="4"),
]


def test_a_stream_is_understood() -> None:
    assert list(parse_events([STREAM])) == EVENTS


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_it_does_not_matter_how_the_stream_is_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert list(parse_events(STREAM[a:b] for a, b in pairwise(edges))) == EVENTS


def test_an_event_without_an_id_goes_by_the_last_one_known() -> None:
    assert list(parse_events([b"data: x\n\n"], last_id="7")) == [ServerEvent(name="message", data="x", last_id="7")]
