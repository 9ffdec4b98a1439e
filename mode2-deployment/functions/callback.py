"""Tells CloudMR Brain that an execution has ended, however it did; the queue brings what was not heard again, for days.

Each record is an event of Step Functions. The input of the execution, which the Brain wrote, holds where to report and
the secret of this attempt; the signature is that of `cloudmr.model.callbacks`. The Brain asks the unit itself before it
believes anything, so that a report is no more than a hint.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

LAST_SEQUENCE = 2**31 - 1
TIMEOUT_S = 20
WORTH_ANOTHER_TRY = frozenset({401, 408, 425, 429})
"""Refusals that may be followed by consent; 401 because the signature carries a time, and clocks get set."""
WORDS = {
    "FAILED": "The execution failed.",
    "TIMED_OUT": "The execution was not done in time.",
    "ABORTED": "The execution was stopped.",
}


class NotHeard(Exception):
    """CloudMR Brain did not hear; the message goes back into the queue."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Report every end in a batch. Raise `NotHeard` where it is worth bringing again."""
    for record in event["Records"]:
        report(json.loads(record["body"])["detail"])


def report(detail: Mapping[str, Any]) -> None:
    """Report one end. What is no job of the Brain's, and what the Brain refuses for good, is given up."""
    job = _job(detail)
    if job is None:
        print(f"{detail.get('executionArn')} was not started by CloudMR Brain: nobody is told")
        return
    body = json.dumps(report_of(job, detail), separators=(",", ":")).encode()
    request = urllib.request.Request(job["callback_url"], data=body, headers=sign(job, body), method="POST")
    name = f"attempt {job['attempt']} at {job['job_id']}"
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            print(f"{name}: {detail['status']}, heard ({answer.status})")
    except urllib.error.HTTPError as error:
        if error.code >= 500 or error.code in WORTH_ANOTHER_TRY:
            raise NotHeard(f"{name}: CloudMR Brain answered {error.code}") from None
        print(f"{name}: CloudMR Brain answered {error.code}; it is not told again")
    except OSError as error:
        raise NotHeard(f"{name}: CloudMR Brain does not answer ({getattr(error, 'reason', error)})") from None


def report_of(job: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that `cloudmr.model.reports` describes."""
    said = {"schema": 1, "job_id": job["job_id"], "attempt": job["attempt"], "sequence": LAST_SEQUENCE}
    if detail["status"] == "SUCCEEDED":
        digest = (_read(detail.get("output")) or {}).get("manifest_sha256")
        return {**said, "event": "succeeded", **({"manifest_sha256": digest} if digest else {})}
    error = {"code": str(detail["status"]).lower(), "message": WORDS[detail["status"]], "next_step": ""}
    return {**said, "event": "failed", "error": error}


def sign(job: Mapping[str, Any], body: bytes) -> dict[str, str]:
    """Return the headers of a message that is sent now."""
    timestamp = str(int(time.time()))
    signed = "\n".join(("v1", timestamp, job["job_id"], str(job["attempt"]), hashlib.sha256(body).hexdigest()))
    digest = hmac.new(job["secret"].encode(), signed.encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-CloudMR-Key-Id": job["key_id"],
        "X-CloudMR-Timestamp": timestamp,
        "X-CloudMR-Signature": f"v1={digest}",
    }


def _job(detail: Mapping[str, Any]) -> dict[str, Any] | None:
    job = _read(detail.get("input"))
    needed = ("job_id", "attempt", "key_id", "secret", "callback_url")
    if job is None or any(name not in job for name in needed):
        return None
    url = str(job["callback_url"])
    return job if url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")) else None


def _read(text: str | None) -> dict[str, Any] | None:
    """Return the object in a text; None for none, and for what is none."""
    try:
        value = json.loads(text or "")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
