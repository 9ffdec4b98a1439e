"""Telling the Brain how an execution ended, again and again until it hears.

A callback is only a hint: the Brain's reconciler asks the unit anyway. So giving up, in the end, loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx

from cloudmr.compute.base import Cause, Execution, ExecutionRequest, ExecutionState
from cloudmr.compute.brain_address import ToPresentAddress
from cloudmr.compute.launch import RetryPolicy
from cloudmr.compute.outcome import Outcome
from cloudmr.model.callbacks import AttemptKey
from cloudmr.model.failures import failure_by_cause
from cloudmr.model.instants import Clock, utc_now
from cloudmr.model.reports import Report, ReportedError, ReportedEvent

LAST_SEQUENCE = 2**31 - 1
"""The end is the last message of an attempt, whatever number the worker's last progress had."""
_TIMEOUT_S = 30
_WORTH_ANOTHER_TRY = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED}
)
"""Refusals that may be followed by consent; 401 because the signature carries a time, and clocks get set."""


def attempt_key(request: ExecutionRequest) -> AttemptKey:
    """Return what signs messages about an attempt."""
    return AttemptKey(job_id=request.job_id, attempt=request.attempt, key_id=request.key_id, secret=request.secret)


def end_report(request: ExecutionRequest, end: Execution, outcome: Outcome) -> bytes:
    """Return the message that an execution ended, as it did: the worker's own error, else the cause in words."""
    if end.state is ExecutionState.SUCCEEDED:
        report = Report(
            job_id=request.job_id,
            attempt=request.attempt,
            event=ReportedEvent.SUCCEEDED,
            sequence=LAST_SEQUENCE,
            manifest_sha256=outcome.manifest_sha256,
        )
    else:
        explanation = outcome.error
        if explanation is None:
            failure = failure_by_cause(end.cause or Cause.CRASHED, end.detail)
            explanation = {"code": failure.code, "message": failure.message, "next_step": failure.next_step}
        report = Report(
            job_id=request.job_id,
            attempt=request.attempt,
            event=ReportedEvent.FAILED,
            sequence=LAST_SEQUENCE,
            error=ReportedError.of(explanation),
        )
    return report.to_bytes()


def tell(
    url: str,
    body: bytes,
    key: AttemptKey,
    *,
    retry: RetryPolicy,
    address_file: Path | None = None,
    clock: Clock = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Post a message until it is heard; return whether it was. It is signed anew at each try."""
    with httpx.Client(timeout=_TIMEOUT_S, transport=ToPresentAddress(address_file)) as client:
        waits_s = retry.waits_s()
        while True:
            heard = _post(client, url, body, key.sign(body, now=clock()))
            wait_s = next(waits_s, None)
            if heard is not None or wait_s is None:
                return bool(heard)
            sleep(wait_s)


def _post(client: httpx.Client, url: str, body: bytes, signature: dict[str, str]) -> bool | None:
    """Return whether the Brain heard, or None when it is worth trying again."""
    try:
        answer = client.post(url, content=body, headers=signature | {"Content-Type": "application/json"})
    except httpx.TransportError:
        return None
    if answer.is_client_error and answer.status_code not in _WORTH_ANOTHER_TRY:
        return False
    return True if answer.is_success else None
