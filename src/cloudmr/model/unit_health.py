"""What findings come to for a computing unit, and when to look again: decided here, written by `verify_unit`.

| found                                             | the unit is                     |
|---------------------------------------------------|---------------------------------|
| nothing wrong                                     | ready                           |
| it is not there any more                          | gone                            |
| others could use it, or something fails           | unwell                          |
| the same, every time, for a week                  | gone                            |
| nothing wrong, its answer to a known job awaited  | unverified, unless it was ready |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from cloudmr.model.findings import Check, Finding, Outcome, worst
from cloudmr.model.instants import require_utc
from cloudmr.model.units import ComputingUnit, UnitStatus

WELL_PERIOD = timedelta(hours=1)
"""How often a unit that is well is looked at."""
FIRST_ILL_PERIOD = timedelta(minutes=1)
LONGEST_ILL_PERIOD = timedelta(hours=1)
"""How often one that is not, the longer the rarer."""
GONE_AFTER = timedelta(days=7)
"""A unit that fails for so long is no longer there as far as anybody can tell: a stack that was deleted took the role
with it that could have said so."""
KNOWN_ANSWER_PERIOD = timedelta(days=7)
"""How often a unit proves its numbers; each proof is a small job."""


@dataclass(frozen=True, kw_only=True)
class Care:
    """When a unit is looked at, and what is awaited of it.

    `doubted_at` is when it failed while it was used; it gets no further job until it was looked at. `ill_since` is when
    it was first found ill and never well again since. `wants_default` says that its owner asked for it to become the
    default once it is ready. `known_answer_job_id` is the job whose numbers are awaited.
    """

    unit_id: str
    check_at: datetime
    known_answer_at: datetime
    doubted_at: datetime | None = None
    ill_since: datetime | None = None
    n_ill: int = 0
    wants_default: bool = False
    known_answer_job_id: str | None = None

    def __post_init__(self) -> None:
        require_utc(self)

    def is_known_answer_due(self, *, now: datetime) -> bool:
        """Tell whether the unit should prove its numbers, and does not do so at this moment."""
        return self.known_answer_job_id is None and now >= self.known_answer_at

    def after(self, status: UnitStatus, *, now: datetime) -> Self:
        """Return when to look again after the unit was found so."""
        if status in {UnitStatus.READY, UnitStatus.UNVERIFIED}:
            return replace(self, check_at=now + WELL_PERIOD, doubted_at=None, ill_since=None, n_ill=0)
        # Doubled each time, but no further than is ever used.
        period = min(FIRST_ILL_PERIOD * 2 ** min(self.n_ill, 16), LONGEST_ILL_PERIOD)
        return replace(
            self, check_at=now + period, doubted_at=None, ill_since=self.ill_since or now, n_ill=self.n_ill + 1
        )


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a unit is; `reason` is a sentence where it is not ready."""

    status: UnitStatus
    reason: str | None = None


def judge(unit: ComputingUnit, findings: Sequence[Finding], care: Care, *, now: datetime) -> Health:
    """Return what findings come to."""
    if (gone := worst(findings, Outcome.GONE)) is not None:
        return Health(status=UnitStatus.GONE, reason=_in_words(gone))
    if (ill := worst(findings, Outcome.REFUSED, Outcome.FAILED)) is not None:
        # Wrong numbers come from a unit that is there.
        is_lost = care.ill_since is not None and now >= care.ill_since + GONE_AFTER
        if is_lost and ill.check is not Check.KNOWN_ANSWER:
            reason = f"It has not worked for {GONE_AFTER.days} days. {_in_words(ill)}"
            return Health(status=UnitStatus.GONE, reason=reason)
        return Health(status=UnitStatus.UNWELL, reason=_in_words(ill))
    if unit.status is not UnitStatus.READY and worst(findings, Outcome.AWAITED) is not None:
        return Health(status=UnitStatus.UNVERIFIED, reason="It proves its numbers by a job whose answer is known.")
    return Health(status=UnitStatus.READY)


def _in_words(finding: Finding) -> str:
    return f"{finding.message} {finding.fix}".strip()
