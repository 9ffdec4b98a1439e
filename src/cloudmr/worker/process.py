"""A worker as a process of this machine: `python -m cloudmr.worker.process < launch message`, in a folder to work in.

What it prints, tracebacks included, is for the unit's operator; its exit code is for the supervisor.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import httpx

from cloudmr.compute.brain_address import ToPresentAddress
from cloudmr.compute.exit_codes import ExitCode
from cloudmr.compute.launch import Launch
from cloudmr.compute.outcome import Outcome
from cloudmr.compute.run_folder import RunFolder
from cloudmr.model.instants import utc_now
from cloudmr.storage.local_objects import LocalObjects
from cloudmr.worker.brain import Brain
from cloudmr.worker.ending import exit_code_of
from cloudmr.worker.progress import ProgressReporter

_TIMEOUT_S = 30


def main(launch: Launch, folder: RunFolder) -> ExitCode:
    """Run the attempt that the message describes, in its folder."""
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal's function
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    return exit_code_of(lambda: _work(launch, folder, stop))


def _work(launch: Launch, folder: RunFolder, stop: threading.Event) -> Outcome:
    address_file = Path(launch.address_file) if launch.address_file else None
    with httpx.Client(timeout=_TIMEOUT_S, transport=ToPresentAddress(address_file)) as client:
        brain = Brain(launch.request, client, clock=utc_now, wait=stop.wait)
        document = brain.fetch_document()
        # Only now, when whoever waits is told that the job runs: what computes takes most of a start to import.
        from cloudmr.worker.job import run_job
        from cloudmr.worker.journal import Journal, to_file

        with ProgressReporter(brain.tell_progress) as reporter:
            outcome = run_job(
                document,
                storage=LocalObjects(Path(launch.storage_root)),
                folder=folder.work,
                journal=Journal(to_file(folder.log), clock=utc_now, report=reporter.report),
                cancelled=stop.is_set,
                counter=brain,
            )
    folder.write_outcome(outcome)
    return outcome


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    sys.exit(main(Launch.parse(sys.stdin.buffer.read()), RunFolder(path=Path.cwd().parent)))
