"""A unit's compute in memory, for tests of whoever uses one: executions end as they are told, callbacks go astray.

unit = MemoryCompute(deliver=client.post_callback, clock=clock)
…                                             # the Brain under test starts an execution
unit.end("job_x-1")                           # it succeeded; its callback waits in the outbox
unit.outbox.double(); unit.outbox.reverse(); unit.outbox.deliver_all()
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState, LogLine
from cloudmr.compute.outcome import Outcome
from cloudmr.compute.reporting import attempt_key, end_report
from cloudmr.errors import UnitUnavailable
from cloudmr.model.callbacks import AttemptKey
from cloudmr.model.instants import Clock, utc_now
from cloudmr.model.reports import Report, ReportedEvent, ReportedProgress


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message on its way to the Brain. It is signed when it is delivered, as a real unit signs each try anew."""

    url: str
    body: bytes
    key: AttemptKey


Deliver = Callable[[str, bytes, dict[str, str]], object]
"""Posts a body with headers to a URL."""


def _into_the_void(url: str, body: bytes, headers: dict[str, str]) -> None:
    """Deliver to nobody."""


class Outbox:
    """Messages that were sent and have not arrived. The first was sent first, unless somebody shuffled."""

    def __init__(self, deliver: Deliver, clock: Clock) -> None:
        self._deliver = deliver
        self._clock = clock
        self._messages: deque[Message] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        """Send a message; it waits here."""
        self._messages.append(message)

    def deliver(self) -> None:
        """Let the first message arrive."""
        message = self._messages.popleft()
        self._deliver(message.url, message.body, message.key.sign(message.body, now=self._clock()))

    def deliver_all(self) -> None:
        """Let every message arrive, in order."""
        while self._messages:
            self.deliver()

    def lose(self) -> None:
        """Let the first message never arrive."""
        self._messages.popleft()

    def double(self) -> None:
        """Let the first message arrive twice."""
        self._messages.appendleft(self._messages[0])

    def delay(self) -> None:
        """Let the first message arrive last."""
        self._messages.rotate(-1)

    def reverse(self) -> None:
        """Let the messages arrive in the opposite order."""
        self._messages.reverse()


class MemoryCompute:
    """A compute backend whose executions run until `end` says how they ended."""

    def __init__(self, *, deliver: Deliver = _into_the_void, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._executions: dict[str, Execution] = {}
        self._logs: dict[str, list[LogLine]] = {}
        self.requests: dict[str, ExecutionRequest] = {}
        """What was started, by name, the first time."""
        self.starts: list[str] = []
        """Every start that was asked for, repeated ones too."""
        self.stops: list[str] = []
        """Every stop that was asked for."""
        self.outbox = Outbox(deliver, clock)
        """What the unit sent and the Brain has not got."""
        self.is_reachable = True
        """False makes every call fail as that of a unit that does not answer."""
        self.ignores_stop = False
        """True makes executions run on when they are asked to end, as on Lambda."""

    def start(self, request: ExecutionRequest) -> None:
        """Start an execution; one that was started before is left alone."""
        self._require_reachable()
        self.starts.append(request.name)
        if request.name not in self.requests:
            self.requests[request.name] = request
            self._logs[request.name] = []
            self._executions[request.name] = Execution(
                name=request.name, state=ExecutionState.RUNNING, started_at=self._clock()
            )

    def describe(self, name: str) -> Execution:
        """Return what is true of an execution now."""
        self._require_reachable()
        return self._executions.get(name, Execution(name=name, state=ExecutionState.UNKNOWN))

    def stop(self, name: str) -> None:
        """Ask an execution to end; it does at once, unless the unit `ignores_stop`."""
        self._require_reachable()
        self.stops.append(name)
        if not self.ignores_stop and name in self._executions:
            self.end(name, ExecutionState.STOPPED, cause=Cause.STOPPED)

    def log(self, name: str) -> Sequence[LogLine]:
        """Return the log so far."""
        self._require_reachable()
        return tuple(self._logs.get(name, ()))

    def progress(self, name: str, *, step: str, sequence: int, done: int = 0, total: int = 0) -> None:
        """Let the worker come to a step: a line of its log, and a message in the outbox."""
        request = self.requests[name]
        self._logs[name].append(LogLine(at=self._clock(), level="info", message=step))
        report = Report(
            job_id=request.job_id,
            attempt=request.attempt,
            event=ReportedEvent.PROGRESS,
            sequence=sequence,
            progress=ReportedProgress(step=step, done=done, total=total),
        )
        self.outbox.add(Message(url=request.progress_url, body=report.to_bytes(), key=attempt_key(request)))

    def end(
        self,
        name: str,
        state: ExecutionState = ExecutionState.SUCCEEDED,
        *,
        cause: Cause | None = None,
        detail: str | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        """Let an execution end so, unless it has ended: the unit knows at once, the callback waits in the outbox."""
        execution = self._executions[name]
        if execution.state is not ExecutionState.RUNNING:
            return
        request = self.requests[name]
        ended = replace(execution, state=state, ended_at=self._clock(), cause=cause, detail=detail)
        self._executions[name] = ended
        body = end_report(request, ended, outcome or Outcome())
        self.outbox.add(Message(url=request.callback_url, body=body, key=attempt_key(request)))

    def forget(self, name: str) -> None:
        """Lose an execution, as a unit does that was made anew; a start of that name would run."""
        del self._executions[name], self.requests[name], self._logs[name]

    def _require_reachable(self) -> None:
        if not self.is_reachable:
            raise UnitUnavailable("The computing unit does not answer.", "Check the unit, or choose another one.")
