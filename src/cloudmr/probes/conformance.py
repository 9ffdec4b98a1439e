"""What every probe must do, as tests. A probe's test module subclasses `ProbeConformance`, with one fixture:

@pytest.fixture
def unit() -> UnitUnderTest: …            a unit that is well

class TestThisProbe(ProbeConformance): …
"""
# ruff: noqa: D102 - a test says by its name what it is about

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Protocol

import pytest

from cloudmr.errors import UnitUnavailable
from cloudmr.model.findings import Check, Outcome
from cloudmr.model.permissions import Measured, undeclared
from cloudmr.probes.base import UnitProbe

_ILL = frozenset({Outcome.FAILED, Outcome.REFUSED, Outcome.GONE})


class UnitUnderTest(Protocol):
    """A unit that is well until something of it is broken."""

    @property
    def probe(self) -> UnitProbe:
        """The probe of it."""

    @property
    def breakable(self) -> Collection[Check]:
        """What `damage` can break, two things at least, none of which hides the other."""

    def damage(self, check: Check) -> None:
        """Break something, so that this check finds it."""

    def vanish(self) -> None:
        """Take the unit away altogether."""


class ProbeConformance:
    """The contract of `UnitProbe`."""

    def test_nothing_is_wrong_with_a_unit_that_is_well(self, unit: UnitUnderTest) -> None:
        assert {finding.check: finding.message for finding in unit.probe.look() if finding.outcome in _ILL} == {}

    def test_each_check_is_told_of_once(self, unit: UnitUnderTest) -> None:
        checks = [finding.check for finding in unit.probe.look()]
        assert checks
        assert len(checks) == len(set(checks))

    def test_the_numbers_are_not_the_probes_to_judge(self, unit: UnitUnderTest) -> None:
        assert Check.KNOWN_ANSWER not in {finding.check for finding in unit.probe.look()}

    def test_findings_are_sentences_with_a_time(self, unit: UnitUnderTest) -> None:
        unit.damage(next(iter(unit.breakable)))
        for finding in unit.probe.look():
            assert finding.message.endswith(".")
            assert finding.at.tzinfo is UTC

    def test_what_is_wrong_says_how_to_mend_it(self, unit: UnitUnderTest) -> None:
        for check in unit.breakable:
            unit.damage(check)
        for finding in unit.probe.look():
            if finding.outcome is not Outcome.PASSED:
                assert finding.fix.endswith(".")

    def test_everything_is_told_at_once(self, unit: UnitUnderTest) -> None:
        for check in unit.breakable:
            unit.damage(check)
        ill = {finding.check for finding in unit.probe.look() if finding.outcome in _ILL}
        assert ill >= set(unit.breakable)

    def test_looking_again_finds_the_same(self, unit: UnitUnderTest) -> None:
        unit.damage(next(iter(unit.breakable)))
        first, second = ({(finding.check, finding.outcome) for finding in unit.probe.look()} for _ in range(2))
        assert first == second

    def test_a_unit_that_is_not_there_is_a_finding(self, unit: UnitUnderTest) -> None:
        unit.vanish()
        assert any(finding.outcome in _ILL for finding in unit.probe.look())
        with pytest.raises(UnitUnavailable):
            unit.probe.permissions()

    def test_nothing_undeclared_is_allowed(self, unit: UnitUnderTest) -> None:
        permissions = unit.probe.permissions()
        assert any(permission.is_declared for permission in permissions)
        assert undeclared(permissions) == []
        assert all(permission.is_as_declared for permission in permissions)
        assert any(permission.measured is Measured.ALLOWED for permission in permissions)
