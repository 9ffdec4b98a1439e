"""What h11 keeps of a connection until it is understood: bodies are handed on as they are, not copied out of it twice.

`h11.Connection` has no public place for it, so it lies on the versions of h11 that `pyproject.toml` allows.
"""

from __future__ import annotations

from h11 import Connection
from h11._receivebuffer import ReceiveBuffer


class WholeBuffer(ReceiveBuffer):
    """h11's own, but for the case that all it holds is asked for: the parts of uploads pass through it."""

    def maybe_extract_at_most(self, count: int) -> bytearray | None:
        """Return what there is, no more than `count` bytes, None if there is nothing."""
        if not 0 < len(self._data) <= count:
            return super().maybe_extract_at_most(count)
        content, self._data = self._data, bytearray()
        self._next_line_search = self._multiple_lines_search = 0
        return content


def hand_on_whole(connection: Connection) -> None:
    """Let a connection that has received nothing yet use it."""
    assert not connection.trailing_data[0]
    connection._receive_buffer = WholeBuffer()  # noqa: SLF001  # see above
