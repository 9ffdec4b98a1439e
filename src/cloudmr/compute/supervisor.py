"""Looks after one worker on this machine, from its start to the report of its end, whatever becomes of the Brain.

    python -m cloudmr.compute.supervisor RUN_FOLDER < launch message

The process that is started answers `claimed` or `taken` on standard output and leaves; the supervisor itself is its
child, in a session of its own. So the Brain has nothing to wait for, and its end is not the supervisor's.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from cloudmr.compute.attention import Attention
from cloudmr.compute.base import Cause, Execution, ExecutionState
from cloudmr.compute.ending import Ending, WorkerExit, decide_ending
from cloudmr.compute.launch import Launch
from cloudmr.compute.limits import apply_limits
from cloudmr.compute.processes import ProcessIdentity
from cloudmr.compute.run_folder import Claim, RunFolder
from cloudmr.model.instants import utc_now

CLAIMED = "claimed"
"""Said when the attempt is this supervisor's."""
TAKEN = "taken"
"""Said when another one has it."""
_LAST_WORDS_BYTES = 4096


def main(run_folder: Path) -> None:
    """Leave a supervisor behind; return before it has claimed the attempt."""
    launch = Launch.parse(sys.stdin.buffer.read())
    if os.fork() != 0:
        return
    status = 1
    try:
        _supervise(RunFolder(path=run_folder), launch)
        status = 0
    except BaseException:  # the end of the process is the only place left to say it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)  # not back into the caller's code, which the parent runs


def _supervise(folder: RunFolder, launch: Launch) -> None:
    attention = Attention()  # before anybody knows of this process, who could then end it by waking it up
    claim = Claim(supervisor=ProcessIdentity.of(os.getpid()), started_at=utc_now())
    if not folder.claim(claim):
        print(TAKEN, flush=True)
        return
    print(CLAIMED, flush=True)
    _let_go_of_the_caller(folder.supervisor_log)
    ending = _run_worker(folder, launch, claim, attention)
    end = _settle(folder, claim, ending)
    outcome = folder.read_outcome()
    folder.remove_work()
    from cloudmr.compute.reporting import attempt_key, end_report, tell

    body = end_report(launch.request, end, outcome)
    address_file = Path(launch.address_file) if launch.address_file else None
    tell(
        launch.request.callback_url,
        body,
        attempt_key(launch.request),
        retry=launch.retry,
        address_file=address_file,
    )


def _let_go_of_the_caller(log: Path) -> None:
    """Put other things in place of the standard streams; the caller waits for the end of its pipes."""
    with open(os.devnull, "r+b") as nothing, log.open("ab") as file:  # noqa: PTH123 - a name, not a path
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _run_worker(folder: RunFolder, launch: Launch, claim: Claim, attention: Attention) -> Ending:
    try:
        worker = _start_worker(folder, launch)
    except (OSError, subprocess.SubprocessError) as error:
        detail = f"The worker could not be started: {error}"
        return Ending(state=ExecutionState.FAILED, cause=Cause.CRASHED, detail=detail)
    try:
        # Needed at the end, and slow to import: better now, while the worker starts, than before or after.
        importlib.import_module("cloudmr.compute.reporting")
        ended_for = _watch(worker, folder, launch, claim, attention)
    finally:
        _signal_group(worker, signal.SIGKILL)  # also what the worker left behind
        returncode = worker.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    exited = WorkerExit(
        returncode=returncode,
        cpu_time_s=used.ru_utime + used.ru_stime,
        last_words=_last_words(folder.worker_log),
    )
    return decide_ending(exited, ended_for=ended_for, resources=launch.request.resources)


def _start_worker(folder: RunFolder, launch: Launch) -> subprocess.Popen[bytes]:
    def before_the_worker() -> None:
        # In the child: there is no moment at which a worker runs that is not written down.
        folder.note_worker(ProcessIdentity.of(os.getpid()))
        apply_limits(launch.request.resources)

    with folder.worker_log.open("ab") as log:
        worker = subprocess.Popen(  # noqa: S603 - the Brain's own command
            launch.worker_command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder.work,
            env=os.environ | {"TMPDIR": str(folder.work), "MPLCONFIGDIR": str(folder.work)},
            start_new_session=True,
            preexec_fn=before_the_worker,  # safe: this process has one thread
        )
    assert worker.stdin is not None
    with suppress(BrokenPipeError), worker.stdin:
        worker.stdin.write(launch.to_bytes())
    return worker


def _watch(
    worker: subprocess.Popen[bytes], folder: RunFolder, launch: Launch, claim: Claim, attention: Attention
) -> Cause | None:
    """Return when the worker has ended: why it was made to, or None."""
    ended_for: Cause | None = None
    kill_at_s = float("inf")
    while worker.poll() is None:
        if ended_for is None:
            ended_for = _reason_to_end(folder, launch, claim, attention)
            if ended_for is not None:
                # More files are written while it tidies up: where there is no room, there is no grace.
                grace_s = 0 if ended_for is Cause.DISK_FULL else launch.stop_grace_s
                kill_at_s = time.monotonic() + grace_s
                _signal_group(worker, signal.SIGTERM)
        if time.monotonic() >= kill_at_s:
            _signal_group(worker, signal.SIGKILL)
        attention.wait(min(launch.look_every_s, max(kill_at_s - time.monotonic(), 0.01)))
    return ended_for


def _reason_to_end(folder: RunFolder, launch: Launch, claim: Claim, attention: Attention) -> Cause | None:
    resources = launch.request.resources
    if folder.is_stop_requested:
        return Cause.STOPPED
    if attention.is_told_to_end:
        return Cause.KILLED
    if utc_now() >= claim.started_at + timedelta(seconds=resources.deadline_s):
        return Cause.DEADLINE
    if _size_bytes(folder.path) > resources.disk_bytes:
        return Cause.DISK_FULL
    return None


def _settle(folder: RunFolder, claim: Claim, ending: Ending) -> Execution:
    end = ending.of(folder.name, started_at=claim.started_at, ended_at=utc_now())
    try:
        return folder.settle(end)
    except OSError:
        # The disk is full, perhaps of the worker's own files.
        folder.remove_work()
        return folder.settle(end)


def _signal_group(worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, number)


def _size_bytes(folder: Path) -> int:
    """Return what a folder takes on disk; what vanishes meanwhile does not count."""
    total = 0
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    total += _size_bytes(Path(entry.path))
                else:
                    total += 512 * entry.stat(follow_symlinks=False).st_blocks
    return total


def _last_words(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - _LAST_WORDS_BYTES, 0))
        return file.read().decode(errors="replace")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
