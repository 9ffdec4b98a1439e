"""A worker of which the conformance suite of computes says how it behaves: the name of its attempt's key tells."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

DIGEST = "5" * 64


class TaskFailed(Exception):
    """The task is wrong in itself."""


def handler(event: Mapping[str, Any], _context: object) -> dict[str, str]:
    """Behave so on Lambda."""
    if event["key_id"] == "fails":
        raise TaskFailed("no_noise")
    if event["key_id"] == "runs":
        threading.Event().wait()
    return {"manifest_sha256": DIGEST}


def main() -> int:
    """Behave so on Fargate, and return the exit code."""
    match json.loads(os.environ["CLOUDMR_JOB"])["key_id"]:
        case "fails":
            return 70
        case "runs":
            signal.pause()
            return 71
        case _:
            return 0


if __name__ == "__main__":
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        os.execv(sys.executable, [sys.executable, "-m", "awslambdaric", "behaving.handler"])
    sys.exit(main())
