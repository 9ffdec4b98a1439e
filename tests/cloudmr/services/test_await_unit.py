from __future__ import annotations

from dataclasses import replace

import pytest

from bench import Bench
from cloudmr.errors import NotFound
from cloudmr.model.people import Caller
from cloudmr.model.tokens import Scope
from cloudmr.services.await_unit import ArrivalState, await_unit
from cloudmr.services.personal_tokens import NewToken, create_token
from cloudmr.services.register_unit import register_unit
from cloudmr.services.sessions import authenticate
from units import OPERATOR, PUBLIC_URL, prepared, registration


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.brain = replace(bench.brain, operator=OPERATOR, public_url=PUBLIC_URL)
    return bench


@pytest.fixture
def made(bench: Bench, ada: Caller) -> NewToken:
    return create_token(bench.brain, ada, name="unit", scope=Scope.UNIT_REGISTER)


def test_a_registration_is_followed_from_its_token_to_its_unit(bench: Bench, ada: Caller, made: NewToken) -> None:
    assert await_unit(bench.brain, ada, made.token.id).state is ArrivalState.AWAITED
    stack = authenticate(bench.brain, made.secret, Scope.UNIT_REGISTER)
    announced = prepared(bench, stack)
    heard = await_unit(bench.brain, ada, made.token.id)
    assert (heard.state, heard.heard_at, heard.unit) == (ArrivalState.HEARD, bench.clock.now, None)
    unit = register_unit(bench.brain, stack, registration(announced.unit_id)).unit
    arrived = await_unit(bench.brain, ada, made.token.id)
    assert (arrived.state, arrived.unit) == (ArrivalState.REGISTERED, unit)
    bench.clock.advance(hours=2)
    assert await_unit(bench.brain, ada, made.token.id).state is ArrivalState.REGISTERED


def test_a_unit_registered_by_signing_in_arrives_as_well(bench: Bench, ada: Caller, made: NewToken) -> None:
    unit = register_unit(bench.brain, ada, registration(prepared(bench, ada).unit_id)).unit
    assert await_unit(bench.brain, ada, made.token.id).unit == unit


def test_a_unit_from_before_the_token_is_not_what_is_awaited(bench: Bench, ada: Caller) -> None:
    register_unit(bench.brain, ada, registration(prepared(bench, ada).unit_id))
    bench.clock.advance(minutes=1)
    made = create_token(bench.brain, ada, name="another", scope=Scope.UNIT_REGISTER)
    assert await_unit(bench.brain, ada, made.token.id).state is ArrivalState.AWAITED


def test_a_token_that_ended_without_a_unit_says_so(bench: Bench, ada: Caller, made: NewToken) -> None:
    bench.clock.advance(hours=1)
    assert await_unit(bench.brain, ada, made.token.id).state is ArrivalState.ENDED


def test_nobody_follows_the_token_of_somebody_else(bench: Bench, bob: Caller, ada: Caller, made: NewToken) -> None:
    with pytest.raises(NotFound):
        await_unit(bench.brain, bob, made.token.id)
    other = create_token(bench.brain, ada, name="for reading", scope=Scope.READ)
    with pytest.raises(NotFound):
        await_unit(bench.brain, ada, other.token.id)
