"""What h11 keeps of a connection until it is understood: no head is longer than it may be, and no body is copied twice.

h11 limits what is incomplete only, so that a head that arrives at once may be as long as what is read at once; and it
cuts what it gives away out of what it holds, twice. `h11.Connection` has no public place for another buffer, so this
lies on the versions of h11 that `pyproject.toml` allows.
"""

from __future__ import annotations

import re

from h11 import Connection, LocalProtocolError
from h11._receivebuffer import ReceiveBuffer

MAX_HEAD_BYTES = 64 * 1024
"""Of a request, or of what follows its body in pieces: many times what browsers send."""
_EMPTY_LINES = (b"\n", b"\r\n")
_BLANK_LINE = re.compile(rb"\n\r?\n")


class LimitedBuffer(ReceiveBuffer):
    """h11's own, but for long heads, and for bodies of which all that is there is asked for, as parts of uploads."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines of a head, None if it is not complete. Raise `LocalProtocolError` where it is too long."""
        is_long = len(self._data) > MAX_HEAD_BYTES and not self._data.startswith(_EMPTY_LINES)
        if is_long and not _BLANK_LINE.search(self._data, 0, MAX_HEAD_BYTES):
            raise LocalProtocolError("the head is too long", error_status_hint=431)
        return super().maybe_extract_lines()

    def maybe_extract_at_most(self, count: int) -> bytearray | None:
        """Return what there is, no more than `count` bytes, None if there is nothing."""
        if not 0 < len(self._data) <= count:
            return super().maybe_extract_at_most(count)
        content, self._data = self._data, bytearray()
        self._next_line_search = self._multiple_lines_search = 0
        return content


def limit_and_hand_on(connection: Connection) -> None:
    """Let a connection that has received nothing yet use it."""
    assert not connection.trailing_data[0]
    connection._receive_buffer = LimitedBuffer()  # noqa: SLF001  # see above
