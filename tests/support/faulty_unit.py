"""A computing unit in any weather: it loses, delays, doubles and reorders everything, as its seed will have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Protocol

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState, LogLine
from cloudmr.compute.memory import MemoryCompute, Message
from cloudmr.compute.outcome import Outcome
from cloudmr.compute.reporting import attempt_key
from cloudmr.errors import Conflict, UnitUnavailable
from cloudmr.model.callbacks import AttemptKey
from mroptimum.errors import Explanation
from timetable import Timetable
from weather import Weather

HOURS_S = 3600.0
_NO_NOISE: Explanation = {"code": "no_noise", "message": "There is no noise scan.", "next_step": "Give one."}


class Brains(Protocol):
    """What a unit reaches of the Brains; each call may reach another one, or fail with `Unanswered`."""

    def hand_out_document(self, job_id: str, attempt: int, headers: dict[str, str]) -> None:
        """Let a worker fetch its document."""

    def hear(self, job_id: str, body: bytes, headers: dict[str, str], *, is_genuine: bool) -> None:
        """Take a message."""


class Unanswered(Exception):
    """Whoever was called ended before it answered."""


class Buckets(Protocol):
    """Where workers leave what they made."""

    def leave_result(self, request: ExecutionRequest, *, is_whole: bool) -> None:
        """Leave a result package, or what is left of one."""

    def leave_failure(self, request: ExecutionRequest, error: Explanation) -> None:
        """Leave a failure package."""


@dataclass
class _PlannedMessages:
    """In the place of the outbox: what is sent is planned to arrive."""

    send: Callable[[Message], None]

    def add(self, message: Message) -> None:
        self.send(message)


class FaultyUnit:
    """A compute backend whose calls and whose workers meet the weather."""

    def __init__(self, timetable: Timetable, random: Random, brains: Brains, buckets: Buckets) -> None:
        self.weather = Weather()
        self._timetable = timetable
        self._random = random
        self._brains = brains
        self._buckets = buckets
        self._truth = MemoryCompute(clock=timetable.clock)
        self._truth.outbox = _PlannedMessages(self._send)  # type: ignore[assignment]  # all that is used of it
        self._earlier: dict[str, Execution] = {}
        self.causes: defaultdict[str, set[str]] = defaultdict(set)
        """What really happened to each job's workers that a Brain may give as the cause of its end."""

    # What the Brain may call

    def start(self, request: ExecutionRequest) -> None:
        self._receive(lambda: self._begin(request))

    def stop(self, name: str) -> None:
        self._receive(lambda: self._end_early(name))

    def describe(self, name: str) -> Execution:
        if self._strikes(self.weather.call_is_lost):
            raise _silent()
        now, earlier = self._truth.describe(name), self._earlier.get(name)
        self._earlier[name] = now
        if earlier is None or not self._strikes(self.weather.look_is_stale):
            return now
        if earlier.state is ExecutionState.UNKNOWN:
            self.causes[name.rpartition("-")[0]].add("lost")
        return earlier

    def log(self, name: str) -> Sequence[LogLine]:
        return self._truth.log(name)

    @property
    def running(self) -> list[str]:
        """The names of executions that have not ended."""
        return [name for name in self._truth.requests if self._truth.describe(name).state is ExecutionState.RUNNING]

    def _receive(self, call: Callable[[], None]) -> None:
        weather = self.weather
        if self._strikes(weather.call_is_lost):
            raise _silent()
        if self._strikes(weather.call_is_doubled):
            self._timetable.after(self._random.uniform(0, 2 * HOURS_S), call)
        if self._strikes(weather.call_is_late):
            self._timetable.after(self._random.uniform(0, HOURS_S), call)
        else:
            call()
        if self._strikes(weather.answer_is_lost):
            raise _silent()

    def _strikes(self, probability: float) -> bool:
        return self.weather.strikes(self._random, probability)

    # What becomes of an execution

    def _begin(self, request: ExecutionRequest) -> None:
        if request.name in self._truth.requests:
            return
        self._truth.start(request)
        if self._strikes(self.weather.no_machine):
            wait_s = self._random.uniform(10, HOURS_S)
            self._timetable.after(wait_s, lambda: self._end(request, ExecutionState.FAILED, Cause.NO_CAPACITY))
            return
        if not self._strikes(self.weather.deadline_is_ignored):
            self._timetable.after(request.resources.deadline_s, lambda: self._end(request, ExecutionState.TIMED_OUT))
        self._timetable.after(self._random.uniform(1, 10), lambda: self._fetch_document(request, tries_left=5))

    def _end_early(self, name: str) -> None:
        if not self._strikes(self.weather.stop_is_ignored):
            self._truth.stop(name)

    def _fetch_document(self, request: ExecutionRequest, *, tries_left: int) -> None:
        key = attempt_key(request)
        try:
            self._brains.hand_out_document(
                request.job_id, request.attempt, key.sign(b"", now=self._timetable.clock.now)
            )
        except Unanswered:
            if tries_left:
                self._timetable.after(10, lambda: self._fetch_document(request, tries_left=tries_left - 1))
            else:
                self._end(request, ExecutionState.FAILED, Cause.UNHEARD)
            return
        except Conflict:
            # The job ended, or has another attempt by now.
            self._end(request, ExecutionState.FAILED, Cause.UNHEARD)
            return
        self._work(request)

    def _work(self, request: ExecutionRequest) -> None:
        duration_s = self._random.uniform(20, 400)
        for step in range(self._random.randrange(3)):
            told_after_s = self._random.uniform(0, duration_s)
            self._timetable.after(told_after_s, lambda number=step: self._tell_progress(request, number))  # type: ignore[misc]
        if self._strikes(self.weather.unit_forgets):
            self._timetable.after(self._random.uniform(0, duration_s), lambda: self._forget(request))
        finish = self._choose_finish(request)
        if finish is not None:
            self._timetable.after(duration_s, finish)

    def _choose_finish(self, request: ExecutionRequest) -> Callable[[], None] | None:
        """Return what the worker does in the end; None: nothing, ever."""
        weather = self.weather
        if self._strikes(weather.worker_hangs):
            self.causes[request.job_id] |= {"deadline", "unit_silent"}
            return None
        if self._strikes(weather.worker_dies):
            cause = self._random.choice([Cause.KILLED, Cause.OUT_OF_MEMORY])
            return lambda: self._end(request, ExecutionState.FAILED, cause)
        if self._strikes(weather.worker_crashes):
            cause = self._random.choice([Cause.CRASHED, Cause.DISK_FULL, Cause.CPU_TIME])
            return lambda: self._end(request, ExecutionState.FAILED, cause)
        if self._random.random() < 0.1:
            return lambda: self._fail(request)
        is_whole = not self._strikes(weather.result_is_damaged)
        if not is_whole:
            self.causes[request.job_id].add("result_missing")
        return lambda: self._succeed(request, is_whole=is_whole)

    def _succeed(self, request: ExecutionRequest, *, is_whole: bool) -> None:
        # What the unit forgot works on and leaves its results all the same; what was stopped does not.
        if request.name not in self._truth.requests or self._is_running(request):
            self._buckets.leave_result(request, is_whole=is_whole)
        self._end(request, ExecutionState.SUCCEEDED)

    def _fail(self, request: ExecutionRequest) -> None:
        if self._is_running(request):
            self._buckets.leave_failure(request, _NO_NOISE)
        self._end(request, ExecutionState.FAILED, Cause.TASK_FAILED, Outcome(error=_NO_NOISE))

    def _tell_progress(self, request: ExecutionRequest, number: int) -> None:
        if self._is_running(request):
            self._truth.progress(request.name, step="reconstruct", sequence=number)

    def _is_running(self, request: ExecutionRequest) -> bool:
        return self._truth.describe(request.name).state is ExecutionState.RUNNING

    def _end(
        self,
        request: ExecutionRequest,
        state: ExecutionState,
        cause: Cause | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        if self._is_running(request):
            self._truth.end(request.name, state, cause=cause, outcome=outcome)
            if cause is not None:
                self.causes[request.job_id].add(outcome.error["code"] if outcome and outcome.error else cause)

    def _forget(self, request: ExecutionRequest) -> None:
        if request.name in self._truth.requests:
            self._truth.forget(request.name)
            self.causes[request.job_id].add("lost")

    # What becomes of a message

    def _send(self, message: Message) -> None:
        weather = self.weather
        if self._strikes(weather.message_is_forged):
            forged = AttemptKey(
                job_id=message.key.job_id, attempt=message.key.attempt, key_id=message.key.key_id, secret="guessed"
            )
            self._plan(Message(url=message.url, body=message.body, key=forged), is_genuine=False)
        for _ in range(2 if self._strikes(weather.message_is_doubled) else 1):
            if not self._strikes(weather.message_is_lost):
                self._plan(message)

    def _plan(self, message: Message, *, is_genuine: bool = True) -> None:
        late_s = 3 * HOURS_S if self._strikes(self.weather.message_is_late) else 2
        self._timetable.after(self._random.uniform(0, late_s), lambda: self._deliver(message, is_genuine=is_genuine))

    def _deliver(self, message: Message, *, is_genuine: bool) -> None:
        is_wrong = self._strikes(self.weather.clock_is_wrong)
        now = self._timetable.clock.now + timedelta(hours=self._random.choice([-1, 1]) if is_wrong else 0)
        headers = message.key.sign(message.body, now=now)
        try:
            self._brains.hear(message.key.job_id, message.body, headers, is_genuine=is_genuine and not is_wrong)
        except Unanswered:
            self._timetable.after(15, lambda: self._deliver(message, is_genuine=is_genuine))


def _silent() -> UnitUnavailable:
    return UnitUnavailable("The computing unit does not answer.", "Check the unit, or choose another one.")
