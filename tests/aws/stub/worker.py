"""A worker that does as it is told by its input (`does`), on either branch; it starts in a moment, computes nothing.

The real one is `cloudmr.worker`; this one is for what the accounts make of each end that a worker can come to.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

DIGEST = "5" * 64
ALWAYS = os.environ.get("STUB_DOES", "succeeds")
"""What a worker does that was started by somebody who cannot tell it."""
_MIB = 2**20


class TaskFailed(Exception):
    """The task is wrong in itself."""


def handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """Do as told, on Lambda."""
    act(event.get("does_on_lambda") or event.get("does") or ALWAYS)
    return {"manifest_sha256": DIGEST}


def main() -> int:
    """Do as told, on Fargate, and return the exit code."""
    job = json.loads(os.environ["CLOUDMR_JOB"])
    print(json.dumps({"job": job["job_id"], "memory": "as given"}), flush=True)
    try:
        act(job.get("does") or ALWAYS)
    except TaskFailed:
        return 70
    except MemoryError:
        return 72
    return 0


def act(what: str) -> None:
    """Come to the end that is asked for."""
    match what:
        case "succeeds":
            return
        case "raises":
            raise TaskFailed("the task is wrong in itself")
        case "is out of memory":
            raise MemoryError
        case "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "takes all memory":
            held = []
            while True:
                held.append(b"x" * (64 * _MIB))
                time.sleep(0.005)
        case "does not end":
            while True:
                time.sleep(0.1)
        case _:
            raise ValueError(what)


if __name__ == "__main__":
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        os.execv(sys.executable, [sys.executable, "-m", "awslambdaric", "worker.handler"])
    sys.exit(main())
