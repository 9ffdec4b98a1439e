"""An attempt at a job inside an AWS account, on Lambda and on Fargate alike: objects in S3, lines of the log on stdout.

    CLOUDMR_DATA_BUCKET, CLOUDMR_RESULTS_BUCKET, CLOUDMR_FAILED_BUCKET, AWS_REGION

say where; the credentials are those of the function's or the task's role.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from cloudmr.aws.sessions import OwnAccess
from cloudmr.compute.base import ExecutionRequest
from cloudmr.compute.outcome import Outcome
from cloudmr.model.instants import utc_now
from cloudmr.storage.base import Bucket
from cloudmr.storage.s3 import S3Storage
from cloudmr.worker.brain import Brain
from cloudmr.worker.job import run_job
from cloudmr.worker.journal import Journal, to_stream
from cloudmr.worker.progress import ProgressReporter

_TIMEOUT_S = 30


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the stack told its workers."""

    region: str
    buckets: Mapping[Bucket, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Read the environment. Raise `KeyError` with the name of what it lacks."""
        return cls(
            region=environment["AWS_REGION"],
            buckets={bucket: environment[f"CLOUDMR_{bucket.name}_BUCKET"] for bucket in Bucket},
        )


def run_attempt(request: ExecutionRequest, *, folder: Path, stop: threading.Event) -> Outcome:
    """Run an attempt, with its files in `folder` (empty), and return what became of it.

    Raises what `run_job` raises, and `Unheard`.
    """
    surroundings = Surroundings.of(os.environ)
    storage = S3Storage(OwnAccess(region=surroundings.region), surroundings.buckets)
    with httpx.Client(timeout=_TIMEOUT_S) as client:
        brain = Brain(request, client, clock=utc_now, wait=stop.wait)
        document = brain.fetch_document()
        with ProgressReporter(brain.tell_progress) as reporter:
            return run_job(
                document,
                storage=storage,
                folder=folder,
                journal=Journal(to_stream(sys.stdout, execution=request.name), clock=utc_now, report=reporter.report),
                cancelled=stop.is_set,
                counter=brain,
            )
