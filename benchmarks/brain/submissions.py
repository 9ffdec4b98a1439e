"""Submissions a second: jobs asked for over HTTP with a token, answered when they are on the disk.

The same client asks either server, in turns, through one kept connection and through several at once. Nothing runs:
Prefect has no worker, and our unit's one place is taken by a job that stands still. Each has a database of its own on
one PostgreSQL server with the settings it comes with (`fsync`, `synchronous_commit` and `full_page_writes` on).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.brain.contender import Connection, Contender, new_key

ROUNDS = 3
CLIENTS = (1, 8)
N_SUBMISSIONS = 80
_WARM_UP = 20


@dataclass(frozen=True, kw_only=True)
class Submitting:
    """How fast a server takes jobs from so many clients at once: the medians of the rounds.

    `cores_ms` is the core time of server and database for each job, which a busy machine changes little.
    """

    name: str
    n_clients: int
    per_second: float
    median_ms: float
    p95_ms: float
    cores_ms: float


def measure(contenders: Sequence[Contender]) -> list[Submitting]:
    """Measure them in turns."""
    for contender in contenders:
        _submit(contender, _WARM_UP, n_clients=1)
    found: dict[tuple[str, int], list[Submitting]] = {}
    for _ in range(ROUNDS):
        for n_clients in CLIENTS:
            for contender in contenders:
                found.setdefault((contender.name, n_clients), []).append(_round(contender, n_clients))
    return [_middle(rounds) for rounds in found.values()]


def _round(contender: Contender, n_clients: int) -> Submitting:
    cores_s, began_s = contender.cores_s(), time.perf_counter()
    took_s = _submit(contender, N_SUBMISSIONS, n_clients=n_clients)
    lasted_s = time.perf_counter() - began_s
    return Submitting(
        name=contender.name,
        n_clients=n_clients,
        per_second=len(took_s) / lasted_s,
        median_ms=1e3 * statistics.median(took_s),
        p95_ms=1e3 * statistics.quantiles(took_s, n=20)[-1],
        cores_ms=1e3 * (contender.cores_s() - cores_s) / len(took_s),
    )


def _submit(contender: Contender, n_jobs: int, *, n_clients: int) -> list[float]:
    def some(n: int) -> list[float]:
        connection = Connection(contender.host, contender.port)
        took_s = []
        for _ in range(n):
            request = contender.submission(new_key())
            began_s = time.perf_counter()
            contender.job_id(connection.ask(request))
            took_s.append(time.perf_counter() - began_s)
        connection.close()
        return took_s

    with ThreadPoolExecutor(n_clients) as threads:
        parts = list(threads.map(some, [n_jobs // n_clients] * n_clients))
    return [seconds for part in parts for seconds in part]


def _middle(rounds: Sequence[Submitting]) -> Submitting:
    def median(name: str) -> float:
        return float(statistics.median(getattr(each, name) for each in rounds))

    return Submitting(
        name=rounds[0].name,
        n_clients=rounds[0].n_clients,
        per_second=median("per_second"),
        median_ms=median("median_ms"),
        p95_ms=median("p95_ms"),
        cores_ms=median("cores_ms"),
    )
