"""What happens when, on a clock that jumps from one moment to the next."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from bench import HandClock


class Timetable:
    """Things that will happen, in order; those of one moment in the order they were planned."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self._planned: list[tuple[datetime, int, Callable[[], object]]] = []
        self._numbers = count()

    def after(self, delay_s: float, action: Callable[[], object]) -> None:
        """Plan something."""
        moment = self.clock.now + timedelta(seconds=delay_s)
        heapq.heappush(self._planned, (moment, next(self._numbers), action))

    @property
    def next_at(self) -> datetime | None:
        """When the next thing happens."""
        return self._planned[0][0] if self._planned else None

    def let_next_happen(self) -> None:
        """Move the clock there, unless it is later already, and let it happen."""
        moment, _, action = heapq.heappop(self._planned)
        self.clock.now = max(self.clock.now, moment)
        action()
