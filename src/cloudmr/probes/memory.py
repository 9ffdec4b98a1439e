"""A probe of a unit in memory, for tests of whoever uses one: it finds what it is told to find.

probe = MemoryProbe(clock=clock)
probe.trouble[Check.DATA_BUCKET] = Outcome.FAILED
"""

from __future__ import annotations

from collections.abc import Sequence

from cloudmr.errors import UnitUnavailable
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.instants import Clock, utc_now
from cloudmr.model.permissions import Measured, Permission

CHECKS = (
    Check.REACHABLE,
    Check.ROLE_ASSUMED,
    Check.ROLE_NEEDS_EXTERNAL_ID,
    Check.ROLE_REFUSES_WRONG_EXTERNAL_ID,
    Check.EXECUTIONS,
    Check.DATA_BUCKET,
    Check.RESULTS_BUCKET,
    Check.FAILED_BUCKET,
    Check.IMAGE,
)
"""What there is to look at."""


class MemoryProbe:
    """Finds nothing wrong but what stands in `trouble`."""

    def __init__(self, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self.trouble: dict[Check, Outcome] = {}
        """What a look comes to, where that is not a pass."""
        self.n_looks = 0
        """How often somebody looked."""

    @property
    def is_there(self) -> bool:
        """Whether anything can be found out at all."""
        return Check.REACHABLE not in self.trouble

    def look(self) -> Sequence[Finding]:
        """Return everything that was found; where the unit does not answer, only that."""
        self.n_looks += 1
        return tuple(self._finding(check) for check in (CHECKS if self.is_there else (Check.REACHABLE,)))

    def permissions(self) -> Sequence[Permission]:
        """Return what a unit in memory allows: to run jobs and to read their results, and not to delete."""
        if not self.is_there:
            raise UnitUnavailable("The computing unit does not answer.", "Check the unit, or choose another one.")
        return (
            Permission(action="run", resource="jobs", purpose="to run jobs", is_declared=True),
            Permission(
                action="read",
                resource="results",
                purpose="to hand out results",
                is_declared=True,
                measured=Measured.ALLOWED,
            ),
            Permission(
                action="delete", resource="results", purpose="none", is_declared=False, measured=Measured.REFUSED
            ),
        )

    def _finding(self, check: Check) -> Finding:
        outcome = self.trouble.get(check, Outcome.PASSED)
        if outcome is Outcome.PASSED:
            return Finding(check=check, outcome=outcome, message=f"The unit's {check} is right.", at=self._clock())
        message = f"The unit's {check} is {outcome}."
        return Finding(check=check, outcome=outcome, message=message, fix=f"Mend its {check}.", at=self._clock())
