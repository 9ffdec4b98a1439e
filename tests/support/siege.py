"""Real Brains under load, while processes are killed at random: what survives of the jobs that were accepted.

    with postgres_server() as server:
        report = Siege(folder, server, n_jobs=20, n_people=4, seed=1).run()

People submit through either of two Brains on one PostgreSQL. Meanwhile a Brain, a worker, a supervisor or the database
is killed every few seconds, and what does not come back by itself is started again. Which blow falls follows from the
seed; what it hits, from the moment.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
import psutil
from sqlalchemy import func, select

from brain_process import BrainProcess
from cloudmr.cli.left_processes import end_processes_in
from cloudmr.client.answers import DataFile
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import BrainUnreachable, Refused
from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.database.tables import jobs
from cloudmr.errors import DatabaseUnavailable
from cloudmr.model.documents import results_prefix
from cloudmr.model.jobs import END_STATES, JobState
from cloudmr.model.results import MANIFEST
from cloudmr.storage.base import Bucket
from cloudmr.storage.local_objects import LocalObjects
from mroptimum.flags import Flags
from postgres_server import PostgresServer
from simulation import check_history
from small_job import raw_data

PASSWORD = "correct horse battery"
_N_BRAINS = 2
_BLOWS = {"a Brain": 0.4, "a worker": 0.35, "a supervisor": 0.15, "the database": 0.1}
_PROGRAMS = {"a worker": "cloudmr.worker.process", "a supervisor": "cloudmr.compute.supervisor"}
_LOOK_EVERY_S = 0.5
_WORTH_ANOTHER_TRY = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class SiegeReport:
    """What came of it. `n_lost` were accepted and are gone, `n_doubled` are there twice, `n_stuck` have not ended."""

    n_jobs: int
    n_lost: int
    n_doubled: int
    n_stuck: int
    ends: dict[str, int]
    failures: dict[str, int]
    n_retried: int
    blows: dict[str, int]
    duration_s: float
    median_submission_s: float
    slowest_submission_s: float
    calm_rss_mb: tuple[float, float]
    """Memory of a Brain after its first hundred calm requests, and after all of them."""


@dataclass
class _Person:
    email: str
    token: str
    data_file: DataFile
    accepted: dict[str, str] = field(default_factory=dict)
    """The job's id by the key of its order."""
    submissions_s: list[float] = field(default_factory=list)


class Siege:
    """One run."""

    def __init__(
        self,
        folder: Path,
        server: PostgresServer,
        *,
        n_jobs: int,
        n_people: int,
        seed: int,
        blow_every_s: tuple[float, float] = (2, 6),
        limit_s: float = 3600,
        n_calm_requests: int = 300,
    ) -> None:
        self._folder = folder
        self._home = folder / "home"
        self._server = server
        self._n_jobs = n_jobs
        self._n_people = n_people
        self._random = Random(seed)
        self._generator = np.random.default_rng(seed)
        self._blow_every_s = blow_every_s
        self._limit_s = limit_s
        self._n_calm_requests = n_calm_requests
        self._is_over = threading.Event()
        self._blows: Counter[str] = Counter()
        self._database_url = server.create(f"siege_{seed}")
        variables = {
            "DATABASE_URL": self._database_url,
            "CLOUDMR_SLOTS": "2",
            "CLOUDMR_RUNNING_EACH": "2",
            "CLOUDMR_QUEUED_EACH": str(n_jobs),
            "CLOUDMR_MONTHLY_EACH": str(n_jobs),
        }
        self._brains = [BrainProcess(self._home, variables) for _ in range(_N_BRAINS)]

    def run(self) -> SiegeReport:
        """Let it happen, and return what came of it. Raise `AssertionError` for a history that cannot be."""
        began_s = time.monotonic()
        with ExitStack() as stack:
            stack.callback(end_processes_in, self._home, last_words_s=0)
            for brain in self._brains:
                brain.start()
                stack.callback(brain.kill)
            people = self._people()
            with closing(Database(make_engine(self._database_url))) as database:
                with self._under_fire(), ThreadPoolExecutor(self._n_people) as threads:
                    for submitting in [threads.submit(self._submit, person, n) for n, person in enumerate(people)]:
                        submitting.result()
                    self._await(database, most_open=self._n_jobs // 20, until_s=began_s + self._limit_s)
                self._await(database, most_open=0, until_s=began_s + self._limit_s)
                duration_s = time.monotonic() - began_s
                return self._report(database, people, duration_s)

    # People

    def _people(self) -> list[_Person]:
        """Return people with an account and a data file each."""
        scan = raw_data(self._folder / "scan.npz", self._generator)
        found = []
        for number in range(self._n_people):
            with BrainClient(self._brains[number % _N_BRAINS].url, folder=self._folder / "client") as client:
                email = f"person{number}@example.org"
                client.register(email=email, password=PASSWORD)
                token = client.log_in(email=email, password=PASSWORD).access_token
                found.append(_Person(email=email, token=token, data_file=client.upload(scan)))
        return found

    def _submit(self, person: _Person, number: int) -> None:
        random = Random(number)
        document = Flags(method="ac", reconstruction="rss").document(person.data_file.reference, None)
        clients = [
            BrainClient(brain.url, token=person.token, folder=self._folder / f"client-{number}")
            for brain in self._brains
        ]
        with ExitStack() as stack:
            for client in clients:
                stack.enter_context(client)
            for order in range(number, self._n_jobs, self._n_people):
                began_s = time.monotonic()
                while True:
                    try:
                        job = random.choice(clients).submit(document, idempotency_key=f"order {order}")
                    except BrainUnreachable:
                        continue
                    except Refused as refusal:
                        if refusal.status not in _WORTH_ANOTHER_TRY:
                            raise
                        continue
                    break
                person.accepted[f"order {order}"] = job.job_id
                person.submissions_s.append(time.monotonic() - began_s)

    # Blows

    @contextmanager
    def _under_fire(self) -> Iterator[None]:
        with ThreadPoolExecutor(1) as thread:
            striking = thread.submit(self._strike_until_over)
            try:
                yield
            finally:
                self._is_over.set()
                striking.result()

    def _strike_until_over(self) -> None:
        while not self._is_over.wait(self._random.uniform(*self._blow_every_s)):
            [blow] = self._random.choices(list(_BLOWS), list(_BLOWS.values()))
            self._blows[blow] += self._strike(blow)

    def _strike(self, blow: str) -> bool:
        """Strike, and put up again what does not come back by itself; tell whether there was anything to hit."""
        match blow:
            case "a Brain":
                brain = self._random.choice(self._brains)
                brain.kill()
                brain.start()
            case "the database":
                self._server.stop()
                self._server.start()
            case _:
                found = self._processes(_PROGRAMS[blow])
                if not found:
                    return False
                try:
                    self._random.choice(found).kill()
                except psutil.NoSuchProcess:  # it ended by itself, between the look and the blow
                    return False
        return True

    def _processes(self, program: str) -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline", "cwd"])
            if program in (process.info["cmdline"] or []) and str(self._home) in str(process.info)
        ]

    # What came of it

    def _await(self, database: Database, *, most_open: int, until_s: float) -> None:
        pause = threading.Event()
        while time.monotonic() < until_s:
            try:
                with database.read() as transaction:
                    n_open = transaction.jobs._connection.execute(
                        select(func.count()).where(jobs.c.state.not_in(END_STATES))
                    ).scalar_one()
            except DatabaseUnavailable:
                n_open = None
            if n_open is not None and n_open <= most_open:
                return
            pause.wait(_LOOK_EVERY_S)

    def _report(self, database: Database, people: list[_Person], duration_s: float) -> SiegeReport:
        accepted = {job_id for person in people for job_id in person.accepted.values()}
        with database.read() as transaction:
            ids = [row.id for row in transaction.jobs._connection.execute(select(jobs.c.id))]
            found = [job for job in map(transaction.jobs.get, ids) if job is not None]
            for job in found:
                if job.has_ended:
                    check_history(job, transaction)
        storage = LocalObjects(self._home / "storage")
        for job in found:
            if job.state is JobState.SUCCEEDED:
                manifest = f"{results_prefix(job.id, job.attempt)}/{MANIFEST}"
                assert storage.head(Bucket.RESULTS, manifest), f"{job.id} succeeded without results"
        submissions_s = [seconds for person in people for seconds in person.submissions_s]
        return SiegeReport(
            n_jobs=len(accepted),
            n_lost=len(accepted - set(ids)),
            n_doubled=len(set(ids) - accepted),
            n_stuck=sum(not job.has_ended for job in found),
            ends=dict(Counter(job.state.value for job in found)),
            failures=dict(Counter(job.failure.code for job in found if job.failure)),
            n_retried=sum(job.attempt > 1 for job in found),
            blows=dict(self._blows),
            duration_s=duration_s,
            median_submission_s=median(submissions_s),
            slowest_submission_s=max(submissions_s),
            calm_rss_mb=self._calm_rss_mb(people[0]),
        )

    def _calm_rss_mb(self, person: _Person) -> tuple[float, float]:
        """Ask a Brain many times in peace, and return its memory early on and at the end."""
        brain = self._brains[0]
        process = psutil.Process(brain.process.pid)
        first = 0.0
        with BrainClient(brain.url, token=person.token, folder=self._folder / "client") as client:
            for number in range(self._n_calm_requests):
                next(client.jobs(), None)
                if number == min(100, self._n_calm_requests // 2):
                    first = process.memory_info().rss / 1e6
        return first, process.memory_info().rss / 1e6
