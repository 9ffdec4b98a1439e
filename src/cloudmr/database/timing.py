"""How long statements take, told to whoever counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event

_STARTED = "cloudmr_statement_started"


def time_statements(engine: Engine, tell: Callable[[float], object]) -> None:
    """Have `tell` called with the seconds of every statement that succeeds."""

    def before(connection: Connection, *_: Any) -> None:
        connection.info[_STARTED] = time.perf_counter()

    def after(connection: Connection, *_: Any) -> None:
        tell(time.perf_counter() - connection.info[_STARTED])

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
