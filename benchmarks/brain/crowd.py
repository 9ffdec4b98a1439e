"""A crowd on one Brain: 200 people look at jobs, half by asking again and again, half on a stream; 50 submit meanwhile.

Nothing runs, so that the machine is the Brain's and the crowd's. Streams follow jobs in the queue, which are cancelled
one after the other towards the end: told is how long that takes from the request to the last word on the stream. All
of it from this machine, for some seconds, and with a limit on everything.
"""

from __future__ import annotations

import http.client
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from benchmarks.brain.contender import TIMEOUT_S, Connection, Request, new_key
from benchmarks.brain.ours import OwnBrain

N_ASKING, N_FOLLOWING, N_SUBMITTING = 100, 100, 50
ASK_EVERY_S, SUBMIT_EVERY_S = 5.0, 10.0
LASTS_S = 40.0
COMING_S = 10.0
"""In which all open their streams."""
_CANCEL_FROM = 0.5
"""Of the time: from then on jobs on streams are cancelled."""


@dataclass(frozen=True, kw_only=True)
class Waited:
    """How long one kind of thing took, and how often it went wrong."""

    what: str
    n: int
    n_errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def spread(self) -> float:
        """How many times the middle one of a hundred waits."""
        return self.p99_ms / self.p50_ms


@dataclass
class _Tally:
    took_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def timed(self) -> Iterator[None]:
        began_s = time.perf_counter()
        try:
            yield
        except Exception as error:
            self.went_wrong(error)
        else:
            self.took(time.perf_counter() - began_s)

    def took(self, seconds: float) -> None:
        with self.lock:
            self.took_s.append(seconds)

    def went_wrong(self, error: object) -> None:
        with self.lock:
            self.errors.append(repr(error))

    def summary(self, what: str) -> Waited:
        cuts = statistics.quantiles(self.took_s, n=100, method="inclusive")
        return Waited(
            what=what,
            n=len(self.took_s),
            n_errors=len(self.errors),
            p50_ms=1e3 * cuts[49],
            p95_ms=1e3 * cuts[94],
            p99_ms=1e3 * cuts[98],
        )


def measure(brain: OwnBrain, *, lasts_s: float = LASTS_S) -> list[Waited]:
    """Let the crowd in, and return how long it waited for what. Jobs must wait for their turn (`occupy`)."""
    connection = Connection(brain.host, brain.port)
    followed = [brain.job_id(connection.ask(brain.submission(new_key()))) for _ in range(max(N_FOLLOWING, N_ASKING))]
    connection.close()
    asking, submitting, following, told = _Tally(), _Tally(), _Tally(), _Tally()
    ends_s = time.monotonic() + lasts_s
    cancelled_at_s: dict[str, float] = {}
    numbers = count()

    def every(seconds: float, request: Callable[[int], Request], tally: _Tally) -> None:
        number = next(numbers)
        mine = Connection(brain.host, brain.port)
        time.sleep(seconds * random.random())
        while time.monotonic() < ends_s:
            due_s = time.monotonic() + seconds
            with tally.timed():
                mine.ask(request(number))
            time.sleep(max(0.0, due_s - time.monotonic()))
        mine.close()

    def follow(job_id: str) -> None:
        stream = http.client.HTTPConnection(brain.host, brain.port, timeout=lasts_s + TIMEOUT_S)
        time.sleep(COMING_S * random.random())
        began_s, is_first = time.perf_counter(), True
        try:
            stream.request("GET", f"/api/job/{job_id}/events", headers=dict(brain.headers))
            for line in stream.getresponse():
                if is_first:
                    following.took(time.perf_counter() - began_s)
                    is_first = False
                if line.startswith(b"event: end"):
                    told.took(time.perf_counter() - cancelled_at_s[job_id])
                    return
            told.went_wrong("the stream ended without a last word")
        except Exception as error:
            told.went_wrong(error)
        finally:
            stream.close()

    def cancel() -> None:
        mine = Connection(brain.host, brain.port)
        time.sleep(lasts_s * _CANCEL_FROM)
        pause_s = lasts_s * (1 - _CANCEL_FROM) / N_FOLLOWING
        for job_id in followed[:N_FOLLOWING]:
            cancelled_at_s[job_id] = time.perf_counter()
            mine.ask(Request(method="POST", path=f"/api/job/{job_id}/cancel", headers=brain.headers))
            time.sleep(pause_s)
        mine.close()

    with ThreadPoolExecutor(N_ASKING + N_FOLLOWING + N_SUBMITTING + 1) as crowd:
        done = [crowd.submit(follow, job_id) for job_id in followed[:N_FOLLOWING]]
        done += [
            crowd.submit(every, ASK_EVERY_S, lambda n: brain.look(followed[n % len(followed)]), asking)
            for _ in range(N_ASKING)
        ]
        done += [
            crowd.submit(every, SUBMIT_EVERY_S, lambda _: brain.submission(new_key()), submitting)
            for _ in range(N_SUBMITTING)
        ]
        done.append(crowd.submit(cancel))
        for each in done:
            each.result()
    for error in sorted({*asking.errors, *submitting.errors, *told.errors})[:5]:
        print(f"  {error}")
    return [
        asking.summary(f"{N_ASKING} ask for a job every {ASK_EVERY_S:g} s"),
        following.summary(f"{N_FOLLOWING} open a stream"),
        told.summary("and are told of a job's end"),
        submitting.summary(f"{N_SUBMITTING} submit every {SUBMIT_EVERY_S:g} s"),
    ]


def as_lines(rows: Sequence[Waited]) -> str:
    """Return them as text."""
    return "\n".join(
        f"{row.what:34} {row.n:6} times, {row.n_errors} errors  p50 {row.p50_ms:7.1f}  p95 {row.p95_ms:7.1f}  "
        f"p99 {row.p99_ms:7.1f} ms  p99/p50 {row.spread:5.2f}"
        for row in rows
    )
