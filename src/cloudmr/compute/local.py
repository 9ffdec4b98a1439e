"""Jobs as processes of the machine the Brain runs on.

Each attempt is a folder (`run_folder`) with a supervisor of its own (`supervisor`), which needs no Brain: one that
comes back, or another one, finds the same folders and can describe and stop what they stand for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cloudmr.compute.attention import WAKE_UP
from cloudmr.compute.base import Execution, ExecutionRequest, ExecutionState, LogLine
from cloudmr.compute.ending import decide_ending_unseen
from cloudmr.compute.launch import Launch, RetryPolicy
from cloudmr.compute.limits import passed_on
from cloudmr.compute.run_folder import Claim, RunFolder
from cloudmr.compute.supervisor import CLAIMED, TAKEN
from cloudmr.errors import UnitUnavailable
from cloudmr.model.instants import Clock, utc_now

# -P: a job's files lie in the worker's current folder, and none of them is ever a module.
WORKER_COMMAND = (sys.executable, "-P", "-m", "cloudmr.worker.process")
_NAME = re.compile(r"[a-z0-9_]{1,32}-[0-9]{1,6}")
_START_TIMEOUT_S = 60


class LocalCompute:
    """The compute of a local unit: executions are folders below `root`, objects lie in the directory `storage_root`.

    `address_file` is where the Brain writes down at which address it is (`brain_address`).
    """

    def __init__(
        self,
        root: Path,
        *,
        storage_root: Path,
        worker_command: Sequence[str] = WORKER_COMMAND,
        stop_grace_s: float = 10,
        look_every_s: float = 0.5,
        retry: RetryPolicy | None = None,
        address_file: Path | None = None,
        environment: Mapping[str, str] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._root = root.absolute()
        self._storage_root = storage_root.absolute()
        self._worker_command = tuple(worker_command)
        self._stop_grace_s = stop_grace_s
        self._look_every_s = look_every_s
        self._retry = retry or RetryPolicy()
        self._address_file = address_file
        self._environment = passed_on(os.environ if environment is None else environment)
        self._clock = clock

    def start(self, request: ExecutionRequest) -> None:
        """Start an execution; one that was started before is left alone."""
        folder = self._folder(request.name)
        if folder.path.exists():
            return
        launch = Launch(
            request=request,
            storage_root=str(self._storage_root),
            worker_command=self._worker_command,
            stop_grace_s=self._stop_grace_s,
            look_every_s=self._look_every_s,
            retry=self._retry,
            address_file=str(self._address_file.absolute()) if self._address_file else None,
        )
        try:
            started = subprocess.run(  # noqa: S603 - our own module, a name that was checked
                [sys.executable, "-P", "-m", "cloudmr.compute.supervisor", str(folder.path)],
                input=launch.to_bytes(),
                capture_output=True,
                env=self._environment,
                cwd="/",
                start_new_session=True,
                timeout=_START_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _unavailable() from error
        if started.stdout.decode().strip() not in {CLAIMED, TAKEN}:
            raise _unavailable() from RuntimeError(started.stderr.decode(errors="replace")[-2000:])

    def describe(self, name: str) -> Execution:
        """Return what is true of an execution now; one whose supervisor is gone is brought to an end."""
        folder = self._folder(name)
        claim = folder.read_claim()
        if claim is None:
            return Execution(name=name, state=ExecutionState.UNKNOWN)
        # In this order: a supervisor that is gone has written the end before it went, if ever.
        is_looked_after = claim.supervisor.is_alive()
        if end := folder.read_end():
            return end
        if is_looked_after:
            return Execution(name=name, state=ExecutionState.RUNNING, started_at=claim.started_at)
        return self._bury(folder, claim)

    def stop(self, name: str) -> None:
        """Ask an execution to end; `describe` tells when it has. Of an ended or unknown one, do nothing."""
        folder = self._folder(name)
        claim = folder.read_claim()
        if claim is not None and folder.read_end() is None:
            folder.request_stop()
            claim.supervisor.send(WAKE_UP)

    def log(self, name: str) -> Sequence[LogLine]:
        """Return the log so far."""
        return tuple(self._folder(name).read_log())

    def remove_ended(self, *, before: datetime) -> int:
        """Remove the folders of executions that ended before a moment, and return how many.

        Those executions become unknown, so give a moment long after every job of theirs was settled.
        """
        removed = 0
        for path in self._root.glob("[!.]*"):
            folder = RunFolder(path=path)
            end = folder.read_end()
            if end and end.ended_at and end.ended_at < before:
                folder.remove()
                removed += 1
        for draft in self._root.glob(".*"):  # of a supervisor that was killed in the middle of its claim
            if draft.stat().st_mtime < before.timestamp():
                shutil.rmtree(draft)
        return removed

    def _bury(self, folder: RunFolder, claim: Claim) -> Execution:
        """Settle an execution whose supervisor died before it could."""
        if worker := folder.read_worker():
            worker.kill_group()
        ending = decide_ending_unseen(folder.read_outcome(), is_stop_requested=folder.is_stop_requested)
        end = folder.settle(ending.of(folder.name, started_at=claim.started_at, ended_at=self._clock()))
        folder.remove_work()
        return end

    def _folder(self, name: str) -> RunFolder:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no execution's name")
        return RunFolder(path=self._root / name)


def _unavailable() -> UnitUnavailable:
    return UnitUnavailable(
        "The computing unit on this machine could not start the job.",
        "See the server's log; free memory or disk, and the job will be tried again.",
    )
