"""The Brain as a worker sees it: it gives the job document and is told the progress."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from cloudmr.compute.base import ExecutionRequest
from cloudmr.compute.launch import RetryPolicy
from cloudmr.compute.reporting import attempt_key
from cloudmr.model.documents import JobDocument
from cloudmr.model.instants import Clock
from cloudmr.model.reports import Report, ReportedEvent, ReportedInput, ReportedProgress
from cloudmr.worker.errors import Unheard
from mroptimum.errors import Cancelled

if TYPE_CHECKING:  # what computes takes longer to import than the Brain to answer
    from mroptimum.journal import Progress

_PATIENCE = RetryPolicy(first_wait_s=0.5, longest_wait_s=15, give_up_after_s=120)
"""A Brain that restarts is back by then."""


class Brain:
    """Signs everything with the secret of one attempt.

    `wait` waits for so many seconds, or until the worker is asked to stop, and tells which (as `threading.Event.wait`).
    """

    def __init__(
        self,
        request: ExecutionRequest,
        client: httpx.Client,
        *,
        clock: Clock,
        wait: Callable[[float], bool],
        retry: RetryPolicy = _PATIENCE,
    ) -> None:
        self._request = request
        self._client = client
        self._clock = clock
        self._retry = retry
        self._wait = wait
        self._key = attempt_key(request)
        self._sequence = itertools.count(1)

    def fetch_document(self) -> JobDocument:
        """Return the job document.

        Raise `Unheard` when the Brain refuses it, or says nothing for long, and `Cancelled` when somebody does not want
        to wait any longer.
        """
        waits_s = self._retry.waits_s()
        while True:
            try:
                answer = self._client.get(self._request.document_url, headers=self._key.sign(b"", now=self._clock()))
                if answer.is_success:
                    return JobDocument.parse(answer.content)
                why = f"it answered {answer.status_code}"
                is_final = answer.is_client_error and answer.status_code not in {408, 425, 429}
            except httpx.TransportError as error:
                why, is_final = f"{type(error).__name__}", False
            except ValueError as error:
                raise Unheard("what it gave is no job document") from error
            wait_s = next(waits_s, None)
            if is_final or wait_s is None:
                raise Unheard(why)
            if self._wait(wait_s):
                raise Cancelled("The job was asked to stop.", "Submit it again if it is wanted.")

    def tell_progress(self, progress: Progress) -> None:
        """Report a step. Raise `httpx.HTTPError` when the Brain does not hear it; it is not tried again."""
        reported = ReportedProgress(
            step=progress.step[:64], done=progress.done, total=progress.total, message=progress.message[:500]
        )
        self._tell(self._report(ReportedEvent.PROGRESS, progress=reported))

    def tell_input(self, found: ReportedInput) -> None:
        """Report a data file that named a person, until the Brain has heard it.

        Raise `Unheard` when it does not for long, and `Cancelled` when somebody does not want to wait any longer.
        """
        waits_s = self._retry.waits_s()
        while True:
            try:
                return self._tell(self._report(ReportedEvent.INPUT_CLEANED, input=found))
            except httpx.HTTPError as error:
                wait_s = next(waits_s, None)
                if wait_s is None:
                    raise Unheard(f"{type(error).__name__}") from None
            if self._wait(wait_s):
                raise Cancelled("The job was asked to stop.", "Submit it again if it is wanted.")

    def _report(self, event: ReportedEvent, **content: Any) -> Report:
        return Report(
            job_id=self._request.job_id,
            attempt=self._request.attempt,
            event=event,
            sequence=next(self._sequence),
            **content,
        )

    def _tell(self, report: Report) -> None:
        body = report.to_bytes()
        headers = self._key.sign(body, now=self._clock()) | {"Content-Type": "application/json"}
        self._client.post(self._request.progress_url, content=body, headers=headers).raise_for_status()
