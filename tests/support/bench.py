"""A Brain on a bench: a real database and real local storage, a unit that does as it is told, a clock set by hand."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import anyio
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import Connection, Engine, QueuePool, event

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState, LogLine
from cloudmr.compute.memory import MemoryCompute
from cloudmr.compute.outcome import Outcome
from cloudmr.database.base import Database
from cloudmr.database.engine import make_engine
from cloudmr.delivery.memory import MemoryCarrier
from cloudmr.model.data_files import DataFile
from cloudmr.model.documents import failed_prefix, results_prefix
from cloudmr.model.ids import Kind
from cloudmr.model.jobs import Job
from cloudmr.model.limits import Limits
from cloudmr.model.messages import MessageKind
from cloudmr.model.people import Caller
from cloudmr.model.tokens import Scope
from cloudmr.model.units import ComputingUnit, Mode, Provider
from cloudmr.probes.memory import MemoryProbe
from cloudmr.services.brain import Brain, UnitLink
from cloudmr.services.dispatch_jobs import dispatch_jobs
from cloudmr.services.hear_unit import hear_report
from cloudmr.services.passwords import Passwords
from cloudmr.services.provide_local_unit import provide_local_unit
from cloudmr.services.register_account import register_account
from cloudmr.services.sessions import authenticate, log_in
from cloudmr.services.submit_job import JobOrder, submit_job
from cloudmr.services.upload_data import complete_upload, start_upload
from cloudmr.storage.base import Bucket
from cloudmr.storage.local import LocalStorage
from databases import database_file
from mroptimum.errors import Explanation

Answer = TypeVar("Answer")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET_KEY = b"0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery"
BRAIN_URL = "http://brain.test"


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class Died(BaseException):
    """The Brain's process ended here: nothing catches it, nothing after it happens."""


@dataclass
class Fate:
    """Lets the Brain die at one of the moments at which that could matter; they are counted from 1."""

    dies_at: int | None = None
    n_moments: int = 0

    def moment(self) -> None:
        self.n_moments += 1
        if self.n_moments == self.dies_at:
            raise Died


class WatchedCompute:
    """Passes calls on to the unit, as long as no database transaction is open; before and after, the Brain may die."""

    def __init__(self, unit: MemoryCompute, database: Database, fate: Fate) -> None:
        self._unit = unit
        self._database = database
        self._fate = fate

    def start(self, request: ExecutionRequest) -> None:
        self._call(lambda: self._unit.start(request))

    def describe(self, name: str) -> Execution:
        return self._call(lambda: self._unit.describe(name))

    def stop(self, name: str) -> None:
        self._call(lambda: self._unit.stop(name))

    def log(self, name: str) -> Sequence[LogLine]:
        return self._call(lambda: self._unit.log(name))

    def _call(self, call: Callable[[], Answer]) -> Answer:
        pool = self._database.engine.pool
        assert isinstance(pool, QueuePool)
        assert pool.checkedout() == 0, "a unit was called inside a transaction"
        self._fate.moment()
        answer = call()
        self._fate.moment()
        return answer


@dataclass
class Bench:
    """Everything around one Brain. `restart` leaves the files, the unit and the clock, and nothing else.

    Without a `database_url` it has a database in its folder.
    """

    folder: Path
    database_url: str = ""
    open_engine: Callable[[str], Engine] = make_engine
    limits: Limits = field(default_factory=Limits)
    clock: HandClock = field(default_factory=HandClock)
    fate: Fate = field(default_factory=Fate)
    is_watched: bool = True
    confirms_addresses: bool = False
    mail: MemoryCarrier = field(default_factory=MemoryCarrier)
    webhooks: MemoryCarrier = field(default_factory=MemoryCarrier)

    def __post_init__(self) -> None:
        self.unit = MemoryCompute(deliver=self.deliver, clock=self.clock)
        self.probe = MemoryProbe(clock=self.clock)
        self.storage = LocalStorage(
            self.folder / "storage", base_url=f"{BRAIN_URL}/objects", secret_key=SECRET_KEY, clock=self.clock
        )
        self.n_people = 0
        self.folder.mkdir(exist_ok=True)
        self.database_url = self.database_url or database_file(self.folder)
        self.brain = self._open()
        self.local_unit = provide_local_unit(self.brain)

    def _open(self) -> Brain:
        database = Database(self.open_engine(self.database_url))
        event.listen(database.engine, "commit", self._committing)
        compute = WatchedCompute(self.unit, database, self.fate) if self.is_watched else self.unit
        return Brain(
            database=database,
            connect=lambda _: UnitLink(storage=self.storage, compute=compute, probe=self.probe, brain_url=BRAIN_URL),
            passwords=Passwords(PasswordHasher.from_parameters(CHEAPEST)),
            secret_key=SECRET_KEY,
            limits=self.limits,
            now=self.clock,
            public_url=BRAIN_URL,
            carriers={MessageKind.MAIL: self.mail, MessageKind.WEBHOOK: self.webhooks},
            confirms_addresses=self.confirms_addresses,
        )

    def _committing(self, connection: Connection) -> None:
        self.fate.moment()

    def restart(self) -> None:
        """Put a new Brain in the place of one that ended, however it ended."""
        self.close()
        self.brain = self._open()

    def close(self) -> None:
        engine = self.brain.database.engine
        if event.contains(engine, "commit", self._committing):
            event.remove(engine, "commit", self._committing)
        self.brain.database.close()

    def person(self) -> Caller:
        """Return somebody new, signed in."""
        self.n_people += 1
        email = f"person{self.n_people}@example.org"
        register_account(self.brain, email=email, password=PASSWORD, address=f"192.0.2.{self.n_people}")
        session = log_in(self.brain, email=email, password=PASSWORD, address="192.0.2.1")
        return authenticate(self.brain, session.access_token, Scope.ACCOUNT)

    def data_file(self, owner: Caller, content: bytes = b"raw data", filename: str = "meas.dat") -> DataFile:
        """Return a data file of somebody's, complete."""
        started = start_upload(self.brain, owner, filename=filename, size_bytes=len(content))
        self.send_part(started.view.data_file, content)
        return complete_upload(self.brain, owner, started.view.data_file.id).data_file

    def send_part(self, data_file: DataFile, content: bytes, number: int = 1) -> None:
        """Have a part arrive."""
        sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
        signed = self.storage.sign_part(Bucket.DATA, data_file.key, data_file.upload_id, number, sha256)

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        async def receive() -> None:
            query = dict(parse_qsl(urlsplit(signed.url).query))
            await self.storage.receive_part("data", data_file.key, query, chunks(), content_length=len(content))

        anyio.run(receive)

    def job(self, owner: Caller, data_file: DataFile | None = None, **order: Any) -> Job:
        """Return a job that was just submitted, a moment after the one before."""
        signal = data_file or self.data_file(owner)
        self.clock.advance(milliseconds=1)
        return submit_job(self.brain, owner, JobOrder(document={"task": task_of(signal)}, **order))

    def running_job(self, owner: Caller) -> Job:
        """Return a job whose execution was started."""
        job = self.job(owner)
        dispatch_jobs(self.brain)
        return self.read(job)

    def read(self, job: Job) -> Job:
        """Return a job as it is now."""
        with self.brain.database.read() as transaction:
            found = transaction.jobs.get(job.id)
        assert found is not None
        return found

    def succeed(self, job: Job) -> None:
        """Let the worker of a job's attempt leave its results, and end."""
        self.leave_results(job)
        self.unit.end(job.execution_name)

    def leave_results(self, job: Job, *, info: bytes = b"{}", said_size: int | None = None) -> None:
        """Put a result package where the attempt's worker would."""
        manifest = {"schema": 1, "outputs": [{"path": "info.json", "size_bytes": said_size or len(info)}]}
        files = {"info.json": info, "package.zip": b"PK", "manifest.json": json.dumps(manifest).encode()}
        self._put(Bucket.RESULTS, results_prefix(job.id, job.attempt), files)

    def fail(self, job: Job, error: Explanation) -> None:
        """Let the worker of a job's attempt say what is wrong with its task, and end."""
        files = {"error.json": json.dumps(error).encode(), "package.zip": b"PK", "manifest.json": b'{"outputs": []}'}
        self._put(Bucket.FAILED, failed_prefix(job.id, job.attempt), files)
        self.unit.end(job.execution_name, ExecutionState.FAILED, cause=Cause.TASK_FAILED, outcome=Outcome(error=error))

    def _put(self, bucket: Bucket, prefix: str, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            source = self.folder / "outgoing"
            source.write_bytes(content)
            self.storage.put(bucket, f"{prefix}/{name}", source)

    def deliver(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """Bring a unit's message to the Brain's service."""
        job_id, _, kind = url.removeprefix(f"{BRAIN_URL}/api/job/").partition("/")
        assert kind in {"callback", "progress"}
        hear_report(self.brain, job_id, body, headers)

    def own_unit(self, owner: Caller, *, is_default: bool = False, **changes: Any) -> ComputingUnit:
        """Return a mode-2 unit of somebody's."""
        values: dict[str, Any] = {
            "id": self.brain.new_id(Kind.UNIT),
            "owner_id": owner.id,
            "mode": Mode.MODE_2,
            "provider": Provider.USER,
            "alias": "my own",
            "is_default": is_default,
            "aws_account_id": "123456789012",
        }
        unit = replace(self.local_unit, **values | changes)
        with self.brain.database.write() as transaction:
            transaction.units.add(unit)
        return unit


def task_of(signal: DataFile, *, bucket: str = "data") -> dict[str, Any]:
    """Return a task over a data file."""
    reference = {
        "type": "file",
        "options": {"type": "s3", "filename": signal.filename, "bucket": bucket, "key": signal.key},
    }
    return {"name": "ac", "options": {"reconstructor": {"name": "rss", "options": {"signal": reference}}}}
