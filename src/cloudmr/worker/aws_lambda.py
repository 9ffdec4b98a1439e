"""A worker as an AWS Lambda function: `cloudmr.worker.aws_lambda.handler`, its event the input of the execution.

The state machine sees the class of what is raised: out of memory, a job goes on to Fargate. A process works at one
attempt after the other, maybe of different people, so nothing of one is left to the next.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudmr.compute.execution_input import parse_input
from cloudmr.worker.errors import NO_ROOM
from cloudmr.worker.in_aws import run_attempt

WORK = "cloudmr-work"
"""The folder below the temporary one that is there during an invocation only."""


class TaskFailed(Exception):
    """The task cannot be done; the failure package in the unit's bucket says why."""


class DiskFull(Exception):
    """There was no room to write."""


def handler(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001 - the signature of a handler
    """Run an attempt and return the digest of the manifest it committed.

    Raises `TaskFailed`, `MemoryError`, `DiskFull`, `Unheard`.
    """
    request = parse_input(event)
    folder = Path(tempfile.gettempdir()) / WORK
    _remove(folder)  # of an invocation that ran out of time, which nobody let tidy up
    folder.mkdir(mode=0o700)
    try:
        outcome = run_attempt(request, folder=folder, stop=threading.Event())
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull(error.strerror) from None
        raise
    finally:
        _remove(folder)
        gc.collect()
    if outcome.manifest_sha256 is None:
        raise TaskFailed(outcome.error["code"] if outcome.error else "the worker did not say why")
    return {"manifest_sha256": outcome.manifest_sha256}


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
