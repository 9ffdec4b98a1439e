"""Everything around jobs, simulated: people, two Brains on one real database, a unit, their clock, and bad weather.

    report = Simulation(folder, seed=7, n_jobs=100).run()

Nothing here runs beside anything else: what happens, and in which order, follows from the seed, the ends of Brains in
mid-work included. So what fails once fails again.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import func, select

from bench import BRAIN_URL, Bench, Died, task_of
from cloudmr.compute.base import ExecutionRequest
from cloudmr.database.base import Transaction
from cloudmr.database.tables import jobs, unit_care
from cloudmr.errors import CallbackRefused, Conflict, DatabaseUnavailable, UnitUnavailable
from cloudmr.model.data_files import DataFile
from cloudmr.model.documents import failed_prefix, results_prefix
from cloudmr.model.events import JobAction
from cloudmr.model.findings import Finding
from cloudmr.model.jobs import END_STATES, MAX_ATTEMPTS, TRANSITIONS, Job, JobState
from cloudmr.model.limits import Limits
from cloudmr.model.people import Caller
from cloudmr.model.permissions import Permission
from cloudmr.model.unit_health import LONGEST_ILL_PERIOD
from cloudmr.probes.memory import MemoryProbe
from cloudmr.services.brain import Brain, UnitLink
from cloudmr.services.cancel_job import cancel_job
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.hear_unit import hand_out_document, hear_report
from cloudmr.services.reconcile_jobs import reconcile_jobs, recover_jobs
from cloudmr.services.submit_job import JobOrder, submit_job
from cloudmr.services.verify_unit import verify_units
from cloudmr.storage.base import Bucket
from faulty_unit import FaultyUnit, Unanswered
from mortal_brain import MortalCompute, MortalDatabase
from mroptimum.errors import Explanation
from timetable import Timetable
from weather import CLEAR, STORM, Weather

Answer = TypeVar("Answer")
JOBS_EACH = 20
N_SLOTS = 12
LONGEST_WORK_S = 400
DEADLINE = timedelta(hours=6)
"""Of one attempt, as it is reckoned for a small file."""
_CHECK_PERIOD = timedelta(minutes=3)
"""Longer than it is by default: the hours until a deadline are many looks."""
_SLOW_STEP = timedelta(minutes=2)
"""So long a step of a Brain may take, while the world goes on."""
_ACTIVE = (JobState.DISPATCHED, JobState.RUNNING)
_TICKS_S = (1, 20)
_A_JOB_EVERY_S = 15
_RESULT = {
    "info.json": b"{}",
    "package.zip": b"PK",
    "manifest.json": b'{"schema": 1, "outputs": [{"path": "info.json", "size_bytes": 2}]}',
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a simulation came to."""

    seed: int
    n_jobs: int
    n_deaths: int
    n_refused_messages: int
    ends: dict[str, int]
    n_retried: int
    storm_s: float
    settled_s: float
    """How long after the storm the last job ended."""


class FaultyProbe:
    """The look at the unit, where it answers."""

    def __init__(self, probe: MemoryProbe, reach: Callable[[], None]) -> None:
        self._probe = probe
        self._reach = reach

    def look(self) -> Sequence[Finding]:
        self._reach()
        return self._probe.look()

    def permissions(self) -> Sequence[Permission]:
        self._reach()
        return self._probe.permissions()


class Simulation:
    """One run. `n_brains` share one database, and die and come back one by one."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        n_jobs: int,
        n_brains: int = 2,
        storm: Weather = STORM,
        database_url: str = "",
    ) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._n_jobs = n_jobs
        self._storm = storm
        self._weather = CLEAR
        limits = Limits(n_slots=N_SLOTS, n_running_each=4, n_queued_each=JOBS_EACH, check_period=_CHECK_PERIOD)
        self._bench = Bench(folder, limits=limits, is_watched=False, database_url=database_url)
        self._timetable = Timetable(self._bench.clock)
        self._unit = FaultyUnit(self._timetable, self._random, self, self)
        self._entropy = Random(seed)
        self._is_over = False
        self._is_overtaken = False
        self._n_deaths = 0
        self._n_refused = 0
        self._accepted: dict[str, str] = {}
        self._brains = [self._open() for _ in range(n_brains)]

    @property
    def _now(self) -> datetime:
        return self._bench.clock.now

    def run(self) -> Report:
        """Let it all happen, and raise `AssertionError` where the guarantee was broken."""
        try:
            return self._run()
        except BaseException as error:
            error.add_note(f"simulation of {self._n_jobs} jobs, seed {self._seed}, at {self._now:%d %H:%M:%S}")
            raise
        finally:
            for brain in self._brains:
                brain.database.close()
            self._bench.close()

    def _run(self) -> Report:
        people = [self._bench.person() for _ in range(-(-self._n_jobs // JOBS_EACH))]
        files = {person.id: self._bench.data_file(person) for person in people}
        self._ask_for_no_proof()
        began = self._now
        self._weather = self._unit.weather = self._storm
        for number in range(self._n_jobs):
            person = people[number % len(people)]
            self._plan_job(
                person, files[person.id], f"order {number}", after_s=self._random.uniform(0, _A_JOB_EVERY_S) * number
            )
        self._timetable.after(0, self._tick)
        self._timetable.after(_A_JOB_EVERY_S * self._n_jobs + LONGEST_WORK_S, self._clear)
        cleared = self._pass_until(lambda: self._is_over)
        n_open = self._n_open()
        # The attempts that were begun run to their deadlines at the latest, and the unit may be silent beyond; a unit
        # that was found ill is looked at again; then whoever waits has a turn.
        patience = MAX_ATTEMPTS * (DEADLINE + self._bench.limits.silence) + LONGEST_ILL_PERIOD
        patience += timedelta(seconds=2 * (n_open // N_SLOTS + 1) * MAX_ATTEMPTS * LONGEST_WORK_S)
        settled = self._pass_until(lambda: not self._n_open(), until=cleared + patience)
        found = self._check()
        return Report(
            seed=self._seed,
            n_jobs=len(found),
            n_deaths=self._n_deaths,
            n_refused_messages=self._n_refused,
            ends=dict(Counter(job.state.value for job in found)),
            n_retried=sum(job.attempt > 1 for job in found),
            storm_s=(cleared - began).total_seconds(),
            settled_s=(settled - cleared).total_seconds(),
        )

    def _ask_for_no_proof(self) -> None:
        """What this unit computes has no numbers."""
        with self._bench.brain.database.write() as transaction:
            care = transaction.unit_care.get(self._bench.local_unit.id)
            assert care is not None
            transaction.unit_care.put(replace(care, known_answer_at=self._now + timedelta(days=1000)))

    # Time

    def _pass_until(self, is_reached: Callable[[], bool], *, until: datetime | None = None) -> datetime:
        while not is_reached():
            assert until is None or self._now <= until, f"{self._n_open()} jobs have not ended {self._now - until} late"
            self._timetable.let_next_happen()
        return self._now

    def _clear(self) -> None:
        self._is_over = True
        self._weather = self._unit.weather = CLEAR

    def _tick(self) -> None:
        """One of the Brains does what it does without being asked; when it found nothing to do, time may pass."""
        brain = self._random.randrange(len(self._brains))
        n_done = self._at(brain, self._round, otherwise=1)
        self._check_slots()
        self._timetable.after(self._random.uniform(*_TICKS_S) if n_done else self._idle_s(), self._tick)

    def _idle_s(self) -> float:
        soonest = min(filter(None, (self._timetable.next_at, self._next_look())), default=self._now)
        return max(1.0, (soonest - self._now).total_seconds())

    @staticmethod
    def _round(brain: Brain) -> int:
        return verify_units(brain) + dispatch_jobs(brain) + reconcile_jobs(brain)

    # Brains

    def _open(self) -> Brain:
        compute = MortalCompute(self._unit, self._moment)
        probe = FaultyProbe(self._bench.probe, self._reach_unit)
        link = UnitLink(storage=self, compute=compute, probe=probe, brain_url=BRAIN_URL)
        return replace(
            self._bench.brain,
            database=MortalDatabase(self._bench.database_url, self._moment),
            connect=lambda _: link,
            entropy=self._entropy.randbytes,
        )

    def _moment(self, is_in_transaction: bool) -> None:
        """A Brain could die here, or another one be faster."""
        weather = self._weather
        if weather.strikes(self._random, weather.brain_dies):
            raise Died
        if is_in_transaction or self._is_overtaken:
            return
        if weather.strikes(self._random, weather.database_is_away):
            raise DatabaseUnavailable("The database does not answer.", "Try again.")
        if weather.strikes(self._random, weather.world_goes_on):
            self._is_overtaken = True
            try:
                self._go_on()
            finally:
                self._is_overtaken = False

    def _go_on(self) -> None:
        next_at = self._timetable.next_at
        if next_at is not None and next_at <= self._now + _SLOW_STEP and self._random.random() < 0.7:
            self._timetable.let_next_happen()
        else:
            self._at(self._random.randrange(len(self._brains)), self._round, otherwise=0)

    def _at(self, number: int, work: Callable[[Brain], Answer], *, otherwise: Answer) -> Answer:
        try:
            return self._ask(number, work)
        except Unanswered:
            return otherwise

    def _ask(self, number: int, work: Callable[[Brain], Answer]) -> Answer:
        """Have a Brain do something; one that dies over it is started anew."""
        try:
            return work(self._brains[number])
        except DatabaseUnavailable as error:
            raise Unanswered from error
        except Died as died:
            self._n_deaths += 1
            self._brains[number].database.close()
            self._brains[number] = self._open()
            self._at(number, recover_jobs, otherwise=0)
            raise Unanswered from died

    def _anybody(self, work: Callable[[Brain], Answer]) -> Answer:
        return self._ask(self._random.randrange(len(self._brains)), work)

    # People

    def _plan_job(self, person: Caller, data_file: DataFile, key: str, *, after_s: float) -> None:
        order = JobOrder(document={"task": task_of(data_file)}, idempotency_key=key)
        self._timetable.after(after_s, lambda: self._submit(person, order))
        if self._random.random() < 0.1:  # a double click
            self._timetable.after(after_s + self._random.uniform(0, 60), lambda: self._submit(person, order))

    def _submit(self, person: Caller, order: JobOrder) -> None:
        key = order.idempotency_key
        assert key is not None
        try:
            job = self._anybody(lambda brain: submit_job(brain, person, order))
        except Unanswered:
            self._timetable.after(5, lambda: self._submit(person, order))
            return
        assert self._accepted.setdefault(key, job.id) == job.id, "one order became two jobs"
        if self._random.random() < 0.15:
            after_s = self._random.uniform(0, 600)
            self._timetable.after(after_s, lambda: self._cancel(person, job.id))

    def _cancel(self, person: Caller, job_id: str) -> None:
        try:
            self._anybody(lambda brain: cancel_job(brain, person, job_id))
        except Unanswered:
            self._timetable.after(5, lambda: self._cancel(person, job_id))
        except Conflict as refused:
            if refused.instance_code != "job_ended":
                raise

    # What the unit reaches of the Brains

    def hand_out_document(self, job_id: str, attempt: int, headers: dict[str, str]) -> None:
        self._anybody(lambda brain: hand_out_document(brain, job_id, attempt, headers))

    def hear(self, job_id: str, body: bytes, headers: dict[str, str], *, is_genuine: bool) -> None:
        try:
            self._anybody(lambda brain: hear_report(brain, job_id, body, headers))
        except CallbackRefused:
            assert not is_genuine, "a genuine message was refused"
            self._n_refused += 1
        else:
            assert is_genuine, "a forged message was taken"

    # The unit's buckets, for workers and for the Brains

    def leave_result(self, request: ExecutionRequest, *, is_whole: bool) -> None:
        files = dict(_RESULT)
        if not is_whole:
            del files[self._random.choice(sorted(files))]
        self._put(Bucket.RESULTS, results_prefix(request.job_id, request.attempt), files)

    def leave_failure(self, request: ExecutionRequest, error: Explanation) -> None:
        files = {"error.json": json.dumps(error).encode(), "package.zip": b"PK", "manifest.json": b'{"outputs": []}'}
        self._put(Bucket.FAILED, failed_prefix(request.job_id, request.attempt), files)

    def _put(self, bucket: Bucket, prefix: str, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            source = self._bench.folder / "outgoing"
            source.write_bytes(content)
            self._bench.storage.put(bucket, f"{prefix}/{name}", source)

    def __getattr__(self, name: str) -> Any:
        """Be the storage that the Brains see."""
        if name.startswith("_"):
            raise AttributeError(name)
        self._reach_unit()
        return getattr(self._bench.storage, name)

    def _reach_unit(self) -> None:
        if self._weather.strikes(self._random, self._weather.storage_is_away):
            raise UnitUnavailable("The bucket does not answer.", "Check the unit.")

    # What must be true

    def _n_open(self) -> int:
        return self._count(jobs.c.state.not_in(END_STATES))

    def _check_slots(self) -> None:
        n_active = self._count(jobs.c.state.in_(_ACTIVE))
        assert n_active <= N_SLOTS, f"{n_active} jobs have {N_SLOTS} slots"

    def _count(self, condition: Any) -> int:
        with self._bench.brain.database.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(jobs).where(condition)).scalar_one()

    def _next_look(self) -> datetime | None:
        a_job = select(func.min(jobs.c.check_at, type_=jobs.c.check_at.type)).where(jobs.c.state.not_in(END_STATES))
        the_unit = select(func.min(unit_care.c.check_at, type_=unit_care.c.check_at.type))
        with self._bench.brain.database.engine.connect() as connection:
            return min(
                filter(None, (connection.execute(look).scalar_one() for look in (a_job, the_unit))), default=None
            )

    def _check(self) -> list[Job]:
        """Every accepted job has exactly one end, and a true one."""
        with self._bench.brain.database.read() as transaction:
            ids = [row.id for row in transaction.jobs._connection.execute(select(jobs.c.id))]
            found = [job for job in map(transaction.jobs.get, ids) if job is not None]
            for job in found:
                check_history(job, transaction)
        assert {job.id for job in found} == set(self._accepted.values()), (
            "a job nobody was told of, or one that is lost"
        )
        assert len(found) == self._n_jobs
        for job in found:
            self._check_truth(job)
        return found

    def _check_truth(self, job: Job) -> None:
        match job.state:
            case JobState.SUCCEEDED:
                prefix = results_prefix(job.id, job.attempt)
                left = {info.key.removeprefix(prefix) for info in self._bench.storage.list(Bucket.RESULTS, prefix)}
                assert left == {f"/{name}" for name in _RESULT}, "a success without all its results"
            case JobState.CANCELLED:
                assert job.cancel_requested_at is not None
            case _:
                assert job.failure is not None
                assert job.failure.code in self._unit.causes[job.id], "nothing of the kind happened to it"


def check_history(job: Job, transaction: Transaction) -> None:
    """A job's events are an unbroken chain of steps that exist, with one end, and one event for each version."""
    events = transaction.jobs.events(job.id)
    steps = [(event.old, event.new) for event in events if event.new is not None]
    assert steps[0] == (None, JobState.QUEUED)
    for (_, before), (old, new) in itertools.pairwise(steps):
        assert old is before is not None
        assert new in TRANSITIONS[old]
    assert [event.number for event in events] == list(range(1, job.version + 1))
    assert [event.action for event in events].count(JobAction.ENDED) == 1
    assert steps[-1][1] is job.state in END_STATES
