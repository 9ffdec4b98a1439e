"""What every compute must do, as tests. A backend's test module subclasses `ComputeConformance`, with one fixture:

@pytest.fixture
def unit() -> UnitUnderTest: …            a unit without executions

class TestThisCompute(ComputeConformance): …
"""
# ruff: noqa: D102 - a test says by its name what it is about

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Protocol

import pytest

from cloudmr.compute.base import Cause, ComputeBackend, Execution, ExecutionRequest, ExecutionState
from cloudmr.compute.reporting import attempt_key
from cloudmr.model.instants import utc_now
from cloudmr.model.reports import Report, ReportedEvent


class Behaviour(StrEnum):
    """What a worker does in these tests."""

    SUCCEEDS = "succeeds"
    """Its results are in place at once."""
    FAILS = "fails"
    """It says at once that the task cannot be done."""
    RUNS = "runs"
    """It works until it is told to end."""


@dataclass(frozen=True, kw_only=True)
class HeardCallback:
    """A message that arrived at the Brain's side."""

    body: bytes
    headers: Mapping[str, str]


class UnitUnderTest(Protocol):
    """A unit whose workers behave as their request says, and somebody in the Brain's place."""

    @property
    def backend(self) -> ComputeBackend:
        """The compute."""

    def request(self, behaviour: Behaviour, *, attempt: int = 1) -> ExecutionRequest:
        """Return a request for a worker that behaves so; the same behaviour and attempt have the same name."""

    def await_end(self, name: str) -> Execution:
        """Return the execution when it has ended; fail when that takes too long."""

    def await_callback(self) -> HeardCallback:
        """Return the next callback; fail when that takes too long."""


class ComputeConformance:
    """The contract of `ComputeBackend`."""

    def test_what_was_never_started_is_unknown(self, unit: UnitUnderTest) -> None:
        name = unit.request(Behaviour.RUNS).name
        assert unit.backend.describe(name) == Execution(name=name, state=ExecutionState.UNKNOWN)
        assert list(unit.backend.log(name)) == []

    def test_a_worker_at_work_is_running(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.RUNS)
        before = utc_now()
        unit.backend.start(request)
        execution = unit.backend.describe(request.name)
        assert (execution.name, execution.state) == (request.name, ExecutionState.RUNNING)
        assert execution.started_at is not None
        assert execution.started_at.tzinfo is UTC
        assert before <= execution.started_at <= utc_now()
        assert (execution.ended_at, execution.cause) == (None, None)

    def test_success(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.SUCCEEDS)
        unit.backend.start(request)
        execution = unit.await_end(request.name)
        assert (execution.state, execution.cause) == (ExecutionState.SUCCEEDED, None)
        assert execution.started_at is not None
        assert execution.ended_at is not None
        assert execution.started_at <= execution.ended_at
        assert execution.ended_at.tzinfo is UTC

    def test_failure(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.FAILS)
        unit.backend.start(request)
        execution = unit.await_end(request.name)
        assert (execution.state, execution.cause) == (ExecutionState.FAILED, Cause.TASK_FAILED)

    def test_an_end_does_not_change(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.FAILS)
        unit.backend.start(request)
        end = unit.await_end(request.name)
        unit.backend.stop(request.name)
        assert unit.backend.describe(request.name) == end

    def test_starting_again_changes_nothing(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.RUNS)
        unit.backend.start(request)
        first = unit.backend.describe(request.name)
        unit.backend.start(request)
        assert unit.backend.describe(request.name) == first

    def test_starting_again_after_the_end_changes_nothing(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.SUCCEEDS)
        unit.backend.start(request)
        end = unit.await_end(request.name)
        unit.backend.start(request)
        assert unit.backend.describe(request.name) == end

    def test_stopping(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.RUNS)
        unit.backend.start(request)
        unit.backend.stop(request.name)
        unit.backend.stop(request.name)
        execution = unit.await_end(request.name)
        assert (execution.state, execution.cause) == (ExecutionState.STOPPED, Cause.STOPPED)

    def test_stopping_what_was_never_started_does_not_prevent_its_start(self, unit: UnitUnderTest) -> None:
        request = unit.request(Behaviour.RUNS)
        unit.backend.stop(request.name)
        assert unit.backend.describe(request.name).state is ExecutionState.UNKNOWN
        unit.backend.start(request)
        assert unit.backend.describe(request.name).state is ExecutionState.RUNNING

    def test_attempts_are_executions_of_their_own(self, unit: UnitUnderTest) -> None:
        first, second = (unit.request(Behaviour.RUNS, attempt=attempt) for attempt in (1, 2))
        unit.backend.start(first)
        unit.backend.start(second)
        unit.backend.stop(first.name)
        assert unit.await_end(first.name).state is ExecutionState.STOPPED
        assert unit.backend.describe(second.name).state is ExecutionState.RUNNING

    @pytest.mark.parametrize(
        ("behaviour", "event"),
        [(Behaviour.SUCCEEDS, ReportedEvent.SUCCEEDED), (Behaviour.FAILS, ReportedEvent.FAILED)],
    )
    def test_the_brain_is_told_of_the_end(
        self, unit: UnitUnderTest, behaviour: Behaviour, event: ReportedEvent
    ) -> None:
        request = unit.request(behaviour)
        unit.backend.start(request)
        callback = unit.await_callback()
        attempt_key(request).verify(callback.body, callback.headers, now=utc_now())
        report = Report.parse(callback.body)
        assert (report.job_id, report.attempt, report.event) == (request.job_id, request.attempt, event)
        assert (report.error is not None) == (event is ReportedEvent.FAILED)
        assert unit.backend.describe(request.name).ended_at is not None
