from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench import Bench
from cloudmr.errors import Conflict, NotAllowed, NotFound
from cloudmr.model.ids import Kind
from cloudmr.model.people import Caller
from cloudmr.model.registration import Preparation
from cloudmr.model.tokens import Scope, Token, secret_hash
from cloudmr.model.units import ComputingUnit, Mode, Provider, UnitStatus
from cloudmr.services.list_units import list_units
from cloudmr.services.prepare_unit import prepare_unit
from cloudmr.services.register_unit import register_unit
from cloudmr.services.remove_unit import remove_unit
from mroptimum.errors import ExplainedError
from units import ACCOUNT, OPERATOR, OPERATORS_ACCOUNT, PUBLIC_URL, REGION, prepared, registration, stack


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.brain = replace(bench.brain, operator=OPERATOR, public_url=PUBLIC_URL)
    return bench


def registered(bench: Bench, caller: Caller, **changes: Any) -> ComputingUnit:
    account = changes.get("aws_account_id", ACCOUNT)
    preparation = prepared(bench, caller, account=account, region=changes.get("region", REGION))
    return register_unit(bench.brain, caller, registration(preparation.unit_id, **changes)).unit


def one_registration(bench: Bench, caller: Caller, name: str = "a") -> Caller:
    """Return the same person, with a token that is worth one registration."""
    token = Token(
        id=bench.brain.new_id(Kind.TOKEN),
        owner_id=caller.id,
        session_id=f"token_{name}",
        secret_hash=secret_hash(name),
        scope=Scope.UNIT_REGISTER,
        created_at=bench.clock.now,
        expires_at=bench.clock.now.replace(hour=23),
    )
    with bench.brain.database.write() as transaction:
        transaction.tokens.add([token])
    return replace(caller, token_id=token.id)


def verified(bench: Bench, unit: ComputingUnit) -> ComputingUnit:
    proven = replace(unit, status=UnitStatus.READY, snr_verified_at=bench.clock.now)
    with bench.brain.database.write() as transaction:
        transaction.units.replace(proven)
    return proven


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ExplainedError) as refused:
        call()
    return str(refused.value.instance_code)


def test_an_announced_unit_has_an_id_and_an_external_id_of_its_own(bench: Bench, ada: Caller, bob: Caller) -> None:
    first, second = prepared(bench, ada), prepared(bench, bob)
    assert first.unit_id.startswith("unit_")
    assert first.unit_id != second.unit_id
    assert first.external_id != second.external_id
    assert len(first.external_id) >= 32
    assert first.external_id not in repr(first)
    assert first.image_uri.startswith(f"{OPERATORS_ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/")


def test_announcing_again_goes_on_with_the_same_unit_for_a_day(bench: Bench, ada: Caller) -> None:
    first = prepared(bench, ada)
    assert prepared(bench, ada) == first
    assert prepared(bench, ada, region="eu-central-1").unit_id != first.unit_id
    bench.clock.advance(days=1, seconds=1)
    assert prepared(bench, ada).unit_id != first.unit_id


def test_a_registered_unit_is_not_announced_again_under_its_id(bench: Bench, ada: Caller) -> None:
    unit = registered(bench, ada)
    assert prepared(bench, ada).unit_id != unit.id


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("http://127.0.0.1:8000", True),
        ("https://192.168.1.20", True),
        ("http://brain.example.org", True),
        (PUBLIC_URL, False),
    ],
)
def test_a_brain_that_units_cannot_reach_announces_none(bench: Bench, ada: Caller, url: str, is_refused: bool) -> None:
    bench.brain = replace(bench.brain, public_url=url)
    if is_refused:
        assert code_of(lambda: prepared(bench, ada)) == "public_url_private"
        bench.brain = replace(bench.brain, is_private_url_allowed=True)
    assert prepared(bench, ada).owner_id == ada.id


def test_a_brain_that_is_nobody_in_aws_announces_none(bench: Bench, ada: Caller) -> None:
    bench.brain = replace(bench.brain, operator=replace(OPERATOR, principal_arn=None))
    assert code_of(lambda: prepared(bench, ada)) == "aws_not_set_up"


def test_the_operators_account_is_for_administrators(bench: Bench, ada: Caller) -> None:
    assert code_of(lambda: prepared(bench, ada, account=OPERATORS_ACCOUNT)) == "admin_needed"
    admin = replace(ada, is_admin=True)
    unit = registered(bench, admin, **stack(OPERATORS_ACCOUNT))
    assert (unit.mode, unit.provider, unit.owner_id) == (Mode.MODE_1, Provider.CLOUDMRHUB, None)
    assert code_of(lambda: register_unit(bench.brain, ada, registration(unit.id, **stack(OPERATORS_ACCOUNT)))) == (
        "admin_needed"
    )


def test_a_registered_unit_is_its_owners_and_unverified(bench: Bench, ada: Caller, bob: Caller) -> None:
    preparation = prepared(bench, ada)
    done = register_unit(bench.brain, ada, registration(preparation.unit_id, alias="scanner room"))
    unit = done.unit
    assert (unit.id, unit.owner_id, unit.alias) == (preparation.unit_id, ada.id, "scanner room")
    assert (unit.mode, unit.provider, unit.status) == (Mode.MODE_2, Provider.USER, UnitStatus.UNVERIFIED)
    assert unit.external_id == preparation.external_id
    assert not unit.is_default
    assert "becomes your default unit" in done.note
    assert bench.brain.unit_alarm.is_set()
    assert unit in list_units(bench.brain, ada, app_name=None)
    assert unit not in list_units(bench.brain, bob, app_name=None)


def test_registering_again_is_the_same_unit(bench: Bench, ada: Caller) -> None:
    unit = registered(bench, ada)
    for unit_id in (unit.id, None):
        assert register_unit(bench.brain, ada, registration(unit_id)).unit == unit
    assert [each.id for each in list_units(bench.brain, ada, app_name=None)] == [bench.local_unit.id, unit.id]


def test_without_an_id_the_announced_unit_is_found_by_account_and_region(bench: Bench, ada: Caller) -> None:
    preparation = prepared(bench, ada)
    assert register_unit(bench.brain, ada, registration()).unit.id == preparation.unit_id


def test_what_was_not_announced_is_not_registered(bench: Bench, ada: Caller, bob: Caller) -> None:
    assert code_of(lambda: register_unit(bench.brain, ada, registration())) == "not_prepared"
    prepared(bench, bob)
    assert code_of(lambda: register_unit(bench.brain, ada, registration())) == "not_prepared"


def test_a_unit_announced_by_somebody_else_is_not_there(bench: Bench, ada: Caller, bob: Caller) -> None:
    theirs = prepared(bench, bob)
    with pytest.raises(NotFound):
        register_unit(bench.brain, ada, registration(theirs.unit_id))
    unit = register_unit(bench.brain, bob, registration(theirs.unit_id)).unit
    with pytest.raises(NotFound):
        register_unit(bench.brain, ada, registration(unit.id))


@pytest.mark.parametrize("changes", [stack("999988887777"), stack(region="eu-central-1")])
def test_another_account_or_region_than_announced_is_refused(
    bench: Bench, ada: Caller, changes: dict[str, Any]
) -> None:
    preparation = prepared(bench, ada)
    assert code_of(lambda: register_unit(bench.brain, ada, registration(preparation.unit_id, **changes))) == (
        "accounts_differ"
    )


def test_parts_of_a_unit_of_somebody_elses_are_refused_once_it_is_proven(
    bench: Bench, ada: Caller, bob: Caller
) -> None:
    theirs = registered(bench, bob)
    mine = prepared(bench, ada)
    verified(bench, theirs)
    assert code_of(lambda: register_unit(bench.brain, ada, registration(mine.unit_id))) == "unit_of_another"
    assert registered(bench, ada, **stack(name="another")).owner_id == ada.id


def test_a_token_is_worth_one_registration(bench: Bench, ada: Caller) -> None:
    once = one_registration(bench, ada)
    unit = registered(bench, once)
    assert unit.registration_token_id == once.token_id
    # A deployment that never got the answer says the same again.
    assert register_unit(bench.brain, once, registration(unit.id)).unit == unit
    other = prepared(bench, ada, region="eu-central-1")
    wanted = registration(other.unit_id, **stack(region="eu-central-1", name="another"))
    assert code_of(lambda: register_unit(bench.brain, once, wanted)) == "token_spent"
    assert code_of(lambda: prepared(bench, once)) == "token_spent"
    assert register_unit(bench.brain, one_registration(bench, ada, "b"), wanted).unit.id == other.unit_id


def test_another_token_repeats_no_registration_for_free(bench: Bench, ada: Caller) -> None:
    unit = registered(bench, ada)
    once = one_registration(bench, ada)
    assert register_unit(bench.brain, once, registration(unit.id)).unit == unit
    assert (
        code_of(lambda: prepare_unit(bench.brain, once, aws_account_id=ACCOUNT, region=REGION, image_tag="latest"))
        == "token_spent"
    )


def test_a_stack_made_anew_keeps_the_units_id(bench: Bench, ada: Caller) -> None:
    before = verified(bench, registered(bench, ada))
    again: Preparation = prepared(bench, ada)
    after = register_unit(bench.brain, ada, registration(again.unit_id)).unit
    assert (after.id, after.alias, after.created_at) == (before.id, before.alias, before.created_at)
    assert after.external_id == again.external_id != before.external_id
    assert (after.status, after.snr_verified_at) == (UnitStatus.UNVERIFIED, None)
    assert register_unit(bench.brain, ada, registration(again.unit_id)).unit == after


def test_a_stack_made_anew_is_registered_again_by_the_units_id(bench: Bench, ada: Caller) -> None:
    before = registered(bench, ada)
    again = prepared(bench, ada)
    after = register_unit(bench.brain, ada, registration(again.unit_id)).unit
    assert register_unit(bench.brain, ada, registration(before.id)).unit == after, "its role asks for what it was told"
    elsewhere = "results-of-mine"
    moved = register_unit(bench.brain, ada, registration(before.id, results_bucket=elsewhere)).unit
    assert (moved.id, moved.external_id, moved.results_bucket) == (before.id, again.external_id, elsewhere)


def test_a_unit_that_was_removed_is_announced_and_registered_anew(bench: Bench, ada: Caller) -> None:
    before = registered(bench, ada)
    remove_unit(bench.brain, ada, before.id)
    with pytest.raises(NotFound):
        register_unit(bench.brain, ada, registration(before.id))
    assert code_of(lambda: register_unit(bench.brain, ada, registration())) == "not_prepared"
    after = registered(bench, ada)
    assert after.id != before.id
    assert [unit.id for unit in list_units(bench.brain, ada, app_name=None)] == [bench.local_unit.id, after.id]


def test_too_many_announcements_are_refused(bench: Bench, ada: Caller) -> None:
    for _ in range(30):
        prepared(bench, ada)
    assert code_of(lambda: prepared(bench, ada)) == "too_many_tries"


def test_it_is_written_down_who_announced_and_registered(bench: Bench, ada: Caller) -> None:
    unit = registered(bench, ada)
    with bench.brain.database.read() as transaction:
        trail = transaction.accounts.audit_trail(ada.id, limit=2)
    assert [(event.action, event.target) for event in trail] == [
        ("unit:registered", unit.id),
        ("unit:prepared", unit.id),
    ]


@pytest.mark.parametrize("error", [Conflict, NotAllowed])
def test_a_refused_registration_leaves_nothing(bench: Bench, ada: Caller, error: type[ExplainedError]) -> None:
    preparation = prepared(bench, ada)
    once = one_registration(bench, ada)
    with bench.brain.database.write() as transaction:
        if error is NotAllowed:
            transaction.tokens.spend(once.token_id, at=bench.clock.now)
    wanted = registration(preparation.unit_id, **({"mode": Mode.MODE_1} if error is Conflict else {}))
    with pytest.raises(error):
        register_unit(bench.brain, once, wanted)
    assert [unit.id for unit in list_units(bench.brain, ada, app_name=None)] == [bench.local_unit.id]
    assert register_unit(bench.brain, ada, registration(preparation.unit_id)).unit.id == preparation.unit_id
