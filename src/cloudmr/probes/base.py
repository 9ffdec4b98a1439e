"""What can be found out about a unit by looking, as the Brain sees it.

A port with two real things behind it: the Brain's own machine (`local.py`), and a stack in an AWS account. Both pass
the conformance suite in `cloudmr.probes.conformance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cloudmr.model.findings import Finding
from cloudmr.model.permissions import Permission


class UnitProbe(Protocol):
    """Looks at one unit. Nothing it does costs money, or leaves anything behind."""

    def look(self) -> Sequence[Finding]:
        """Return everything that was found, all of it at once: one failure must not hide the next.

        Each finding has a check of its own; one that is not as it should be says how to mend it. A unit that does not
        answer is a finding, and no exception.
        """

    def permissions(self) -> Sequence[Permission]:
        """Return what can be done there, as declared and as measured. Raise `UnitUnavailable` where nothing can."""
