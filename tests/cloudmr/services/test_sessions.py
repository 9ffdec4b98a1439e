from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import event, inspect, text

from bench import PASSWORD, Bench
from cloudmr.errors import Conflict, InvalidRequest, LimitReached, NotAllowed, NotSignedIn
from cloudmr.model.audit import AuditAction
from cloudmr.model.people import Account, AccountStatus
from cloudmr.model.tokens import ACCESS_LIFETIME, REFRESH_LIFETIME, Scope
from cloudmr.services.get_profile import get_profile
from cloudmr.services.passwords import Passwords
from cloudmr.services.register_account import register_account
from cloudmr.services.sessions import Session, authenticate, log_in, log_out, refresh_session
from cloudmr.services.throttling import SIGN_IN
from cloudmr.services.tidy import tidy

EMAIL = "ada@example.org"
ADDRESS = "192.0.2.1"


@pytest.fixture
def account(bench: Bench) -> Account:
    return register_account(bench.brain, email=EMAIL, password=PASSWORD, address=ADDRESS)


def sign_in(bench: Bench, *, email: str = EMAIL, password: str = PASSWORD, address: str = ADDRESS) -> Session:
    return log_in(bench.brain, email=email, password=password, address=address)


def trail(bench: Bench, account: Account) -> list[AuditAction]:
    with bench.brain.database.read() as transaction:
        return [event.action for event in transaction.accounts.audit_trail(account.id, limit=100)][::-1]


def everything_stored(bench: Bench) -> str:
    with bench.brain.database.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        return " ".join(str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}")))


def test_a_session_lets_its_owner_in(bench: Bench, account: Account) -> None:
    session = sign_in(bench)
    assert session.access_token.startswith("cmr_")
    caller = authenticate(bench.brain, session.access_token, Scope.ACCOUNT)
    assert get_profile(bench.brain, caller) == account


def test_an_address_is_known_by_however_it_is_written(bench: Bench, account: Account) -> None:
    assert sign_in(bench, email="  Ada@Example.ORG ").account == account
    with pytest.raises(Conflict) as refused:
        register_account(bench.brain, email="ADA@example.org", password=PASSWORD, address=ADDRESS)
    assert refused.value.instance_code == "account_exists"


def test_no_password_and_no_token_is_stored(bench: Bench, account: Account) -> None:
    session = sign_in(bench)
    stored = everything_stored(bench)
    for secret in (PASSWORD, session.access_token, session.refresh_token, session.access_token[4:]):
        assert secret not in stored
    assert "$argon2id$" in stored


def test_an_unknown_address_and_a_wrong_password_look_the_same(bench: Bench, account: Account) -> None:
    answers = []
    for email, password in ((EMAIL, "wrong password"), ("bob@example.org", PASSWORD), ("no address", PASSWORD)):
        with pytest.raises(NotSignedIn) as refused:
            sign_in(bench, email=email, password=password)
        answers.append(refused.value.explain())
    assert answers[0] == answers[1] == answers[2]


def test_an_unknown_address_costs_as_many_writes_as_a_known_one(bench: Bench, account: Account) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT"):
            statements.append("write")
        elif statement.startswith(("BEGIN IMMEDIATE", "SELECT pg_advisory_xact_lock")):
            statements.append("wait for the turn to write")

    event.listen(bench.brain.database.engine, "before_cursor_execute", note)
    written = []
    for email, address in ((EMAIL, "192.0.2.7"), ("bob@example.org", "192.0.2.8")):
        statements.clear()
        with pytest.raises(NotSignedIn):
            sign_in(bench, email=email, password="wrong password", address=address)
        written.append(statements.copy())
    assert (
        written[0]
        == written[1]
        == ["wait for the turn to write", *["write"] * 3, "wait for the turn to write", "write"]
    )
    assert "bob@example.org" not in everything_stored(bench)


def test_an_unknown_account_costs_as_many_hashes_as_a_known_one() -> None:
    verified = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            verified.append(hash)
            return super().verify(hash, password)

    passwords = Passwords(Counting.from_parameters(CHEAPEST))
    known = passwords.hash(PASSWORD)
    assert passwords.matches(known, PASSWORD)
    assert not passwords.matches(known, "wrong")
    assert not passwords.matches(None, PASSWORD)
    assert len(verified) == 3


def test_the_decoy_of_unknown_accounts_lets_nobody_in() -> None:
    class Predictable(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            return True

    assert not Passwords(Predictable.from_parameters(CHEAPEST)).matches(None, "anything")


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_a_password_is_long_enough_and_one(bench: Bench, password: str) -> None:
    with pytest.raises(InvalidRequest, match="10 to 1024"):
        register_account(bench.brain, email=EMAIL, password=password, address=ADDRESS)


@pytest.mark.parametrize("email", ["", "ada", "a@b@c", "a b@c", "ada@", "@example.org", "a\n@b", "x" * 250 + "@b.org"])
def test_an_address_is_one(bench: Bench, email: str) -> None:
    with pytest.raises(InvalidRequest, match="e-mail"):
        register_account(bench.brain, email=email, password=PASSWORD, address=ADDRESS)


@pytest.mark.parametrize("status", [AccountStatus.PENDING, AccountStatus.SUSPENDED])
def test_only_active_accounts_are_let_in(bench: Bench, account: Account, status: AccountStatus) -> None:
    session = sign_in(bench)
    with bench.brain.database.write() as transaction:
        transaction.accounts.set_status(account.id, status)
    for attempt in (
        lambda: sign_in(bench),
        lambda: authenticate(bench.brain, session.access_token, Scope.READ),
        lambda: refresh_session(bench.brain, refresh_token=session.refresh_token, address=ADDRESS),
    ):
        with pytest.raises(NotAllowed) as refused:
            attempt()
        assert refused.value.instance_code == "account_not_active"


def test_a_session_expires(bench: Bench, account: Account) -> None:
    session = sign_in(bench)
    bench.clock.advance(seconds=ACCESS_LIFETIME.total_seconds() - 1)
    authenticate(bench.brain, session.access_token, Scope.READ)
    bench.clock.advance(seconds=1)
    with pytest.raises(NotSignedIn) as refused:
        authenticate(bench.brain, session.access_token, Scope.READ)
    assert refused.value.instance_code == "token_expired"


def test_a_session_is_renewed_once(bench: Bench, account: Account) -> None:
    first = sign_in(bench)
    bench.clock.advance(days=1)
    second = refresh_session(bench.brain, refresh_token=first.refresh_token, address=ADDRESS)
    authenticate(bench.brain, second.access_token, Scope.ACCOUNT)
    for token in (first.access_token, first.refresh_token):
        with pytest.raises(NotSignedIn):
            authenticate(bench.brain, token, Scope.READ)
    with pytest.raises(NotSignedIn):
        refresh_session(bench.brain, refresh_token=first.refresh_token, address=ADDRESS)


def test_a_refresh_token_is_good_for_nothing_else(bench: Bench, account: Account) -> None:
    session = sign_in(bench)
    with pytest.raises(NotAllowed):
        authenticate(bench.brain, session.refresh_token, Scope.READ)
    with pytest.raises(NotAllowed):
        refresh_session(bench.brain, refresh_token=session.access_token, address=ADDRESS)


def test_signing_out_ends_the_session_and_no_other(bench: Bench, account: Account) -> None:
    here, there = sign_in(bench), sign_in(bench)
    log_out(bench.brain, authenticate(bench.brain, here.access_token, Scope.ACCOUNT), address=ADDRESS)
    for token in (here.access_token, here.refresh_token):
        with pytest.raises(NotSignedIn):
            authenticate(bench.brain, token, Scope.READ)
    with pytest.raises(NotSignedIn):
        refresh_session(bench.brain, refresh_token=here.refresh_token, address=ADDRESS)
    authenticate(bench.brain, there.access_token, Scope.ACCOUNT)


@pytest.mark.parametrize("token", ["", "cmr_", "cmr_" + "a" * 52, "é", "x" * 10**5])
def test_what_is_no_token_lets_nobody_in(bench: Bench, account: Account, token: str) -> None:
    with pytest.raises(NotSignedIn) as refused:
        authenticate(bench.brain, token, Scope.READ)
    assert refused.value.instance_code == "token_invalid"


def test_guessing_is_slowed_down_per_address_and_account(bench: Bench, account: Account) -> None:
    for _ in range(SIGN_IN.limit):
        with pytest.raises(NotSignedIn):
            sign_in(bench, password="wrong password")
    with pytest.raises(LimitReached) as refused:
        sign_in(bench)
    assert 0 < refused.value.retry_after_s <= SIGN_IN.window.total_seconds()
    sign_in(bench, address="192.0.2.99")
    bench.clock.advance(seconds=refused.value.retry_after_s)
    sign_in(bench)


def test_a_success_clears_the_count(bench: Bench, account: Account) -> None:
    for _ in range(3):
        for _ in range(SIGN_IN.limit - 1):
            with pytest.raises(NotSignedIn):
                sign_in(bench, password="wrong password")
        sign_in(bench)


def test_many_guesses_at_once_are_as_limited_as_one_after_the_other(bench: Bench, account: Account) -> None:
    n_guesses = SIGN_IN.limit + 6
    together = threading.Barrier(n_guesses)

    def guess(number: int) -> type[Exception]:
        together.wait()
        try:
            sign_in(bench, password=f"guess number {number}")
        except (NotSignedIn, LimitReached) as error:
            return type(error)
        raise AssertionError("a guess was right")

    with ThreadPoolExecutor(n_guesses) as threads:
        answers = list(threads.map(guess, range(n_guesses)))
    assert answers.count(NotSignedIn) == SIGN_IN.limit


def test_what_happens_to_an_account_is_written_down(bench: Bench, account: Account) -> None:
    with pytest.raises(NotSignedIn):
        sign_in(bench, password="wrong password")
    session = refresh_session(bench.brain, refresh_token=sign_in(bench).refresh_token, address=ADDRESS)
    log_out(bench.brain, authenticate(bench.brain, session.access_token, Scope.ACCOUNT), address=ADDRESS)
    assert trail(bench, account) == [
        AuditAction.ACCOUNT_CREATED,
        AuditAction.SESSION_REFUSED,
        AuditAction.SESSION_OPENED,
        AuditAction.SESSION_RENEWED,
        AuditAction.SESSION_CLOSED,
    ]


def test_a_hash_of_old_parameters_is_replaced_at_the_next_sign_in(bench: Bench, account: Account) -> None:
    stronger = replace(CHEAPEST, time_cost=2)
    bench.brain = replace(bench.brain, passwords=Passwords(PasswordHasher.from_parameters(stronger)))
    assert "t=1" in account.password_hash
    sign_in(bench)
    with bench.brain.database.read() as transaction:
        kept = transaction.accounts.get(account.id)
    assert kept is not None
    assert "t=2" in kept.password_hash
    sign_in(bench)


def test_expired_tokens_and_old_counts_are_forgotten(bench: Bench, account: Account) -> None:
    sign_in(bench)
    with pytest.raises(NotSignedIn):
        sign_in(bench, password="wrong password")
    bench.clock.advance(seconds=REFRESH_LIFETIME.total_seconds() + 1)
    tidy(bench.brain)
    with bench.brain.database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM tokens")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM tries")).scalar_one() == 0
