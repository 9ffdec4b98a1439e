"""One look for everybody who follows jobs here: a hundred streams ask the database no more often than one does.

All wake at the same moments; the first of them looks, at all that is followed, and the others wait for what it
saw. Nobody is in charge: whoever goes away in the middle of a look leaves it to the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import anyio
from starlette.concurrency import run_in_threadpool

from cloudmr.services.watch_jobs import Sign

Look = Callable[[Collection[str]], Mapping[str, Sign]]


class JobWatch:
    """The jobs, and people's open jobs, that are followed through one process, and what was last seen of them.

    They are named by the ids of jobs and people. For one event loop.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._followed: Counter[str] = Counter()
        self._signs: Mapping[str, Sign] = {}
        self._looked_at_tick = -1
        self._looking: anyio.Event | None = None

    @contextmanager
    def following(self, what: str) -> Iterator[None]:
        """Count something among what is looked at while the block runs."""
        self._followed[what] += 1
        try:
            yield
        finally:
            self._followed[what] -= 1
            if not self._followed[what]:
                del self._followed[what]

    async def sign(self, what: str, tick: int) -> Sign | None:
        """Return what was seen of something at a moment or later, None for nothing; ticks are numbers of moments.

        Raises what the look raises, for whoever took it.
        """
        while self._looked_at_tick < tick:
            if self._looking is not None:
                await self._looking.wait()
                continue
            self._looking = anyio.Event()
            try:
                self._signs = await run_in_threadpool(self._look, tuple(self._followed))
            finally:
                # Also where it failed: what is out of reach is asked again at the next moment, not by each in turn.
                self._looked_at_tick = max(tick, self._looked_at_tick)
                self._looking.set()
                self._looking = None
        return self._signs.get(what)
