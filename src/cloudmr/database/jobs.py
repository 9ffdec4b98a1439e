"""Jobs and their events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from cloudmr.database.errors import AlreadyThere
from cloudmr.database.tables import job_events, job_inputs, jobs, units
from cloudmr.model.estimates import Estimate
from cloudmr.model.events import JobAction, JobEvent
from cloudmr.model.expiry import Expiring
from cloudmr.model.failures import JobFailure
from cloudmr.model.fair_share import Use, Waiting
from cloudmr.model.forecasts import Actual, Forecast
from cloudmr.model.ids import Kind, first_id_at
from cloudmr.model.job_filter import JobFilter
from cloudmr.model.jobs import END_STATES, Job, JobResult, JobState, Progress
from cloudmr.model.units import Mode

_PARTS: Mapping[str, type] = {
    "estimate": Estimate,
    "forecast": Forecast,
    "actual": Actual,
    "progress": Progress,
    "failure": JobFailure,
    "result": JobResult,
}
"""Fields of a job that are records themselves; each of their fields has a column of its own."""
_ACTIVE = frozenset({JobState.DISPATCHED, JobState.RUNNING})
_OPEN = _ACTIVE | {JobState.QUEUED}
_ANY = JobFilter()
_WAITS = (jobs.c.state == JobState.QUEUED, jobs.c.cancel_requested_at.is_(None))
"""What is true of a job that waits for its turn."""
_ESCAPE = "\\"


@dataclass(frozen=True, kw_only=True)
class OwnCount:
    """How many jobs a person submitted since a moment, deleted ones too, has at work, and has in the queue."""

    n_submitted: int
    n_active: int
    n_queued: int


@dataclass(frozen=True, kw_only=True)
class Glance:
    """The little of a job that tells whether it changed, and where it waits."""

    id: str
    owner_id: str
    unit_id: str
    version: int
    attempt: int
    progress_sequence: int | None
    waiting_reason: str | None
    is_waiting: bool
    is_open: bool


class Jobs:
    """The jobs, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, job: Job, event: JobEvent) -> None:
        """Keep a new job with its first event. Raise `AlreadyThere` where its idempotency key was used before."""
        try:
            self._connection.execute(_INSERT_JOB, _columns(job))
        except IntegrityError as error:
            raise AlreadyThere from error
        if job.data_ids:
            inputs = [
                {"job_id": job.id, "data_id": data_id, "place": place} for place, data_id in enumerate(job.data_ids)
            ]
            self._connection.execute(_INSERT_INPUTS, inputs)
        self._connection.execute(_INSERT_EVENT, vars(event))

    def get(self, job_id: str, *, for_change: bool = False) -> Job | None:
        """Return the job of that id; `for_change` keeps others from changing it until this transaction ends."""
        return next(iter(self._load(_BY_ID_FOR_CHANGE if for_change else _BY_ID, {"job_id": job_id})), None)

    def by_idempotency_key(self, owner_id: str, key: str) -> Job | None:
        """Return the job a person submitted with that key."""
        return next(iter(self._load(_BY_IDEMPOTENCY_KEY, {"owner_id": owner_id, "key": key})), None)

    def of_owner(self, owner_id: str, wanted: JobFilter = _ANY, *, limit: int, before: str | None = None) -> list[Job]:
        """Return a person's jobs that are not deleted, the latest first, those before an id, as far as wanted."""
        query = select(jobs).where(jobs.c.owner_id == owner_id, *_conditions(wanted))
        if before is not None:
            query = query.where(jobs.c.id < before)
        return self._load(query.order_by(jobs.c.id.desc()).limit(limit))

    def n_of_owner(self, owner_id: str, *, since: datetime, mode: Mode) -> OwnCount:
        """Return how many jobs a person has at units of this mode, and submitted there since a moment."""
        values = {"owner_id": owner_id, "since": since, "mode": mode}
        n_submitted, n_active, n_queued = self._connection.execute(_N_OF_OWNER, values).one()
        return OwnCount(n_submitted=n_submitted, n_active=n_active, n_queued=n_queued)

    def n_submitted(self, owner_id: str, *, since: datetime, mode: Mode) -> int:
        """Return how many jobs a person submitted to units of this mode since a moment, deleted ones too."""
        query = select(func.count()).where(
            jobs.c.owner_id == owner_id, jobs.c.unit_id.in_(_UNITS_OF_MODE), jobs.c.created_at >= since
        )
        return self._connection.execute(query, {"mode": mode}).scalar_one()

    def spent_microdollars(self, owner_id: str, *, since: datetime, mode: Mode) -> int:
        """Return the price of a person's jobs at units of this mode that were submitted since a moment and ended."""
        query = select(func.coalesce(func.sum(jobs.c.actual_price_microdollars), 0)).where(
            jobs.c.owner_id == owner_id, jobs.c.unit_id.in_(_UNITS_OF_MODE), jobs.c.created_at >= since
        )
        return int(self._connection.execute(query, {"mode": mode}).scalar_one())

    def ratios(self, kind: str, *, limit: int) -> list[float]:
        """Return how many times longer than expected the latest jobs of a kind took that succeeded."""
        query = (
            select(jobs.c.actual_seconds, jobs.c.forecast_seconds)
            .where(jobs.c.state == JobState.SUCCEEDED, jobs.c.kind == kind)
            .order_by(jobs.c.id.desc())
            .limit(limit)
        )
        rows = self._connection.execute(query)
        return [
            row.actual_seconds / row.forecast_seconds for row in rows if row.forecast_seconds and row.actual_seconds
        ]

    def to_expire(self, *, now: datetime, limit: int) -> list[Job]:
        """Return ended jobs whose results' time is up and that nobody deleted."""
        query = select(jobs).where(jobs.c.purged_at.is_(None), jobs.c.purge_after.is_(None), jobs.c.expires_at <= now)
        return self._load(query.limit(limit))

    def expiring(self, *, after: datetime, until: datetime) -> list[Expiring]:
        """Return what jobs left whose time is up after a moment, and until another one at the latest."""
        query = select(
            jobs.c.id, jobs.c.owner_id, jobs.c.expires_at, jobs.c.result_size_bytes.label("size_bytes")
        ).where(
            jobs.c.purged_at.is_(None),
            jobs.c.purge_after.is_(None),
            jobs.c.expires_at > after,
            jobs.c.expires_at <= until,
        )
        return [Expiring(**row) for row in self._connection.execute(query).mappings()]

    def to_purge(self, *, now: datetime, limit: int) -> list[Job]:
        """Return jobs whose results can no longer be brought back and are still in storage."""
        query = select(jobs).where(jobs.c.purged_at.is_(None), jobs.c.purge_after <= now)
        return self._load(query.limit(limit))

    def forget_content(self, job_id: str) -> None:
        """Blank what a purged and deleted job was called and was to do; that there was a job stays known."""
        self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(alias="", document="{}"))

    def apply(self, before: Job, after: Job, event: JobEvent) -> bool:
        """Write the next version of a job and its event, if nobody changed it since `before`; tell whether it did."""
        if (after.version, event.number) != (before.version + 1, after.version):
            raise ValueError("a change makes the next version, and its event has the same number")
        old = _columns(before)
        # Only what differs is written: progress may have moved on since `before` was read, and must not go back.
        if not self._update(before, {name: value for name, value in _columns(after).items() if value != old[name]}):
            return False
        self._connection.execute(_INSERT_EVENT, vars(event))
        return True

    def note(self, job: Job, *, check_at: datetime, waiting_reason: str | None, claimed_at: datetime | None) -> bool:
        """Write when to look at a job again and why it waits: no change of the job, so no event."""
        values = {"check_at": check_at, "waiting_reason": waiting_reason, "claimed_at": claimed_at}
        return self._update(job, values)

    def record_progress(self, job: Job, progress: Progress) -> bool:
        """Write how far the present attempt is, unless something later is known; tell whether it was news."""
        older = jobs.c.progress_sequence.is_(None) | (jobs.c.progress_sequence < progress.sequence)
        statement = (
            update(jobs)
            .where(jobs.c.id == job.id, jobs.c.attempt == job.attempt, jobs.c.state == JobState.RUNNING, older)
            .values(**_part_columns("progress", progress))
        )
        return self._connection.execute(statement).rowcount == 1

    def claim_due(self, *, now: datetime, until: datetime, limit: int) -> list[str]:
        """Return the ids of jobs that are due to be looked at, and keep them from others until a moment."""
        due = (jobs.c.state.not_in(END_STATES)) & (jobs.c.check_at <= now)
        first = select(jobs.c.id).where(due).order_by(jobs.c.check_at).limit(limit)
        statement = update(jobs).where(due, jobs.c.id.in_(first)).values(check_at=until).returning(jobs.c.id)
        return list(self._connection.execute(statement).scalars())

    def make_all_due(self, *, now: datetime) -> int:
        """Have every job that has not ended looked at now; return how many those are."""
        statement = update(jobs).where(jobs.c.state.not_in(END_STATES)).values(check_at=now)
        return self._connection.execute(statement).rowcount

    def queue(self, unit_id: str) -> list[Waiting]:
        """Return the jobs that wait for their turn at a unit, in order of arrival."""
        query = select(jobs.c.id, jobs.c.owner_id).where(jobs.c.unit_id == unit_id, *_WAITS).order_by(jobs.c.id)
        return [Waiting(job_id=row.id, owner_id=row.owner_id) for row in self._connection.execute(query)]

    def in_line(self, job_ids: Collection[str]) -> dict[str, int]:
        """Return of jobs that wait which of their owner's jobs in the queue of the unit they are, 1 being the first."""
        rows = self._connection.execute(_IN_LINE, {"job_ids": list(job_ids)})
        return {row.id: row.k for row in rows}

    def units_with_queue(self) -> list[str]:
        """Return the ids of the units at which jobs wait for their turn."""
        return list(self._connection.execute(_UNITS_WITH_QUEUE).scalars())

    def n_open(self) -> dict[str, int]:
        """Return how many jobs there are that have not ended, by state."""
        query = select(jobs.c.state, func.count()).where(jobs.c.state.in_(_OPEN)).group_by(jobs.c.state)
        found = {state.value: n_jobs for state, n_jobs in self._connection.execute(query)}
        return {state.value: found.get(state.value, 0) for state in sorted(_OPEN)}

    def oldest_queued_at(self) -> datetime | None:
        """Return when the job was submitted that has waited longest for its turn."""
        oldest = func.min(jobs.c.created_at, type_=jobs.c.created_at.type)
        query = select(oldest).where(jobs.c.state == JobState.QUEUED)
        at: datetime | None = self._connection.execute(query).scalar_one()
        return at

    def open_at(self, unit_id: str) -> list[str]:
        """Return the ids of the jobs of a unit that have not ended."""
        query = select(jobs.c.id).where(jobs.c.unit_id == unit_id, jobs.c.state.in_(_OPEN))
        return list(self._connection.execute(query.order_by(jobs.c.id)).scalars())

    def explain_waiting(self, unit_id: str, reason: str) -> int:
        """Write why the jobs in the queue of a unit do not get their turn; return of how many that was news."""
        statement = (
            update(jobs)
            .where(
                jobs.c.unit_id == unit_id,
                jobs.c.state == JobState.QUEUED,
                jobs.c.waiting_reason.is_distinct_from(reason),
            )
            .values(waiting_reason=reason)
        )
        return self._connection.execute(statement).rowcount

    def use_of_unit(self, unit_id: str) -> dict[str, Use]:
        """Return how much each person has of a unit who has jobs there that have not ended."""
        return {
            row.owner_id: Use(
                n_active=row.n_active, last_turn_at=row.at, n_waiting=row.n_waiting, first_job_id=row.first_job_id
            )
            for row in self._connection.execute(_USE_OF_UNIT, {"unit_id": unit_id})
        }

    def last_turn_at(self, unit_id: str, owner_id: str) -> datetime | None:
        """Return when a job of a person last got its turn at a unit."""
        latest = func.max(jobs.c.dispatched_at, type_=jobs.c.dispatched_at.type)
        query = select(latest).where(jobs.c.unit_id == unit_id, jobs.c.owner_id == owner_id)
        at: datetime | None = self._connection.execute(query).scalar_one()
        return at

    def glances(self, job_ids: Collection[str], *, of: Collection[str] = ()) -> list[Glance]:
        """Return what can be seen at a glance of jobs, and of all open ones of some people; each once."""
        values = {"job_ids": list(job_ids), "owner_ids": list(of)}
        return [Glance(**row) for row in self._connection.execute(_GLANCES, values).mappings()]

    def events(self, job_id: str, *, after: int = 0) -> list[JobEvent]:
        """Return what happened to a job, in order, beyond an event's number."""
        rows = self._connection.execute(_EVENTS, {"job_id": job_id, "after": after}).mappings()
        return [
            JobEvent(
                **{name: row[name] for name in ("job_id", "number", "at", "actor", "reason")},
                action=JobAction(row["action"]),
                old=JobState(row["old"]) if row["old"] else None,
                new=JobState(row["new"]) if row["new"] else None,
            )
            for row in rows
        ]

    def _update(self, before: Job, values: Mapping[str, Any]) -> bool:
        same = (jobs.c.id == before.id) & (jobs.c.state == before.state) & (jobs.c.version == before.version)
        return self._connection.execute(update(jobs).where(same).values(**values)).rowcount == 1

    def _load(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> list[Job]:
        rows = self._connection.execute(query, values).mappings().all()
        inputs: dict[str, list[str]] = {row["id"]: [] for row in rows}
        if inputs:
            for row in self._connection.execute(_INPUTS, {"job_ids": list(inputs)}):
                inputs[row.job_id].append(row.data_id)
        return [_job(row, inputs[row["id"]]) for row in rows]


def _columns(job: Job) -> dict[str, Any]:
    """Return the columns of a job's row."""
    values = {name: value for name, value in vars(job).items() if name not in _PARTS and name != "data_ids"}
    for name in _PARTS:
        values |= _part_columns(name, getattr(job, name))
    return values


def _part_columns(name: str, part: object) -> dict[str, Any]:
    return {f"{name}_{field.name}": part and getattr(part, field.name) for field in fields(_PARTS[name])}


def _job(row: RowMapping, data_ids: Sequence[str]) -> Job:
    """Return the job in a row."""
    values: dict[str, Any] = {"data_ids": tuple(data_ids)}
    for field in fields(Job):
        if field.name in _PARTS:
            values[field.name] = _part(field.name, row)
        elif field.name != "data_ids":
            values[field.name] = row[field.name]
    return Job(**values)


def _part(name: str, row: RowMapping) -> Any:
    values = {field.name: row[f"{name}_{field.name}"] for field in fields(_PARTS[name])}
    return None if all(value is None for value in values.values()) else _PARTS[name](**values)


def _conditions(wanted: JobFilter) -> Iterator[ColumnElement[bool]]:
    yield jobs.c.deleted_at.is_(None)
    if wanted.states:
        yield jobs.c.state.in_(wanted.states)
    if wanted.unit_id is not None:
        yield jobs.c.unit_id == wanted.unit_id
    if wanted.text:
        yield jobs.c.alias.ilike(f"%{_literally(wanted.text)}%", escape=_ESCAPE)
    # Ids sort by the time they were given, and the list is in their order.
    if wanted.created_from is not None:
        yield jobs.c.id >= first_id_at(Kind.JOB, wanted.created_from)
    if wanted.created_to is not None:
        yield jobs.c.id < first_id_at(Kind.JOB, wanted.created_to)


def _literally(text: str) -> str:
    """Return a text for LIKE in which nothing stands for anything else."""
    return "".join(f"{_ESCAPE}{character}" if character in f"%_{_ESCAPE}" else character for character in text)


# What every submission, every look at a job and every round says to the database: put together once, since putting a
# statement together takes several times as long as having it executed. Values are given to `execute`.
_INSERT_JOB, _INSERT_INPUTS, _INSERT_EVENT = insert(jobs), insert(job_inputs), insert(job_events)
_BY_ID = select(jobs).where(jobs.c.id == bindparam("job_id"))
_BY_ID_FOR_CHANGE = _BY_ID.with_for_update()
_BY_IDEMPOTENCY_KEY = select(jobs).where(
    jobs.c.owner_id == bindparam("owner_id"), jobs.c.idempotency_key == bindparam("key")
)
_INPUTS = (
    select(job_inputs).where(job_inputs.c.job_id.in_(bindparam("job_ids", expanding=True))).order_by(job_inputs.c.place)
)
_EVENTS = (
    select(job_events)
    .where(job_events.c.job_id == bindparam("job_id"), job_events.c.number > bindparam("after"))
    .order_by(job_events.c.number)
)
_GLANCES = select(
    jobs.c.id,
    jobs.c.owner_id,
    jobs.c.unit_id,
    jobs.c.version,
    jobs.c.attempt,
    jobs.c.progress_sequence,
    jobs.c.waiting_reason,
    and_(*_WAITS).label("is_waiting"),
    jobs.c.state.in_(_OPEN).label("is_open"),
).where(
    or_(
        jobs.c.id.in_(bindparam("job_ids", expanding=True)),
        jobs.c.owner_id.in_(bindparam("owner_ids", expanding=True)) & jobs.c.state.in_(_OPEN),
    ),
    jobs.c.deleted_at.is_(None),
)
_UNITS_WITH_QUEUE = select(jobs.c.unit_id).where(*_WAITS).distinct().order_by(jobs.c.unit_id)
_UNITS_OF_MODE = select(units.c.id).where(units.c.mode == bindparam("mode", type_=units.c.mode.type))


def _n_of_owner() -> Select[int, int, int]:
    def count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
        mine = (jobs.c.owner_id == bindparam("owner_id"), jobs.c.unit_id.in_(_UNITS_OF_MODE))
        return select(func.count()).where(*mine, *conditions).scalar_subquery()

    since = bindparam("since", type_=jobs.c.created_at.type)
    return select(
        count(jobs.c.created_at >= since), count(jobs.c.state.in_(_ACTIVE)), count(jobs.c.state == JobState.QUEUED)
    )


def _use_of_unit() -> Select[Any]:
    # Last turns are looked up one by one: past jobs are many, and an index knows the latest of each person.
    waits = and_(*_WAITS)
    # By an expression: for a column, SQLite would go through all jobs there ever were in the order of an index on it,
    # to be spared sorting the few that are open.
    owner = jobs.c.owner_id + literal("")
    there = (
        select(
            owner.label("owner_id"),
            func.sum(case((jobs.c.state.in_(_ACTIVE), 1), else_=0)).label("n_active"),
            func.sum(case((waits, 1), else_=0)).label("n_waiting"),
            func.min(case((waits, jobs.c.id))).label("first_job_id"),
        )
        .where(jobs.c.unit_id == bindparam("unit_id"), jobs.c.state.in_(_OPEN))
        .group_by(owner)
        .subquery()
    )
    past = jobs.alias()
    last_turn = (
        select(func.max(past.c.dispatched_at, type_=past.c.dispatched_at.type))
        .where(past.c.unit_id == bindparam("unit_id"), past.c.owner_id == there.c.owner_id)
        .scalar_subquery()
    )
    return select(there, last_turn.label("at"))


def _in_line() -> Select[Any]:
    before = jobs.alias()
    k = (
        select(func.count())
        .where(
            # An expression, so that the index on owners and states is used, and not one on all jobs there ever were.
            before.c.unit_id + literal("") == jobs.c.unit_id,
            before.c.owner_id == jobs.c.owner_id,
            before.c.state == JobState.QUEUED,
            before.c.cancel_requested_at.is_(None),
            before.c.id <= jobs.c.id,
        )
        .correlate(jobs)
        .scalar_subquery()
    )
    wanted = jobs.c.id.in_(bindparam("job_ids", expanding=True))
    return select(jobs.c.id, k.label("k")).where(wanted, *_WAITS)


_N_OF_OWNER, _USE_OF_UNIT, _IN_LINE = _n_of_owner(), _use_of_unit(), _in_line()
