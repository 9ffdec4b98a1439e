"""/metrics: the figures of a Brain, as Prometheus reads them; for the operator alone."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from cloudmr.api.access import TheBrain
from cloudmr.errors import NotAllowed
from cloudmr.services.present_figures import Figures, present_figures

router = APIRouter(tags=["health"])

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def require_operator(request: Request) -> None:
    """Raise `NotAllowed` unless the token is the one that was set; where none was, unless the request is from here.

    What a proxy on this machine passes on comes from elsewhere.
    """
    token: str | None = request.app.state.metrics_token
    if token is not None:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(), token.encode()):
            raise NotAllowed(
                "The figures of this CloudMR Brain are for its operator.",
                "Send `Authorization: Bearer …` with the value of CLOUDMR_METRICS_TOKEN.",
                code="operator_needed",
            )
        return
    is_passed_on = any(name in request.headers for name in _FORWARDED)
    if is_passed_on or not _is_loopback(request.client.host if request.client else ""):
        raise NotAllowed(
            "The figures of this CloudMR Brain are for its own machine.",
            "Ask from there, or set CLOUDMR_METRICS_TOKEN.",
            code="operator_needed",
        )


@router.get("/metrics", dependencies=[Depends(require_operator)], response_class=Response)
def metrics(brain: TheBrain) -> Response:
    """Return what Prometheus collects."""
    present = CollectorRegistry(auto_describe=False)
    present.register(_Present(present_figures(brain)))
    return Response(brain.metrics.exposition() + generate_latest(present), media_type=CONTENT_TYPE_LATEST)


class _Present:
    """The figures of this moment as Prometheus collects them."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        jobs = GaugeMetricFamily("cloudmr_jobs", "Jobs that have not ended, by state.", labels=["state"])
        for state, n_jobs in figures.n_jobs.items():
            jobs.add_metric([state], n_jobs)
        units = GaugeMetricFamily("cloudmr_units", "Computing units, by mode and status.", labels=["mode", "status"])
        for labels, n_units in figures.n_units.items():
            units.add_metric(list(labels), n_units)
        yield jobs
        yield units
        yield GaugeMetricFamily(
            "cloudmr_queue_age_seconds", "How long the longest waiting job has waited.", figures.longest_wait_s
        )
        yield GaugeMetricFamily("cloudmr_uploads_under_way", "Uploads that are not complete.", figures.n_uploads)
        yield GaugeMetricFamily("cloudmr_outbox_messages", "Messages that are not delivered yet.", figures.n_messages)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
