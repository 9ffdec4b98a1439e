"""How much of the shared place anybody gets, and how long things may take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

_GB = 10**9


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The numbers an operator may set.

    `n_slots` jobs run at once on the Brain's machine; a person has at most `n_running_each` of them and `n_queued_each`
    waiting. The data files of one person in the shared unit have `max_stored_bytes_each` together, those on their way
    included. They submit at most `n_monthly_each` jobs to it in a calendar month. Inputs are kept for `inputs_kept`
    there, what jobs leave for `results_kept` (None: for ever); what is deleted, or whose time is up, can be brought
    back for `undo`. No job has more memory than `most_memory_bytes`, the share of one slot in the machine; None is no
    limit. A job waits for its turn no longer than `queue_wait`. A unit that does not speak for itself is asked about
    each job every `check_period`; one that stays silent beyond a job's deadline is given up after `silence`.
    """

    n_slots: int = 2
    n_running_each: int = 2
    n_queued_each: int = 20
    n_monthly_each: int = 100
    max_upload_bytes: int = 20 * _GB
    max_stored_bytes_each: int = 20 * _GB
    inputs_kept: timedelta | None = timedelta(days=7)
    results_kept: timedelta | None = timedelta(days=30)
    undo: timedelta = timedelta(days=7)
    most_memory_bytes: int | None = None
    queue_wait: timedelta = timedelta(days=7)
    check_period: timedelta = timedelta(seconds=30)
    silence: timedelta = timedelta(hours=1)
