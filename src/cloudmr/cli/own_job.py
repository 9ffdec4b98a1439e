"""A job through a Brain of its own, from files on this machine to the result package in a folder."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudmr.cli.following import watch
from cloudmr.cli.left_processes import end_processes_in
from cloudmr.cli.own_brain import own_brain
from cloudmr.cli.placement import local, placed
from cloudmr.cli.terminal import Terminal, byte_bar
from cloudmr.client.answers import Job
from cloudmr.client.brain import BrainClient
from cloudmr.client.errors import Refused
from cloudmr.model.results import MANIFEST, Manifest
from mroptimum.errors import ExplainedError
from mroptimum.flags import Flags
from mroptimum.task import FileReference


class OutputNotEmpty(ExplainedError):
    """The folder for the results holds something else than an earlier result."""

    code = "output_not_empty"


class JobFailed(ExplainedError):
    """The job has no result, for the reason that it gives itself."""

    code = "job_failed"


def run_through_own_brain(terminal: Terminal, *, signal: Path, noise: Path | None, flags: Flags, output: Path) -> Job:
    """Upload the files, run the job, and bring its result package into `output`, in place of an earlier one.

    Raise `OutputNotEmpty`, `JobFailed`, and what the client raises.
    """
    document = flags.document(local(signal), local(noise) if noise else None)
    with (
        _room(output),
        _temporary_home() as home,
        own_brain(home / "brain") as address,
        BrainClient(address, folder=home / "client") as brain,
    ):
        terminal.note(f"CloudMR Brain is at {address}, for as long as this takes.")
        _open_account(brain)
        job = brain.submit(placed(document, lambda path: _upload(brain, path)))
        terminal.note(f"{job.job_id} was accepted by {job.computing_unit.alias}.")
        with _cancelled_by_interrupt(brain, job):
            job = watch(brain, job.job_id)
        if job.failure is not None:
            raise JobFailed(job.failure.message, job.failure.next_step, code=job.failure.code)
        result = brain.result(job.job_id)
        _remove_earlier_result(output)  # only now that there is one to take its place
        with byte_bar("Downloading the result", sum(file.size_bytes for file in result.files)) as advance:
            brain.download_files(result, output, overwrite=True, advance=advance)
    return job


@contextmanager
def _temporary_home() -> Iterator[Path]:
    """Give a folder that is removed afterwards, with every process that still works there."""
    with tempfile.TemporaryDirectory(prefix="cloudmr-demo-", ignore_cleanup_errors=True) as folder:
        home = Path(folder).resolve()
        try:
            yield home
        finally:
            end_processes_in(home)


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Make a folder for results, known to be usable before anything takes long; without results it is not left."""
    folder.mkdir(parents=True, exist_ok=True)
    earlier = _earlier_result(folder)
    if any(path.is_file() and path not in earlier for path in folder.rglob("*")):
        raise OutputNotEmpty(f"{folder} holds something else than an earlier result.", "Choose another folder with -o.")
    try:
        yield
    finally:
        with suppress(OSError):  # what is not empty stays
            folder.rmdir()


def _earlier_result(folder: Path) -> list[Path]:
    """Return the files that a manifest in the folder names, and itself at last."""
    manifest = folder / MANIFEST
    known = Manifest.parse(manifest.read_bytes()) if manifest.is_file() else None
    if known is None:
        return []
    named = [folder / output.path for output in known.outputs]
    return [*(path for path in named if path.resolve().is_relative_to(folder.resolve())), manifest]


def _remove_earlier_result(folder: Path) -> None:
    for path in _earlier_result(folder):
        path.unlink(missing_ok=True)


def _open_account(brain: BrainClient) -> None:
    password = secrets.token_urlsafe(24)
    brain.register(email="demo@localhost", password=password)
    brain.log_in(email="demo@localhost", password=password)


def _upload(brain: BrainClient, path: Path) -> FileReference:
    with byte_bar(f"Uploading {path.name}", path.stat().st_size) as advance:
        # The Brain is ours alone and its home is removed: names in headers go nowhere.
        return brain.upload(path, keep_headers=True, advance=advance).reference


@contextmanager
def _cancelled_by_interrupt(brain: BrainClient, job: Job) -> Iterator[None]:
    """End a job whose follower was interrupted, so that nothing of it outlives its Brain."""
    try:
        yield
    except KeyboardInterrupt:
        with suppress(Refused):  # it ended at this very moment
            brain.cancel(job.job_id)
        for _ in brain.follow(job.job_id):
            pass
        raise
