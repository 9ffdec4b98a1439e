from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState, Resources
from cloudmr.compute.conformance import Behaviour, ComputeConformance, HeardCallback, UnitUnderTest
from cloudmr.compute.memory import MemoryCompute
from cloudmr.errors import UnitUnavailable
from cloudmr.model.reports import Report

RESOURCES = Resources(memory_bytes=2**30, cpu_time_s=60, disk_bytes=2**30, deadline_s=60)
ENDS = {
    Behaviour.SUCCEEDS: (ExecutionState.SUCCEEDED, None),
    Behaviour.FAILS: (ExecutionState.FAILED, Cause.TASK_FAILED),
}


def request_for(job_id: str, *, attempt: int = 1) -> ExecutionRequest:
    return ExecutionRequest(
        job_id=job_id,
        attempt=attempt,
        document_url="http://brain/document",
        callback_url="http://brain/callback",
        progress_url="http://brain/progress",
        key_id="key",
        secret="secret",
        resources=RESOURCES,
    )


class ToldCompute(MemoryCompute):
    """A unit in memory whose workers end as soon as they are started, if their behaviour is to end."""

    def start(self, request: ExecutionRequest) -> None:
        super().start(request)
        behaviour = Behaviour(request.job_id.removeprefix("job_"))
        if behaviour in ENDS:
            state, cause = ENDS[behaviour]
            self.end(request.name, state, cause=cause)


@dataclass(frozen=True, kw_only=True)
class MemoryUnit:
    backend: MemoryCompute
    heard: deque[HeardCallback] = field(default_factory=deque)

    def request(self, behaviour: Behaviour, *, attempt: int = 1) -> ExecutionRequest:
        return request_for(f"job_{behaviour}", attempt=attempt)

    def await_end(self, name: str) -> Execution:
        return self.backend.describe(name)

    def await_callback(self) -> HeardCallback:
        self.backend.outbox.deliver()
        return self.heard.popleft()


@pytest.fixture
def unit() -> UnitUnderTest:
    heard: deque[HeardCallback] = deque()
    backend = ToldCompute(deliver=lambda _, body, headers: heard.append(HeardCallback(body=body, headers=headers)))
    return MemoryUnit(backend=backend, heard=heard)


class TestMemoryCompute(ComputeConformance):
    """The contract of every compute."""


class Inbox:
    """What the Brain hears, by sequence."""

    def __init__(self) -> None:
        self.sequences: list[int] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        self.sequences.append(Report.parse(body).sequence)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def told(inbox: Inbox) -> MemoryCompute:
    """A unit that has sent the messages 1, 2 and 3."""
    compute = MemoryCompute(deliver=inbox)
    request = request_for("job_x")
    compute.start(request)
    for sequence in (1, 2, 3):
        compute.progress(request.name, step=f"step {sequence}", sequence=sequence)
    return compute


def test_messages_arrive_when_they_are_let(told: MemoryCompute, inbox: Inbox) -> None:
    assert (len(told.outbox), inbox.sequences) == (3, [])
    told.outbox.deliver()
    assert inbox.sequences == [1]
    told.outbox.deliver_all()
    assert inbox.sequences == [1, 2, 3]


def test_messages_go_astray(told: MemoryCompute, inbox: Inbox) -> None:
    told.outbox.lose()
    told.outbox.double()
    told.outbox.delay()
    told.outbox.deliver_all()
    assert inbox.sequences == [2, 3, 2]


def test_messages_overtake_each_other(told: MemoryCompute, inbox: Inbox) -> None:
    told.outbox.reverse()
    told.outbox.deliver_all()
    assert inbox.sequences == [3, 2, 1]


def test_the_log_can_be_read_while_it_runs(told: MemoryCompute) -> None:
    assert [line.message for line in told.log("job_x-1")] == ["step 1", "step 2", "step 3"]


def test_a_unit_that_is_not_reachable_answers_nothing(told: MemoryCompute) -> None:
    told.is_reachable = False
    for call in (told.describe, told.stop, told.log):
        with pytest.raises(UnitUnavailable):
            call("job_x-1")
    with pytest.raises(UnitUnavailable):
        told.start(request_for("job_y"))


def test_a_unit_may_ignore_a_stop(told: MemoryCompute) -> None:
    told.ignores_stop = True
    told.stop("job_x-1")
    assert told.describe("job_x-1").state is ExecutionState.RUNNING
    told.end("job_x-1")
    assert told.describe("job_x-1").state is ExecutionState.SUCCEEDED
    assert told.stops == ["job_x-1"]


def test_a_unit_may_forget(told: MemoryCompute) -> None:
    told.forget("job_x-1")
    assert told.describe("job_x-1").state is ExecutionState.UNKNOWN
    told.start(request_for("job_x"))
    assert told.describe("job_x-1").state is ExecutionState.RUNNING
    assert told.starts == ["job_x-1", "job_x-1"]
