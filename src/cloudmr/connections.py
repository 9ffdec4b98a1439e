"""What a server gives to its connections: so many at once, a while to say what they want, and a while to take it.

uvicorn closes a connection that says nothing between two requests, and has no deadline for one that never ends its
first, or sends it byte by byte, or does not read what it asked for: a few hundred of those would take every file
descriptor there is.
"""

from __future__ import annotations

import asyncio
import ctypes
import resource
from typing import Any, Self

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from cloudmr.model.proxies import Networks, is_trusted
from cloudmr.receive_buffer import limit_and_hand_on

REQUEST_HEAD_S = 10
"""How long the head of a request may take to arrive: it is one packet, sent whole by whoever means it."""
PROXY_IDLE_S = 400
"""How long a trusted proxy may keep a connection that it does not use: longer than proxies do by themselves (300 s the
load balancer of our stack on AWS, 120 s Caddy), since one that is closed while a request is on its way is a 502."""
ANSWER_READ_S = 60
"""How long a piece of an answer may take to be read: 1 MiB at the most, so that 18 kB/s are enough."""
READ_BYTES = 64 * 1024
"""How much is taken from a connection at once: as long as that is looked through, nobody else is heard."""
LARGE_BODY_BYTES = 1024 * 1024
"""Of a body that is longer than this, and says so, as much is taken at once: nothing in it is to be looked through, and
in smaller pieces a part of an upload would pass many more times through everything that a request passes through."""
_KEPT_BYTES = 64 * 1024 * 1024
_MOST_CONNECTIONS = 1000
"""Everybody of a large institute following a job, and far below what one process can hold."""
_TOLD_BEFORE_DROPPED = 100
"""Connections above the limit that are told so (503) before others are dropped without a word."""
_OTHER_FILES = 256
"""Database, log, pipes of running jobs, and connections that are told that they are too many."""
_ENOUGH_FILES = 10_240
"""Enough for every connection; the most that macOS grants without being set up for more."""


def raise_file_limit() -> None:
    """Let this process have as many files open as it is allowed and may need; by default it is often only 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def keep_freed_memory() -> None:
    """Let this process keep some of the memory it frees: what uploads pass through is asked for again at once.

    By default glibc gives all but 128 KiB back to the system, and every page of the next piece that comes in is made
    and cleared anew, which takes longer than to copy into it. Where there is another C library, nothing is done.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
        set_option(trim_threshold, _KEPT_BYTES)
        set_option(mmap_threshold, 4 * LARGE_BODY_BYTES)


def max_connections(n_files: int | None = None) -> int:
    """Return how many connections `n_files` open files allow, by default as many as this process may have."""
    if n_files is None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        n_files = _ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft
    # Each may have a file open as well: the part it sends, the object it gets.
    return max(1, min(_MOST_CONNECTIONS, (n_files - _OTHER_FILES) // 2))


class PromptConnection(H11Protocol):
    """A connection that is closed when it takes too long to ask, or to read; and at once when there are too many."""

    request_head_s: float = REQUEST_HEAD_S
    answer_read_s: float = ANSWER_READ_S
    proxy_idle_s: float = PROXY_IDLE_S
    trusted_proxies: Networks = ()

    @classmethod
    def behind(cls, proxies: Networks) -> type[Self]:
        """Return the kind of connection that is patient with these proxies between their requests."""
        return type(cls.__name__, (cls,), {"trusted_proxies": proxies})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._is_proxys = False
        self._is_idle = False
        """Nothing of the next request has come."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        """Wait for the first request, or drop one connection too many."""
        super().connection_made(transport)
        limit_and_hand_on(self.conn)
        self._take_at_once(READ_BYTES)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency + _TOLD_BEFORE_DROPPED:
            transport.abort()
            return
        self._is_proxys = self.client is not None and is_trusted(self.client[0], self.trusted_proxies)
        if self._is_proxys:
            self.timeout_keep_alive = self.proxy_idle_s  # type: ignore[assignment]  # a part of a second will do
        self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Wait no longer once a request is there to be answered."""
        super().data_received(data)
        if self._is_answering:
            if self._deadline is not None:
                # The first of it that is heard of.
                self._take_at_once(LARGE_BODY_BYTES if _has_large_body(self.cycle) else READ_BYTES)
            self._expect_nothing()
        elif self._is_proxys and self._is_idle:
            # It has begun a request, and has no longer for its head than anybody.
            self._expect_within(self.request_head_s)
        self._is_idle = False

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it has come already, right behind the one before."""
        super().on_response_complete()
        self._take_at_once(READ_BYTES)
        if not self._is_answering:
            self._expect_request()
        if self.transport.get_write_buffer_size():
            # Whoever closes it politely waits for the rest to be read, for ever.
            self._expect_reading()

    def pause_writing(self) -> None:
        """Wait for what was sent to be read, but not for ever."""
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        """Go on; it was read."""
        super().resume_writing()
        self._expect_no_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._expect_nothing()
        self._expect_no_reading()
        self._unset_keepalive_if_required()  # which uvicorn forgets of one that was broken off
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        # Until the first request uvicorn has None here, whatever it declares.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _take_at_once(self, n_bytes: int) -> None:
        self.transport.max_size = n_bytes  # type: ignore[attr-defined]  # every transport of a selector loop has it

    def _expect_request(self) -> None:
        has_begun = bool(self.conn.trailing_data[0])
        self._is_idle = not has_begun
        self._expect_within(self.proxy_idle_s if self._is_proxys and self._is_idle else self.request_head_s)

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expect_reading(self) -> None:
        self._expect_no_reading()
        self._reading = self.loop.call_later(self.answer_read_s, self._give_up_on_reader)

    def _expect_no_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _give_up_on_reader(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()


def _has_large_body(cycle: RequestResponseCycle) -> bool:
    declared = dict(cycle.scope["headers"]).get(b"content-length", b"")
    return declared.isdigit() and int(declared) > LARGE_BODY_BYTES
