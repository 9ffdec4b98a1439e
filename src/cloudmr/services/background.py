"""What the Brain does without being asked: rounds in threads of their own, woken early by an alarm."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cloudmr.services.brain import Brain
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.purge_data import purge_data
from cloudmr.services.reconcile_jobs import reconcile_jobs, recover_jobs

_log = logging.getLogger(__name__)
_EVERY_S = 1.0
"""How long a round waits for its alarm; jobs say in the database when they are due."""


@contextmanager
def background(brain: Brain) -> Iterator[None]:
    """Dispatch and reconcile while the block runs; what a former Brain left open is taken up first."""
    recover_jobs(brain)
    stopping = threading.Event()
    rounds = [
        (brain.dispatch_alarm, lambda: dispatch_jobs(brain)),
        (brain.check_alarm, lambda: (reconcile_jobs(brain), purge_data(brain))),
    ]
    threads = [
        threading.Thread(target=_go_round, args=(alarm, stopping, work), name=f"cloudmr-round-{number}")
        for number, (alarm, work) in enumerate(rounds)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for alarm, _ in rounds:
            alarm.set()
        for thread in threads:
            thread.join()


def _go_round(alarm: threading.Event, stopping: threading.Event, work: Callable[[], object]) -> None:
    while True:
        alarm.wait(_EVERY_S)
        alarm.clear()
        if stopping.is_set():
            return
        try:
            work()
        except Exception:
            # A round that failed, say for a locked database, must not be the last.
            _log.exception("a background round failed")
