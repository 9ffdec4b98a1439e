"""A worker as a container on AWS Fargate: `python -m cloudmr.worker.fargate`, the input in the variable `CLOUDMR_JOB`.

Its exit code tells what became of the attempt. SIGTERM, with which a task is stopped, asks it to end.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

from cloudmr.compute.execution_input import parse_input
from cloudmr.compute.exit_codes import ExitCode
from cloudmr.worker.ending import exit_code_of
from cloudmr.worker.in_aws import run_attempt

INPUT = "CLOUDMR_JOB"


def main() -> ExitCode:
    """Run the attempt that the environment describes, in a folder of its own."""
    # Taken out: whatever is started from here need not know the attempt's secret.
    request = parse_input(os.environ.pop(INPUT))
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal's function
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    with tempfile.TemporaryDirectory(prefix="cloudmr-") as folder:
        return exit_code_of(lambda: run_attempt(request, folder=Path(folder), stop=stop))


def serve() -> None:
    """Run the attempt, and end the process with the code that tells its end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("httpx", "botocore", "boto3", "s3transfer", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    sys.exit(main())


if __name__ == "__main__":
    serve()
