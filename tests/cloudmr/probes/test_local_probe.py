from __future__ import annotations

import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from cloudmr.model.findings import Check, Outcome
from cloudmr.model.instants import utc_now
from cloudmr.probes.conformance import ProbeConformance, UnitUnderTest
from cloudmr.probes.local import FULL_BYTES, SCARCE_BYTES, LocalProbe
from cloudmr.storage.base import Bucket
from cloudmr.storage.local_objects import LocalObjects


class _Unit:
    """A real folder; what starts a worker is a small program, so that the suite is quick."""

    def __init__(self, folder: Path) -> None:
        self.storage, self.runs = folder / "storage", folder / "unit"
        self.free_bytes = 10 * SCARCE_BYTES
        self.objects = LocalObjects(self.storage)
        self._program = folder / "worker.py"
        self._program.write_text("")

    @property
    def probe(self) -> LocalProbe:
        return LocalProbe(
            storage_root=self.storage,
            run_root=self.runs,
            start_a_worker=(sys.executable, "-S", str(self._program)),
            free_bytes=lambda _: self.free_bytes,
        )

    @property
    def breakable(self) -> Collection[Check]:
        return (Check.RESULTS_BUCKET, Check.WORKERS, Check.ROOM)

    def damage(self, check: Check) -> None:
        if check is Check.WORKERS:
            self._program.write_text("raise SystemExit(3)")
        elif check is Check.ROOM:
            self.free_bytes = FULL_BYTES - 1
        else:
            # A file in the way of the folder of records: not even root can write below it.
            records = self.storage / "records" / Bucket.RESULTS
            shutil.rmtree(records)
            records.write_text("")

    def vanish(self) -> None:
        shutil.rmtree(self.storage)
        self.storage.write_text("")
        shutil.rmtree(self.runs, ignore_errors=True)
        self.runs.write_text("")


@pytest.fixture
def unit(tmp_path: Path) -> UnitUnderTest:
    return _Unit(tmp_path)


class TestLocalProbe(ProbeConformance):
    pass


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    unit = _Unit(tmp_path)
    unit.probe.look()
    assert [info.key for bucket in Bucket for info in unit.objects.list(bucket, "")] == []
    assert list((unit.storage / "contents").iterdir()) == []
    assert list(unit.runs.iterdir()) == []


@pytest.mark.parametrize(
    ("free_bytes", "outcome"),
    [(SCARCE_BYTES, Outcome.PASSED), (SCARCE_BYTES - 1, Outcome.DOUBTFUL), (FULL_BYTES - 1, Outcome.FAILED)],
)
def test_room_is_told_in_three_grades(tmp_path: Path, free_bytes: int, outcome: Outcome) -> None:
    unit = _Unit(tmp_path)
    unit.free_bytes = free_bytes
    [room] = [finding for finding in unit.probe.look() if finding.check is Check.ROOM]
    assert room.outcome is outcome


def test_a_real_worker_can_be_started(tmp_path: Path) -> None:
    probe = LocalProbe(storage_root=tmp_path / "storage", run_root=tmp_path / "unit")
    before = utc_now()
    [workers] = [finding for finding in probe.look() if finding.check is Check.WORKERS]
    assert (workers.outcome, workers.fix) == (Outcome.PASSED, "")
    assert before <= workers.at <= utc_now()
