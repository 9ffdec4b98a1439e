from __future__ import annotations

from collections.abc import Collection

import pytest

from cloudmr.model.findings import Check, Outcome
from cloudmr.probes.conformance import ProbeConformance, UnitUnderTest
from cloudmr.probes.memory import MemoryProbe


class _Unit:
    def __init__(self) -> None:
        self.probe = MemoryProbe()

    @property
    def breakable(self) -> Collection[Check]:
        return (Check.DATA_BUCKET, Check.ROLE_ASSUMED, Check.IMAGE)

    def damage(self, check: Check) -> None:
        self.probe.trouble[check] = Outcome.FAILED

    def vanish(self) -> None:
        self.probe.trouble[Check.REACHABLE] = Outcome.GONE


@pytest.fixture
def unit() -> UnitUnderTest:
    return _Unit()


class TestMemoryProbe(ProbeConformance):
    pass
