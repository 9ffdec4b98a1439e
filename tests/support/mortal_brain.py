"""A Brain's database and its way to a unit, with all the moments at which the Brain could die or be overtaken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import event

from cloudmr.compute.base import ComputeBackend, Execution, ExecutionRequest, LogLine
from cloudmr.database.base import Database, Transaction
from cloudmr.database.engine import make_engine

Answer = TypeVar("Answer")
Moment = Callable[[bool], None]
"""Called at each; told whether it is in the middle of a transaction, which is about to be committed."""


class MortalDatabase(Database):
    """A database whose Brain may die, or be overtaken by another, before and after each transaction that writes."""

    def __init__(self, url: str, moment: Moment) -> None:
        engine = make_engine(url)
        # Nothing here outlives the machine; the default waits for the disk at every commit.
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
        event.listen(engine, "commit", lambda _: moment(True))
        super().__init__(engine)
        self._moment = moment

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        self._moment(False)
        with super().write() as transaction:
            yield transaction
        self._moment(False)


class MortalCompute:
    """The way to the unit, with a moment before and after each call."""

    def __init__(self, unit: ComputeBackend, moment: Moment) -> None:
        self._unit = unit
        self._moment = moment

    def start(self, request: ExecutionRequest) -> None:
        self._call(lambda: self._unit.start(request))

    def describe(self, name: str) -> Execution:
        return self._call(lambda: self._unit.describe(name))

    def stop(self, name: str) -> None:
        self._call(lambda: self._unit.stop(name))

    def log(self, name: str) -> Sequence[LogLine]:
        return self._call(lambda: self._unit.log(name))

    def _call(self, call: Callable[[], Answer]) -> Answer:
        self._moment(False)
        answer = call()
        self._moment(False)
        return answer
