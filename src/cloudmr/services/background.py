"""What the Brain does without being asked: rounds in threads of their own, woken early by an alarm."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from cloudmr.errors import DatabaseUnavailable
from cloudmr.services.brain import Brain
from cloudmr.services.delete_account import clear_deleted_accounts
from cloudmr.services.deliver_messages import deliver_messages
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.expire import expire
from cloudmr.services.purge import purge_data, purge_results
from cloudmr.services.reconcile_jobs import reconcile_jobs, recover_jobs
from cloudmr.services.regions import purge_regions
from cloudmr.services.tidy import tidy
from cloudmr.services.verify_unit import verify_units
from cloudmr.services.warn_of_expiry import warn_of_expiry

Chore = Callable[[], object]
"""Something to be done now and then."""

_log = logging.getLogger(__name__)
_EVERY_S = 1.0
"""How long a round waits for its alarm; jobs say in the database when they are due."""
_PAUSE_S = 0.05
"""Between two rounds: one alarm is heard at once, a hundred of them in a row are two rounds and not a hundred."""
_TIDY_EVERY_S = 3600.0
_TIDIED = timedelta(minutes=55)
"""For so long after one Brain tidied up, no other does; less than an hour, so that it is not late for its own round."""


@contextmanager
def background(brain: Brain, *, chores: Sequence[Chore] = ()) -> Iterator[None]:
    """Dispatch and reconcile while the block runs; what a former Brain left open is taken up first.

    `chores` are done every hour, beside the Brain's own, by one of the Brains on this database.
    """
    recover_jobs(brain)
    stopping = threading.Event()
    tidying = threading.Event()
    rounds = [
        _Round(alarm=brain.dispatch_alarm, every_s=_EVERY_S, work=[partial(dispatch_jobs, brain)]),
        _Round(
            alarm=brain.check_alarm,
            every_s=_EVERY_S,
            work=[partial(reconcile_jobs, brain), partial(purge_data, brain), partial(purge_regions, brain)],
        ),
        # A round of its own: a unit that does not answer takes its time to say so, and jobs are not to wait for it.
        _Round(alarm=brain.unit_alarm, every_s=_EVERY_S, work=[partial(verify_units, brain)]),
        _Round(alarm=brain.outbox_alarm, every_s=_EVERY_S, work=[partial(deliver_messages, brain)]),
        _Round(
            alarm=tidying,
            every_s=_TIDY_EVERY_S,
            work=[
                partial(tidy, brain),
                partial(clear_deleted_accounts, brain),
                partial(warn_of_expiry, brain),
                partial(expire, brain),
                partial(purge_results, brain),
                *chores,
            ],
            is_ours=partial(_claim, brain, "tidy", kept_from_others=_TIDIED),
        ),
    ]
    threads = [threading.Thread(target=each.go, args=(stopping,), name="cloudmr-background") for each in rounds]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for each in rounds:
            each.alarm.set()
        for thread in threads:
            thread.join()


def _claim(brain: Brain, name: str, *, kept_from_others: timedelta) -> bool:
    now = brain.now()
    with brain.database.write() as transaction:
        return transaction.chores.claim(name, now=now, until=now + kept_from_others)


def _everybody() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class _Round:
    """Work that is done again and again: when the alarm rings, and otherwise every so many seconds.

    `is_ours` tells whether this Brain is to do it this time.
    """

    alarm: threading.Event
    every_s: float
    work: Sequence[Chore]
    is_ours: Callable[[], bool] = _everybody

    def go(self, stopping: threading.Event) -> None:
        while True:
            if _outcome(self.is_ours):
                for chore in self.work:
                    _outcome(chore)
            stopping.wait(_PAUSE_S)
            self.alarm.wait(self.every_s)
            # Cleared before the work, so that an alarm that rings meanwhile brings another round.
            self.alarm.clear()
            if stopping.is_set():
                return


def _outcome(work: Callable[[], object]) -> object:
    try:
        return work()
    except DatabaseUnavailable:
        return None  # said already, where it was found
    except Exception:
        # A round that failed must not be the last.
        _log.exception("background work failed")
        return None
