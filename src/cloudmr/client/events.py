"""Server-sent events as they come over the wire (WHATWG HTML, section 9.2), without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event: its name, its data, and the id to ask for what comes after it (empty: none was ever given)."""

    name: str
    data: str
    last_id: str


def parse_events(chunks: Iterable[bytes], *, last_id: str = "") -> Iterator[ServerEvent]:
    """Yield the events in a stream of bytes, however it is cut. One that the stream's end cuts off does not count."""
    name, data = "", list[str]()
    for line in _lines(chunks):
        if not line:
            if data:
                yield ServerEvent(name=name or "message", data="\n".join(data), last_id=last_id)
            name, data = "", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif key == "id" and "\0" not in value:
            last_id = value


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    r"""Yield the lines that ended, by `\n` or `\r\n`; our servers never send a lone `\r`."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode("utf-8", errors="replace")
