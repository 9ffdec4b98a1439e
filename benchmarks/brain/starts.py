"""From submission to start: how long a person waits until their job's own process has it, where nothing is in the way.

One job at a time, the next when the one before has ended. It has started when a process of its own has what it is to
do: with us, when the worker fetched the job's document (`startedAt`), which follows all its imports; with Prefect, when
the flow's process reported `Running` (`start_time`), just before the flow's function is called. The clock runs from
before the request that submits. All clocks are this machine's.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from benchmarks.brain.contender import Connection, Contender, new_key

N_JOBS = 3
_LOOK_EVERY_S = 0.2
_GIVE_UP_S = 120


@dataclass(frozen=True, kw_only=True)
class Starting:
    """How long jobs took to start, in seconds, in order."""

    name: str
    started_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """The median."""
        return statistics.median(self.started_s)


def measure(contender: Contender, name: str, *, n_jobs: int = N_JOBS) -> Starting:
    """Measure so many jobs, after one that does not count."""
    connection = Connection(contender.host, contender.port)
    found = [_started_s(contender, connection) for _ in range(1 + n_jobs)]
    connection.close()
    return Starting(name=name, started_s=tuple(found[1:]))


def _started_s(contender: Contender, connection: Connection) -> float:
    began_s = time.time()
    job_id = contender.job_id(connection.ask(contender.submission(new_key())))
    while time.time() < began_s + _GIVE_UP_S:
        standing = contender.standing(connection.ask(contender.look(job_id)))
        if standing.has_ended and standing.started_at is not None:
            return standing.started_at.timestamp() - began_s
        time.sleep(_LOOK_EVERY_S)
    raise RuntimeError(f"{contender.name}: {job_id} did not end")
