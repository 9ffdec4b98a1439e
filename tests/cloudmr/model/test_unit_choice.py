from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import NOON
from cloudmr.errors import Conflict, InvalidRequest, NotFound
from cloudmr.model.unit_choice import choose_unit
from cloudmr.model.units import ComputingUnit, Mode, Provider, UnitStatus

SHARED = ComputingUnit(
    id="unit_shared",
    owner_id=None,
    app_name="MR Optimum",
    mode=Mode.MODE_1,
    provider=Provider.CLOUDMRHUB,
    alias="shared",
    status=UnitStatus.READY,
    is_default=False,
    data_bucket="data",
    results_bucket="results",
    failed_bucket="failed",
    created_at=NOON,
)
OWN = replace(SHARED, id="unit_own", owner_id="user_1", mode=Mode.MODE_2, provider=Provider.USER, alias="own")
YOUNGER = replace(OWN, id="unit_younger", alias="younger", created_at=NOON + timedelta(days=1))
DEFAULT = replace(YOUNGER, id="unit_default", alias="default", is_default=True)


@pytest.mark.parametrize(
    ("units", "asked", "chosen", "reason"),
    [
        ([SHARED, OWN, DEFAULT], {"unit_id": "unit_own"}, OWN, "It was asked for."),
        ([SHARED, OWN], {"mode": Mode.MODE_2}, OWN, "Mode_2 was asked for; it is your oldest unit."),
        ([SHARED, YOUNGER, OWN], {"mode": Mode.MODE_2}, OWN, "Mode_2 was asked for; it is your oldest unit."),
        ([SHARED, OWN, DEFAULT], {"mode": Mode.MODE_2}, DEFAULT, "Mode_2 was asked for; it is your default unit."),
        ([SHARED, DEFAULT], {"mode": Mode.MODE_1}, SHARED, "Mode_1 was asked for; it is the shared unit."),
        ([SHARED, OWN, DEFAULT], {}, DEFAULT, "It is your default unit."),
        ([SHARED, OWN], {}, SHARED, "It is the shared unit."),
        ([SHARED, DEFAULT], {"data_unit_ids": frozenset({"unit_shared"})}, SHARED, "The data are there."),
        (
            [SHARED, OWN, DEFAULT],
            {"mode": Mode.MODE_2, "data_unit_ids": frozenset({"unit_own"})},
            OWN,
            "Mode_2 was asked for; the data are there.",
        ),
    ],
)
def test_the_choice_and_its_reason(
    units: Sequence[ComputingUnit], asked: dict[str, object], chosen: ComputingUnit, reason: str
) -> None:
    choice = choose_unit(units, **asked)  # type: ignore[arg-type]
    assert (choice.unit, choice.reason) == (chosen, reason)


@pytest.mark.parametrize(
    ("units", "asked", "code"),
    [
        ([SHARED], {"unit_id": "unit_own"}, "not_found"),
        ([SHARED, OWN], {"unit_id": "unit_own", "mode": Mode.MODE_1}, "invalid_request"),
        ([SHARED], {"mode": Mode.MODE_2}, "no_such_unit"),
        ([], {}, "no_such_unit"),
        ([SHARED, OWN], {"data_unit_ids": frozenset({"unit_own", "unit_shared"})}, "data_in_other_unit"),
        ([SHARED, OWN], {"unit_id": "unit_own", "data_unit_ids": frozenset({"unit_shared"})}, "data_in_other_unit"),
        ([SHARED, OWN], {"mode": Mode.MODE_2, "data_unit_ids": frozenset({"unit_shared"})}, "data_in_other_unit"),
        ([SHARED], {"data_unit_ids": frozenset({"unit_removed"})}, "data_in_other_unit"),
        ([SHARED, replace(OWN, status=UnitStatus.GONE)], {"unit_id": "unit_own"}, "unit_gone"),
    ],
)
def test_what_cannot_be_chosen(units: Sequence[ComputingUnit], asked: dict[str, object], code: str) -> None:
    with pytest.raises((Conflict, InvalidRequest, NotFound)) as refused:
        choose_unit(units, **asked)  # type: ignore[arg-type]
    assert refused.value.instance_code == code


STATUSES = st.sampled_from([status for status in UnitStatus if status is not UnitStatus.GONE])


@given(own=STATUSES, shared=STATUSES)
def test_a_default_unit_that_is_ill_is_never_silently_replaced(own: UnitStatus, shared: UnitStatus) -> None:
    units = [replace(SHARED, status=shared), replace(DEFAULT, status=own)]
    assert choose_unit(units).unit.id == "unit_default"
    assert choose_unit(units, mode=Mode.MODE_2).unit.id == "unit_default"


def test_a_default_unit_that_is_gone_is_not_silently_replaced_either() -> None:
    with pytest.raises(Conflict) as refused:
        choose_unit([SHARED, replace(DEFAULT, status=UnitStatus.GONE)])
    assert refused.value.instance_code == "unit_gone"


def test_a_unit_has_an_owner_exactly_in_mode_2() -> None:
    assert SHARED.is_open_to("user_2")
    assert OWN.is_open_to("user_1")
    assert not OWN.is_open_to("user_2")
    with pytest.raises(ValueError, match="owner"):
        replace(SHARED, owner_id="user_1")
    with pytest.raises(ValueError, match="owner"):
        replace(OWN, owner_id=None)
