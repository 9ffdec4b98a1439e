"""How the Brain's answers about jobs take longer as jobs become more: they should not.

    python -m benchmarks.brain_scale [--json] [N …]

For each number of jobs a database of its own is filled (most jobs ended, of a few hundred people; one person has a
tenth of all; a queue of 200 waits), and the services behind the list of jobs, one job and the quota are timed: on
SQLite in processor time, on PostgreSQL by the clock, since it works in processes of its own. Shown are the 95th
percentiles, and their ratio to those of the smallest number.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import insert, text

from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.migrate import migrate
from cloudmr.database.tables import accounts, job_events, jobs
from cloudmr.errors import UnitUnavailable
from cloudmr.model.events import JobAction
from cloudmr.model.ids import Kind, new_id
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import JobState
from cloudmr.model.people import AccountStatus, Caller
from cloudmr.model.units import ComputingUnit
from cloudmr.services.brain import Brain, UnitLink
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.jobs import get_job, list_jobs
from cloudmr.services.passwords import Passwords
from cloudmr.services.provide_local_unit import provide_local_unit
from cloudmr.services.quotas import get_quota
from postgres_server import postgres_server

NUMBERS = (1_000, 200_000)
N_PEOPLE = 300
N_WAITING = 200
N_BATCHES = 5
N_ROUNDS = 60
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_AT_ONCE = 2000


@dataclass(frozen=True)
class Answered:
    """How long a question took among so many jobs: median and 95th percentile, and the ratio of the latter."""

    database: str
    question: str
    n_jobs: int
    median_ms: float
    p95_ms: float
    ratio: float


def fill(database: Database, unit_id: str, n_jobs: int) -> list[str]:
    """Fill a database with people and jobs, and return the people, the busiest first."""
    chance = random.Random(0)
    people = [new_id(Kind.USER, now=_BEGUN) for _ in range(N_PEOPLE)]
    with database.connect_to_write() as connection:
        connection.execute(insert(accounts), [_person(person) for person in people])
    step = (_NOW - _BEGUN) / n_jobs
    for first in range(0, n_jobs, _AT_ONCE):
        rows = []
        for number in range(first, min(first + _AT_ONCE, n_jobs)):
            owner = people[0] if number % 10 == 0 else chance.choice(people[1:])
            is_waiting = number >= n_jobs - N_WAITING
            rows.append(
                _job(owner, unit_id, _BEGUN + number * step, JobState.QUEUED if is_waiting else JobState.SUCCEEDED)
            )
        with database.connect_to_write() as connection:
            connection.execute(insert(jobs), rows)
            connection.execute(insert(job_events), [_event(row) for row in rows])
    return people


def _person(account_id: str) -> dict[str, object]:
    return {
        "id": account_id,
        "email": f"{account_id}@example.org",
        "password_hash": "x",
        "status": AccountStatus.ACTIVE,
        "is_admin": False,
        "created_at": _BEGUN,
    }


def _job(owner: str, unit_id: str, at: datetime, state: JobState) -> dict[str, object]:
    job_id = new_id(Kind.JOB, now=at)
    has_ended = state is JobState.SUCCEEDED
    document = {
        "job_id": job_id,
        "app_name": "MR Optimum",
        "alias": "a job",
        "task": {},
        "output": {},
        "inputs": [],
        "computing_unit": {"id": unit_id, "mode": "mode_1", "provider": "cloudmrhub"},
    }
    return {
        "id": job_id,
        "owner_id": owner,
        "unit_id": unit_id,
        "app_name": "MR Optimum",
        "alias": "AC SENSE",
        "state": state,
        "version": 1,
        "attempt": int(has_ended),
        "document": json.dumps(document),
        "unit_reason": "It is the shared unit.",
        "created_at": at,
        "deadline_at": _NOW + timedelta(days=7),
        "check_at": _NOW + timedelta(days=7),
        "dispatched_at": at if has_ended else None,
        "started_at": at if has_ended else None,
        "ended_at": at + timedelta(seconds=10) if has_ended else None,
        "expires_at": _NOW + timedelta(days=30) if has_ended else None,
        "kind": "ac sense",
        "estimate_memory_bytes": 1,
        "estimate_cpu_time_s": 1,
        "estimate_disk_bytes": 1,
        "estimate_deadline_s": 1,
        "estimate_basis": "",
        "forecast_seconds": 10.0,
        "forecast_memory_bytes": 1,
        "forecast_output_bytes": 1,
        "forecast_price_microdollars": 0,
        "actual_seconds": 10.0 if has_ended else None,
        "actual_price_microdollars": 0 if has_ended else None,
        "result_size_bytes": 1 if has_ended else None,
        "result_n_files": 1 if has_ended else None,
        "result_manifest_sha256": "0" * 64 if has_ended else None,
    }


def _event(row: dict[str, object]) -> dict[str, object]:
    return {
        "job_id": row["id"],
        "number": 1,
        "at": row["created_at"],
        "actor": row["owner_id"],
        "action": JobAction.SUBMITTED,
        "reason": "It is the shared unit.",
        "new": JobState.QUEUED,
    }


def measure(n_jobs: int, database_url: str, clock: Callable[[], float]) -> dict[str, tuple[float, float]]:
    """Return median and 95th percentile in milliseconds of each question among so many jobs."""
    database = Database(make_engine(database_url))
    migrate(database)
    brain = Brain(
        database=database,
        connect=_no_unit,
        passwords=Passwords(PasswordHasher.from_parameters(CHEAPEST)),
        secret_key=b"0" * 32,
        now=lambda: _NOW,
    )
    people = fill(database, provide_local_unit(brain).id, n_jobs)
    if database.engine.dialect.name == "postgresql":
        with database.connect_to_write() as connection:
            connection.execute(text("ANALYZE"))  # as it does by itself, later; SQLite never does
    busiest = Caller(id=people[0], is_admin=False, token_id="token")
    ended = list_jobs(brain, busiest, JobFilter(states=(JobState.SUCCEEDED,)), limit=200)
    waiting = list_jobs(brain, busiest, JobFilter(states=(JobState.QUEUED,)), limit=200)
    chance = random.Random(1)
    questions: dict[str, Callable[[], object]] = {
        "list of 50": lambda: list_jobs(brain, busiest, limit=50),
        "list of 50, in the middle": lambda: list_jobs(brain, busiest, limit=50, before=ended[len(ended) // 3].job.id),
        "list of 50 that failed": lambda: list_jobs(brain, busiest, JobFilter(states=(JobState.FAILED,)), limit=50),
        "one ended job": lambda: get_job(brain, busiest, chance.choice(ended).job.id),
        "one waiting job, with its place": lambda: get_job(brain, busiest, chance.choice(waiting).job.id),
        "quota": lambda: get_quota(brain, busiest),
        "one round of the dispatcher": lambda: dispatch_jobs(brain),
    }
    found = {name: _timed(question, clock) for name, question in questions.items()}
    database.close()
    return found


def _no_unit(_: ComputingUnit) -> UnitLink:
    raise UnitUnavailable("There is none here.", "Do not ask.")


def _timed(question: Callable[[], object], clock: Callable[[], float]) -> tuple[float, float]:
    """Return median and 95th percentile of the quietest of a few batches: what else runs here is not the question."""
    question()
    batches = []
    for _ in range(N_BATCHES):
        times = []
        for _ in range(N_ROUNDS):
            started = clock()
            question()
            times.append(1e3 * (clock() - started))
        batches.append((statistics.quantiles(times, n=20)[-1], statistics.median(times)))
    p95_ms, median_ms = min(batches)
    return median_ms, p95_ms


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    numbers = [int(argument) for argument in arguments if argument.isdecimal()] or list(NUMBERS)
    rows: list[Answered] = []
    first: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as folder, postgres_server(is_durable=True) as server:
        for n_jobs in numbers:
            places = {
                "SQLite": (f"sqlite:///{folder}/{n_jobs}.sqlite", time.thread_time),
                "PostgreSQL": (server.create(f"of_{n_jobs}"), time.perf_counter),
            }
            for kind, (url, clock) in places.items():
                for question, (median_ms, p95_ms) in measure(n_jobs, url, clock).items():
                    ratio = p95_ms / first.setdefault((kind, question), p95_ms)
                    rows.append(Answered(kind, question, n_jobs, median_ms, p95_ms, ratio))
    if "--json" in arguments:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        times = f"{row.median_ms:8.2f} ms  p95 {row.p95_ms:8.2f} ms  {row.ratio:5.2f} x"
        print(f"{row.database:10} {row.n_jobs:8}  {row.question:32} {times}")


if __name__ == "__main__":
    main(sys.argv[1:])
