from __future__ import annotations

from datetime import timedelta

import pytest

from bench import Bench
from cloudmr.errors import Conflict, InvalidRequest, NotAllowed, NotFound, NotSignedIn
from cloudmr.model.audit import AuditAction, AuditFilter
from cloudmr.model.people import Caller
from cloudmr.model.personal_tokens import MOST_TOKENS
from cloudmr.model.tokens import Scope
from cloudmr.services.accounts import own_audit
from cloudmr.services.personal_tokens import NewToken, create_token, list_tokens, revoke_token
from cloudmr.services.sessions import authenticate

DAY_S = 24 * 3600


def make(bench: Bench, owner: Caller, scope: Scope = Scope.JOB_WRITE, lifetime_s: int | None = None) -> NewToken:
    return create_token(bench.brain, owner, name="cluster in room 12", scope=scope, lifetime_s=lifetime_s)


def test_a_token_is_good_for_its_scope_until_it_expires(bench: Bench, ada: Caller) -> None:
    made = make(bench, ada, lifetime_s=DAY_S)
    caller = authenticate(bench.brain, made.secret, Scope.JOB_WRITE)
    assert (caller.id, caller.token_id) == (ada.id, made.token.id)
    authenticate(bench.brain, made.secret, Scope.READ)
    for scope in (Scope.ACCOUNT, Scope.REFRESH, Scope.UNIT_REGISTER):
        with pytest.raises(NotAllowed):
            authenticate(bench.brain, made.secret, scope)
    bench.clock.advance(days=1)
    with pytest.raises(NotSignedIn):
        authenticate(bench.brain, made.secret, Scope.READ)


def test_a_token_to_register_a_unit_lives_an_hour_at_most_and_is_spent_once(bench: Bench, ada: Caller) -> None:
    token = make(bench, ada, Scope.UNIT_REGISTER).token
    assert token.expires_at - token.created_at == timedelta(hours=1)
    with pytest.raises(InvalidRequest):
        make(bench, ada, Scope.UNIT_REGISTER, lifetime_s=3601)
    spent = []
    for _ in range(2):
        with bench.brain.database.write() as transaction:
            spent.append(transaction.tokens.spend(token.id, at=bench.clock.now))
    assert spent == [True, False]
    assert list_tokens(bench.brain, ada)[0].spent_at == bench.clock.now


@pytest.mark.parametrize("scope", [Scope.ACCOUNT, Scope.REFRESH])
def test_what_only_signing_in_gives_no_token_has(bench: Bench, ada: Caller, scope: Scope) -> None:
    with pytest.raises(InvalidRequest):
        make(bench, ada, scope)


@pytest.mark.parametrize("lifetime_s", [0, -1, 59, 367 * DAY_S, 10**30])
def test_no_token_is_for_ever(bench: Bench, ada: Caller, lifetime_s: int) -> None:
    with pytest.raises(InvalidRequest):
        make(bench, ada, lifetime_s=lifetime_s)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x00b", "a\x1b[31m"])
def test_a_token_has_a_name(bench: Bench, ada: Caller, name: str) -> None:
    with pytest.raises(InvalidRequest):
        create_token(bench.brain, ada, name=name, scope=Scope.READ)


def test_tokens_are_listed_with_their_last_use_and_without_their_secret(bench: Bench, ada: Caller) -> None:
    first, second = make(bench, ada), make(bench, ada)
    assert [token.last_used_at for token in list_tokens(bench.brain, ada)] == [None, None]
    bench.clock.advance(minutes=5)
    authenticate(bench.brain, first.secret, Scope.READ)
    listed = {token.id: token for token in list_tokens(bench.brain, ada)}
    assert listed.keys() == {first.token.id, second.token.id}
    assert listed[first.token.id].last_used_at == bench.clock.now
    assert first.secret not in repr(listed) + repr(first)


def test_a_revoked_token_is_good_for_nothing(bench: Bench, ada: Caller) -> None:
    made = make(bench, ada)
    revoke_token(bench.brain, ada, made.token.id)
    with pytest.raises(NotSignedIn):
        authenticate(bench.brain, made.secret, Scope.READ)
    assert list_tokens(bench.brain, ada) == []
    with pytest.raises(NotFound):
        revoke_token(bench.brain, ada, made.token.id)


def test_nobody_revokes_or_sees_another_persons_token_or_a_session(bench: Bench, ada: Caller, bob: Caller) -> None:
    made = make(bench, ada)
    for token_id in (made.token.id, ada.token_id, "token_x"):
        with pytest.raises(NotFound):
            revoke_token(bench.brain, bob, token_id)
    with pytest.raises(NotFound):
        revoke_token(bench.brain, ada, ada.token_id)
    assert list_tokens(bench.brain, bob) == []
    authenticate(bench.brain, made.secret, Scope.READ)


def test_there_is_an_end_to_tokens(bench: Bench, ada: Caller) -> None:
    for _ in range(MOST_TOKENS):
        make(bench, ada)
    with pytest.raises(Conflict) as refused:
        make(bench, ada)
    assert refused.value.instance_code == "too_many_tokens"


def test_making_and_ending_tokens_is_written_down(bench: Bench, ada: Caller) -> None:
    made = make(bench, ada)
    revoke_token(bench.brain, ada, made.token.id)
    latest = [entry.event for entry in own_audit(bench.brain, ada, AuditFilter(), limit=2)]
    assert [(each.action, each.target, each.token_id) for each in latest] == [
        (AuditAction.TOKEN_REVOKED, made.token.id, ada.token_id),
        (AuditAction.TOKEN_CREATED, made.token.id, ada.token_id),
    ]
    assert latest[1].reason == "job:write: cluster in room 12"
    assert made.secret not in str(latest)
