from __future__ import annotations

import signal

import pytest

from cloudmr.compute.base import Cause, ExecutionState, Resources
from cloudmr.compute.ending import Ending, WorkerExit, decide_ending, decide_ending_unseen
from cloudmr.compute.exit_codes import ExitCode
from cloudmr.compute.outcome import Outcome
from cloudmr.model.failures import failure_by_cause
from mroptimum.errors import Explanation

RESOURCES = Resources(memory_bytes=2_000_000_000, cpu_time_s=60, disk_bytes=3_000_000_000, deadline_s=90)


def ending(returncode: int, *, last_words: str = "", cpu_time_s: float = 1, ended_for: Cause | None = None) -> Ending:
    exited = WorkerExit(returncode=returncode, cpu_time_s=cpu_time_s, last_words=last_words)
    return decide_ending(exited, ended_for=ended_for, resources=RESOURCES)


def test_results_in_place_are_a_success() -> None:
    assert ending(ExitCode.SUCCEEDED) == Ending(state=ExecutionState.SUCCEEDED)


@pytest.mark.parametrize("ended_for", [Cause.STOPPED, Cause.DEADLINE, Cause.DISK_FULL, Cause.KILLED])
def test_results_in_place_are_a_success_even_if_the_end_was_asked_for(ended_for: Cause) -> None:
    assert ending(ExitCode.SUCCEEDED, ended_for=ended_for).state is ExecutionState.SUCCEEDED


@pytest.mark.parametrize("returncode", [ExitCode.STOPPED, ExitCode.FAILED, -signal.SIGTERM, -signal.SIGKILL, 1])
@pytest.mark.parametrize(
    ("ended_for", "state"),
    [
        (Cause.STOPPED, ExecutionState.STOPPED),
        (Cause.DEADLINE, ExecutionState.TIMED_OUT),
        (Cause.DISK_FULL, ExecutionState.FAILED),
        (Cause.KILLED, ExecutionState.FAILED),
    ],
)
def test_why_a_worker_was_ended_tells_more_than_how(returncode: int, ended_for: Cause, state: ExecutionState) -> None:
    found = ending(returncode, ended_for=ended_for)
    assert (found.state, found.cause) == (state, ended_for)


@pytest.mark.parametrize(
    ("returncode", "cause"),
    [
        (ExitCode.FAILED, Cause.TASK_FAILED),
        (ExitCode.OUT_OF_MEMORY, Cause.OUT_OF_MEMORY),
        (ExitCode.DISK_FULL, Cause.DISK_FULL),
        (ExitCode.UNHEARD, Cause.UNHEARD),
        (ExitCode.STOPPED, Cause.KILLED),
        (-signal.SIGKILL, Cause.KILLED),
        (-signal.SIGTERM, Cause.KILLED),
        (-signal.SIGXCPU, Cause.CPU_TIME),
        (-signal.SIGXFSZ, Cause.DISK_FULL),
        (-signal.SIGSEGV, Cause.CRASHED),
        (-signal.SIGABRT, Cause.CRASHED),
        (-(signal.SIGRTMIN + 3), Cause.CRASHED),
        (1, Cause.CRASHED),
    ],
)
def test_what_an_exit_means(returncode: int, cause: Cause) -> None:
    found = ending(returncode)
    assert (found.state, found.cause) == (ExecutionState.FAILED, cause)


@pytest.mark.parametrize(
    ("returncode", "last_words", "cause"),
    [
        (1, "Traceback\nMemoryError\n", Cause.OUT_OF_MEMORY),
        (1, "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 2 GiB", Cause.OUT_OF_MEMORY),
        (-signal.SIGABRT, "terminate called after throwing an instance of 'std::bad_alloc'", Cause.OUT_OF_MEMORY),
        (1, "OpenBLAS error: Memory allocation still failed after 10 retries, giving up.", Cause.OUT_OF_MEMORY),
        (1, "ImportError: ft2font.so: failed to map segment from shared object", Cause.OUT_OF_MEMORY),
        (1, "RuntimeError: can't start new thread", Cause.OUT_OF_MEMORY),
        (1, "OSError: [Errno 28] No space left on device", Cause.DISK_FULL),
        (1, "OSError: [Errno 27] File too large", Cause.DISK_FULL),
        (-signal.SIGKILL, "MemoryError", Cause.KILLED),
    ],
)
def test_the_last_words_of_a_crash_tell_its_cause(returncode: int, last_words: str, cause: Cause) -> None:
    assert ending(returncode, last_words=last_words).cause is cause


def test_a_worker_killed_by_the_system_after_its_processor_time_used_it_up() -> None:
    assert ending(-signal.SIGKILL, cpu_time_s=RESOURCES.cpu_time_s + 5).cause is Cause.CPU_TIME
    assert ending(-signal.SIGKILL, cpu_time_s=RESOURCES.cpu_time_s - 5).cause is Cause.KILLED


@pytest.mark.parametrize(
    ("returncode", "figure"),
    [
        (ExitCode.OUT_OF_MEMORY, "2.0 GB"),
        (ExitCode.DISK_FULL, "3.0 GB"),
        (-signal.SIGXCPU, "60 s"),
        (-signal.SIGSEGV, "SIGSEGV"),
        (7, "exit code 7"),
    ],
)
def test_the_detail_has_figures(returncode: int, figure: str) -> None:
    assert figure in (ending(returncode).detail or "")


@pytest.mark.parametrize("cause", Cause)
def test_the_brain_has_words_for_every_cause(cause: Cause) -> None:
    assert failure_by_cause(cause).code == cause


def test_an_end_nobody_saw() -> None:
    unknown, error = Outcome(), Explanation(code="no_noise", message="m", next_step="n")
    committed = Outcome(manifest_sha256="0" * 64)
    assert decide_ending_unseen(committed, is_stop_requested=True).state is ExecutionState.SUCCEEDED
    assert decide_ending_unseen(Outcome(error=error), is_stop_requested=True).cause is Cause.TASK_FAILED
    assert decide_ending_unseen(unknown, is_stop_requested=True).state is ExecutionState.STOPPED
    killed = decide_ending_unseen(unknown, is_stop_requested=False)
    assert (killed.state, killed.cause) == (ExecutionState.FAILED, Cause.KILLED)
