"""What was looked at in a computing unit, and what was found: a closed vocabulary, each finding with its fix.

A check reports all findings at once. What they come to for the unit is decided in `unit_health.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudmr.model.instants import require_utc


class Check(StrEnum):
    """What is looked at. Which of them exist for a unit is its probe's to say."""

    REACHABLE = "reachable"
    """The unit answers at all."""
    ROLE_ASSUMED = "role_assumed"
    """Its role can be assumed with the ExternalId that only this unit got."""
    ROLE_NEEDS_EXTERNAL_ID = "role_needs_external_id"
    """Its role cannot be assumed without an ExternalId."""
    ROLE_REFUSES_WRONG_EXTERNAL_ID = "role_refuses_wrong_external_id"
    """Its role cannot be assumed with another ExternalId."""
    ROLE_IS_NARROW = "role_is_narrow"
    """What the role does not need, it may not do."""
    EXECUTIONS = "executions"
    """Its state machine is there, and its executions can be described."""
    WORKERS = "workers"
    """Processes that work at jobs can be started."""
    DATA_BUCKET = "data_bucket"
    """Its bucket for data is there, belongs to its account, and can be used."""
    RESULTS_BUCKET = "results_bucket"
    """The same of its bucket for results."""
    FAILED_BUCKET = "failed_bucket"
    """The same of its bucket for failure packages."""
    UPLOADS_FROM_PAGES = "uploads_from_pages"
    """Its data bucket lets pages of CloudMR Brain upload (CORS)."""
    IMAGE = "image"
    """The image that it runs is one that is known, by its digest."""
    ROOM = "room"
    """There is room for results."""
    KNOWN_ANSWER = "known_answer"
    """A job on a synthetic acquisition, whose SNR is known in closed form, gives the right numbers."""


class Outcome(StrEnum):
    """What a look came to."""

    PASSED = "passed"
    """It is as it should be."""
    DOUBTFUL = "doubtful"
    """Jobs can run; something is not as it should be."""
    FAILED = "failed"
    """Jobs cannot run until it is mended."""
    REFUSED = "refused"
    """Others could use the unit, or its role: it is not used until that is mended."""
    GONE = "gone"
    """What was looked for is no longer there."""
    UNSEEN = "unseen"
    """It cannot be seen from CloudMR Brain; `cloudmr unit check` with the owner's own credentials sees it."""
    AWAITED = "awaited"
    """The look has begun, and its end will be told."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one look came to: a sentence, and what to do about it (empty where there is nothing to do)."""

    check: Check
    outcome: Outcome
    message: str
    fix: str = ""
    at: datetime

    def __post_init__(self) -> None:
        require_utc(self)


def worst(findings: Iterable[Finding], *outcomes: Outcome) -> Finding | None:
    """Return the first finding of the first of these outcomes that there is."""
    found = list(findings)
    return next((finding for outcome in outcomes for finding in found if finding.outcome is outcome), None)
