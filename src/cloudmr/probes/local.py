"""Looks at the Brain's own machine: whether objects can be kept there, and workers started."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cloudmr.errors import UnitUnavailable
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.instants import Clock, utc_now
from cloudmr.model.permissions import Measured, Permission
from cloudmr.storage.base import Bucket
from cloudmr.storage.local_objects import LocalObjects

FULL_BYTES = 10**9
"""With less room left no result of any size can be kept."""
SCARCE_BYTES = 10 * 10**9
"""With less, the next large upload may fill it."""
_CHECK_OF: dict[Bucket, Check] = {
    Bucket.DATA: Check.DATA_BUCKET,
    Bucket.RESULTS: Check.RESULTS_BUCKET,
    Bucket.FAILED: Check.FAILED_BUCKET,
}
# -P as workers are started: a module that lies about must not be taken for one of ours.
_START_A_WORKER = (sys.executable, "-P", "-c", "import cloudmr.worker.process")
_START_TIMEOUT_S = 60


class LocalProbe:
    """Looks at a local unit: its objects lie in `storage_root`, its executions in `run_root`."""

    def __init__(
        self,
        *,
        storage_root: Path,
        run_root: Path,
        start_a_worker: Sequence[str] = _START_A_WORKER,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        clock: Clock = utc_now,
    ) -> None:
        self._storage_root = storage_root
        self._run_root = run_root
        self._start_a_worker = tuple(start_a_worker)
        self._free_bytes = free_bytes
        self._clock = clock

    def look(self) -> Sequence[Finding]:
        """Return everything that was found."""
        return (*(self._bucket(bucket) for bucket in Bucket), self._workers(), self._room())

    def permissions(self) -> Sequence[Permission]:
        """Return what the Brain may do on its own machine: what its user may do in its own folders."""
        measured = Measured.REFUSED if self._complaint(Bucket.DATA) else Measured.ALLOWED
        if not self._storage_root.is_dir():
            raise UnitUnavailable(
                "The folder of the unit on this machine is not there.", f"Bring back {self._storage_root}."
            )
        return (
            Permission(
                action="read, write, delete",
                resource=str(self._storage_root),
                purpose="to keep data, results, masks and failure packages, and to remove them when their time is up",
                is_declared=True,
                measured=measured,
            ),
            Permission(
                action="start and end processes",
                resource=str(self._run_root),
                purpose="to run jobs, as the user that CloudMR Brain runs as, within the limits of each job",
                is_declared=True,
            ),
        )

    def _bucket(self, bucket: Bucket) -> Finding:
        complaint = self._complaint(bucket)
        if complaint is None:
            message = f"An object was put into the bucket {bucket}, read back and removed."
            return self._finding(_CHECK_OF[bucket], Outcome.PASSED, message)
        return self._finding(
            _CHECK_OF[bucket],
            Outcome.FAILED,
            f"The bucket {bucket} on this machine does not keep an object: {complaint}.",
            f"Make {self._storage_root} a folder that CloudMR Brain can write to (CLOUDMR_STORAGE names it).",
        )

    def _complaint(self, bucket: Bucket) -> str | None:
        """Return what is wrong when an object is put into a bucket and read back, None for nothing."""
        key = f"checks/{secrets.token_hex(8)}"
        content = secrets.token_bytes(64)
        try:
            objects = LocalObjects(self._storage_root)
            with tempfile.TemporaryDirectory() as folder:
                source = Path(folder) / "object"
                source.write_bytes(content)
                objects.put(bucket, key, source)
            try:
                is_same = objects.read(bucket, key, limit_bytes=len(content)) == content
            finally:
                objects.delete(bucket, key)
        except OSError as error:
            return error.strerror or type(error).__name__
        return None if is_same else "other bytes came back"

    def _workers(self) -> Finding:
        try:
            self._run_root.mkdir(mode=0o700, parents=True, exist_ok=True)
            trial = self._run_root / f".{secrets.token_hex(8)}"
            trial.mkdir()
            trial.rmdir()
            started = subprocess.run(  # noqa: S603 - our own command
                self._start_a_worker, capture_output=True, timeout=_START_TIMEOUT_S, check=False, cwd="/"
            )
            complaint = f"it ended with {started.returncode}" if started.returncode else None
        except (OSError, subprocess.TimeoutExpired) as error:
            complaint = getattr(error, "strerror", None) or type(error).__name__
        if complaint is None:
            return self._finding(Check.WORKERS, Outcome.PASSED, "A worker was started.")
        return self._finding(
            Check.WORKERS,
            Outcome.FAILED,
            f"A worker cannot be started on this machine: {complaint}.",
            f"See that {self._run_root} can be written to, that memory is left, and that the installation is whole.",
        )

    def _room(self) -> Finding:
        try:
            free_bytes = self._free_bytes(self._storage_root)
        except OSError as error:
            message = f"How much room is left cannot be told: {error.strerror}."
            return self._finding(Check.ROOM, Outcome.FAILED, message, f"Bring back {self._storage_root}.")
        message = f"{free_bytes / 1e9:.1f} GB are left on the disk of {self._storage_root}."
        if free_bytes >= SCARCE_BYTES:
            return self._finding(Check.ROOM, Outcome.PASSED, message)
        outcome = Outcome.FAILED if free_bytes < FULL_BYTES else Outcome.DOUBTFUL
        return self._finding(Check.ROOM, outcome, message, "Remove what is not needed, or move CLOUDMR_STORAGE.")

    def _finding(self, check: Check, outcome: Outcome, message: str, fix: str = "") -> Finding:
        return Finding(check=check, outcome=outcome, message=message, fix=fix, at=self._clock())
