from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import NOON
from cloudmr.model.findings import Check, Finding, Outcome
from cloudmr.model.unit_health import (
    GONE_AFTER,
    LONGEST_ILL_PERIOD,
    WELL_PERIOD,
    Care,
    Health,
    judge,
)
from cloudmr.model.units import ComputingUnit, Mode, Provider, UnitStatus

UNIT = ComputingUnit(
    id="unit_own",
    owner_id="user_1",
    app_name="MR Optimum",
    mode=Mode.MODE_2,
    provider=Provider.USER,
    alias="own",
    status=UnitStatus.UNVERIFIED,
    is_default=False,
    data_bucket="data",
    results_bucket="results",
    failed_bucket="failed",
    created_at=NOON,
)
CARE = Care(unit_id="unit_own", check_at=NOON, known_answer_at=NOON)


def finding(check: Check, outcome: Outcome) -> Finding:
    return Finding(check=check, outcome=outcome, message=f"{check} {outcome}.", fix="Mend it.", at=NOON)


FINE = finding(Check.ROLE_ASSUMED, Outcome.PASSED)
PROVES = finding(Check.KNOWN_ANSWER, Outcome.AWAITED)


@pytest.mark.parametrize(
    ("before", "findings", "status"),
    [
        (UnitStatus.UNVERIFIED, [FINE], UnitStatus.READY),
        (UnitStatus.UNVERIFIED, [FINE, PROVES], UnitStatus.UNVERIFIED),
        (UnitStatus.UNWELL, [FINE, PROVES], UnitStatus.UNVERIFIED),
        (UnitStatus.READY, [FINE, PROVES], UnitStatus.READY),
        (UnitStatus.GONE, [FINE], UnitStatus.READY),
        (UnitStatus.READY, [FINE, finding(Check.ROOM, Outcome.DOUBTFUL)], UnitStatus.READY),
        (UnitStatus.READY, [FINE, finding(Check.IMAGE, Outcome.UNSEEN)], UnitStatus.READY),
        (UnitStatus.READY, [FINE, finding(Check.DATA_BUCKET, Outcome.FAILED)], UnitStatus.UNWELL),
        (UnitStatus.READY, [finding(Check.ROLE_NEEDS_EXTERNAL_ID, Outcome.REFUSED), PROVES], UnitStatus.UNWELL),
        (UnitStatus.READY, [finding(Check.KNOWN_ANSWER, Outcome.FAILED)], UnitStatus.UNWELL),
        (UnitStatus.UNWELL, [finding(Check.EXECUTIONS, Outcome.GONE)], UnitStatus.GONE),
    ],
)
def test_what_findings_come_to(before: UnitStatus, findings: list[Finding], status: UnitStatus) -> None:
    health = judge(replace(UNIT, status=before), findings, CARE, now=NOON)
    assert health.status is status
    assert (health.reason is None) == (status is UnitStatus.READY)


def test_a_role_that_anybody_can_assume_is_told_before_what_merely_fails() -> None:
    findings = [finding(Check.DATA_BUCKET, Outcome.FAILED), finding(Check.ROLE_NEEDS_EXTERNAL_ID, Outcome.REFUSED)]
    assert judge(UNIT, findings, CARE, now=NOON).reason == "role_needs_external_id refused. Mend it."


@pytest.mark.parametrize(
    ("check", "ill_for", "status"),
    [
        (Check.ROLE_ASSUMED, GONE_AFTER - timedelta(seconds=1), UnitStatus.UNWELL),
        (Check.ROLE_ASSUMED, GONE_AFTER, UnitStatus.GONE),
        (Check.KNOWN_ANSWER, GONE_AFTER, UnitStatus.UNWELL),
    ],
)
def test_what_fails_for_a_week_is_gone(check: Check, ill_for: timedelta, status: UnitStatus) -> None:
    care = replace(CARE, ill_since=NOON - ill_for)
    assert judge(UNIT, [finding(check, Outcome.FAILED)], care, now=NOON).status is status


def test_without_findings_nothing_is_wrong() -> None:
    assert judge(UNIT, [], CARE, now=NOON) == Health(status=UnitStatus.READY)


@given(n_ill=st.integers(0, 10_000))
def test_an_ill_unit_is_looked_at_less_and_less_often(n_ill: int) -> None:
    care = replace(CARE, n_ill=n_ill, doubted_at=NOON)
    after = care.after(UnitStatus.UNWELL, now=NOON)
    wait = after.check_at - NOON
    assert timedelta(minutes=1) <= wait <= LONGEST_ILL_PERIOD
    assert after.after(UnitStatus.UNWELL, now=NOON).check_at - NOON >= wait
    assert (after.doubted_at, after.ill_since) == (None, NOON)


def test_a_unit_that_is_well_again_begins_anew() -> None:
    ill = replace(CARE, n_ill=9, ill_since=NOON - timedelta(days=6))
    well = ill.after(UnitStatus.READY, now=NOON)
    assert (well.n_ill, well.ill_since, well.check_at) == (0, None, NOON + WELL_PERIOD)


def test_one_proof_at_a_time() -> None:
    assert CARE.is_known_answer_due(now=NOON)
    assert not CARE.is_known_answer_due(now=NOON - timedelta(seconds=1))
    assert not replace(CARE, known_answer_job_id="job_1").is_known_answer_due(now=NOON)
