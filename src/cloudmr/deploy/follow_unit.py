"""Following a unit that was just registered until it has proven its numbers, or until it is clear that it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cloudmr.client.brain import BrainClient
from cloudmr.client.unit_answers import Finding, UnitCheck
from cloudmr.deploy.carry_out import Pause
from cloudmr.model.findings import Outcome
from cloudmr.model.units import UnitStatus

LONGEST_S = 15 * 60
"""IAM needs seconds to settle, a cold start and the small job a minute or two."""
_EVERY_S = 2.0
_BAD = (Outcome.REFUSED, Outcome.FAILED, Outcome.GONE)
_SETTLES_S = 180
"""For so long a failed look may be IAM that has not settled: the Brain looks again by itself."""


class Verdict(StrEnum):
    """What following came to."""

    VERIFIED = "verified for SNR"
    """It ran a job whose numbers are known, and gave them."""
    FAILED = "not verified"
    """Something is not as it should be."""
    UNDECIDED = "not verified yet"
    """Nobody waited any longer."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """The verdict, and what was found last."""

    verdict: Verdict
    check: UnitCheck


def follow_unit(
    brain: BrainClient,
    unit_id: str,
    *,
    hear: Callable[[Finding], None],
    pause: Pause = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Followed:
    """Tell of findings as they come, and return the verdict. Raise what the client raises."""
    began, told = now(), set()
    while True:
        check = brain.computing_units.findings(unit_id)
        for finding in check.findings:
            if (key := (finding.check, finding.outcome, finding.message)) not in told:
                told.add(key)
                hear(finding)
        waited_s = now() - began
        verdict = judge(check, waited_s=waited_s)
        if verdict is not None:
            return Followed(verdict=verdict, check=check)
        pause(_EVERY_S)


def judge(check: UnitCheck, *, waited_s: float) -> Verdict | None:
    """Return the verdict on a unit, None as long as there may be another."""
    unit = check.computing_unit
    if unit.snr_verified_at is not None and unit.status == UnitStatus.READY and not check.is_awaited:
        return Verdict.VERIFIED
    is_bad = any(finding.outcome in _BAD for finding in check.findings)
    if is_bad and not check.is_awaited and waited_s >= _SETTLES_S:
        return Verdict.FAILED
    return Verdict.UNDECIDED if waited_s >= LONGEST_S else None
