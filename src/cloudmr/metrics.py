"""What one Brain process counts, in the terms of Prometheus. Every process has counts of its own, none is global.

What stands in the database (jobs by state, units by status, …) is no count of a process; it is read when somebody asks
(`services/present_figures.py`).
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_SECONDS_OF_REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SECONDS_OF_STATEMENTS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)
_SECONDS_OF_WAITING = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


class Metrics:
    """Counts and times since the process began."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "cloudmr_http_request_seconds",
            "How long requests took to be answered, by method, route and status.",
            ("method", "route", "status"),
            buckets=_SECONDS_OF_REQUESTS,
            registry=self._registry,
        )
        self._statements = Histogram(
            "cloudmr_database_statement_seconds",
            "How long statements took in the database.",
            buckets=_SECONDS_OF_STATEMENTS,
            registry=self._registry,
        )
        self._dispatched = Histogram(
            "cloudmr_job_wait_seconds",
            "How long jobs waited for their first turn.",
            buckets=_SECONDS_OF_WAITING,
            registry=self._registry,
        )
        self._ended = Counter(
            "cloudmr_jobs_ended", "Jobs that this process settled.", ("state",), registry=self._registry
        )
        self._refused = Counter(
            "cloudmr_callbacks_refused",
            "Messages from units whose signature did not hold.",
            ("code",),
            registry=self._registry,
        )
        self._uploads = Counter(
            "cloudmr_uploads_completed", "Data files that became complete.", registry=self._registry
        )
        self._upload_bytes = Counter("cloudmr_upload_bytes", "Bytes of those files.", registry=self._registry)

    def request_answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is a template, never an address."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def statement_executed(self, seconds: float) -> None:
        """Count a statement of the database."""
        self._statements.observe(seconds)

    def job_dispatched(self, *, waited_s: float) -> None:
        """Count a job that got its first turn."""
        self._dispatched.observe(waited_s)

    def job_ended(self, state: str) -> None:
        """Count a job that was settled."""
        self._ended.labels(state).inc()

    def callback_refused(self, code: str) -> None:
        """Count a message from somebody who could not show to be the unit."""
        self._refused.labels(code).inc()

    def upload_completed(self, n_bytes: int) -> None:
        """Count a data file that became complete."""
        self._uploads.inc()
        self._upload_bytes.inc(n_bytes)

    def exposition(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)
