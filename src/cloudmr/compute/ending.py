"""What an ended worker process means: a decision from its exit, why it was ended if it was, and the last it wrote."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cloudmr.compute.base import Cause, Execution, ExecutionState, Resources
from cloudmr.compute.exit_codes import ExitCode
from cloudmr.compute.outcome import Outcome
from cloudmr.compute.symptoms import tells_of_no_disk, tells_of_no_memory

BY_EXIT_CODE: Mapping[int, tuple[Cause, str]] = {
    ExitCode.FAILED: (Cause.TASK_FAILED, "The worker said why."),
    ExitCode.OUT_OF_MEMORY: (Cause.OUT_OF_MEMORY, "An allocation was refused."),
    ExitCode.DISK_FULL: (Cause.DISK_FULL, "A write was refused."),
    ExitCode.UNHEARD: (Cause.UNHEARD, "The job document could not be had."),
    # Nobody here asked for it, or `ended_for` would say so: the machine is going down, or somebody sent a signal.
    ExitCode.STOPPED: (Cause.KILLED, "It was told to end from outside the unit."),
}
"""What each exit code of a worker means, and a sentence."""
_BY_SIGNAL: Mapping[int, tuple[Cause, str]] = {
    signal.SIGXCPU: (Cause.CPU_TIME, "The processor time was used up."),
    signal.SIGXFSZ: (Cause.DISK_FULL, "A file became too large."),
    signal.SIGKILL: (Cause.KILLED, "It was killed."),
    signal.SIGTERM: (Cause.KILLED, "It was told to end from outside the unit."),
}


@dataclass(frozen=True, kw_only=True)
class WorkerExit:
    """How the worker process ended: exit code (a signal's number negated), processor time, the last it printed."""

    returncode: int
    cpu_time_s: float
    last_words: str = ""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """An end state with its cause and a sentence; a success needs neither."""

    state: ExecutionState
    cause: Cause | None = None
    detail: str | None = None

    def of(self, name: str, *, started_at: datetime, ended_at: datetime) -> Execution:
        """Return the execution that ended so."""
        return Execution(
            name=name,
            state=self.state,
            started_at=started_at,
            ended_at=ended_at,
            cause=self.cause,
            detail=self.detail,
        )


def decide_ending(exited: WorkerExit, *, ended_for: Cause | None, resources: Resources) -> Ending:
    """Return what the end means. `ended_for` is why the supervisor ended the worker, None if it did not."""
    if exited.returncode == ExitCode.SUCCEEDED:
        # Also when it was about to be stopped: the results are in place, and saying otherwise would be untrue.
        return Ending(state=ExecutionState.SUCCEEDED)
    if ended_for is Cause.STOPPED:
        return Ending(state=ExecutionState.STOPPED, cause=ended_for, detail="It was asked to end.")
    if ended_for is Cause.DEADLINE:
        detail = f"It was not done within {resources.deadline_s} s."
        return Ending(state=ExecutionState.TIMED_OUT, cause=ended_for, detail=detail)
    cause, detail = _why(exited, ended_for=ended_for, resources=resources)
    return Ending(state=ExecutionState.FAILED, cause=cause, detail=f"{detail}{_limit(cause, resources)}")


def decide_ending_unseen(outcome: Outcome, *, is_stop_requested: bool) -> Ending:
    """Return what the end means of a worker that nobody saw end, because its supervisor was killed."""
    if outcome.manifest_sha256 is not None:
        return Ending(state=ExecutionState.SUCCEEDED)
    if outcome.error is not None:
        return Ending(state=ExecutionState.FAILED, cause=Cause.TASK_FAILED, detail="The worker said why.")
    if is_stop_requested:
        return Ending(state=ExecutionState.STOPPED, cause=Cause.STOPPED, detail="It was asked to end.")
    return Ending(state=ExecutionState.FAILED, cause=Cause.KILLED, detail="Its supervisor was killed.")


def _why(exited: WorkerExit, *, ended_for: Cause | None, resources: Resources) -> tuple[Cause, str]:
    if ended_for is Cause.DISK_FULL:
        return ended_for, "Its files grew too large."
    if ended_for is not None:
        return ended_for, "Its supervisor was told to end."
    if exited.returncode in BY_EXIT_CODE:
        return BY_EXIT_CODE[exited.returncode]
    if exited.returncode == -signal.SIGKILL and exited.cpu_time_s >= resources.cpu_time_s:
        return _BY_SIGNAL[signal.SIGXCPU]  # it lived on after the warning
    if -exited.returncode in _BY_SIGNAL:
        return _BY_SIGNAL[-exited.returncode]
    if tells_of_no_memory(exited.last_words):
        return BY_EXIT_CODE[ExitCode.OUT_OF_MEMORY]
    if tells_of_no_disk(exited.last_words):
        return BY_EXIT_CODE[ExitCode.DISK_FULL]
    if exited.returncode < 0:
        return Cause.CRASHED, f"It ended by {_signal_name(-exited.returncode)}."
    return Cause.CRASHED, f"It ended with exit code {exited.returncode}."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _limit(cause: Cause, resources: Resources) -> str:
    match cause:
        case Cause.OUT_OF_MEMORY:
            return f" It had {resources.memory_bytes / 1e9:.1f} GB."
        case Cause.CPU_TIME:
            return f" It had {resources.cpu_time_s} s."
        case Cause.DISK_FULL:
            return f" It had {resources.disk_bytes / 1e9:.1f} GB."
        case _:
            return ""
