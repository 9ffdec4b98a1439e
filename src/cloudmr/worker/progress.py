"""Progress on its way to the Brain: the latest only, not too often, and never in the way of the computation."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from mroptimum.journal import Progress

_INTERVAL_S = 0.25
_LAST_WORDS_S = 5.0
_log = logging.getLogger(__name__)


class ProgressReporter:
    """Sends reports from a thread of its own. What comes faster than it may go out is passed over, but not the last.

    A context manager: on leaving, the last report is sent, unless the Brain takes more than seconds to hear it.
    """

    def __init__(self, send: Callable[[Progress], None], *, interval_s: float = _INTERVAL_S) -> None:
        self._send = send
        self._interval_s = interval_s
        self._latest: Progress | None = None
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(_LAST_WORDS_S)

    def report(self, progress: Progress) -> None:
        """Take a report; returns at once and cannot fail."""
        with self._changed:
            self._latest = progress
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._latest is not None or self._is_closing)
                progress, self._latest = self._latest, None
            if progress is None:
                return
            try:
                self._send(progress)
            except httpx.HTTPError as error:
                _log.info("a progress report was not heard: %s", type(error).__name__)
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing, self._interval_s)
