"""Accounts where mails arrive: confirming an address, resetting and changing a password, telling nobody who is here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from bench import PASSWORD, Bench
from benches import MakeBench
from cloudmr.errors import InvalidRequest, LimitReached, NotAllowed, NotSignedIn
from cloudmr.model.audit import AuditAction, AuditFilter
from cloudmr.model.people import Account, AccountStatus, Caller
from cloudmr.model.tokens import Scope
from cloudmr.services.accounts import own_audit
from cloudmr.services.change_password import ask_for_reset, change_password, reset_password
from cloudmr.services.confirm_account import confirm_account, resend_confirmation
from cloudmr.services.deliver_messages import deliver_messages
from cloudmr.services.personal_tokens import create_token
from cloudmr.services.register_account import register_account
from cloudmr.services.sessions import authenticate, log_in
from cloudmr.services.throttling import ACCOUNT_SIGN_IN, ADDRESS_SIGN_IN, LINK, MAIL, SIGN_IN
from cloudmr.services.tidy import tidy

EMAIL = "ada@example.org"
ADDRESS = "192.0.2.1"
OTHER = "another horse entirely"


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    return make_bench(confirms_addresses=True)


def register(bench: Bench, *, email: str = EMAIL, password: str = PASSWORD, address: str = ADDRESS) -> Account:
    return register_account(bench.brain, email=email, password=password, address=address)


def sign_in(bench: Bench, *, email: str = EMAIL, password: str = PASSWORD, address: str = ADDRESS) -> Caller:
    session = log_in(bench.brain, email=email, password=password, address=address)
    return authenticate(bench.brain, session.access_token, Scope.ACCOUNT, address=address)


def mails(bench: Bench) -> list[str]:
    """Deliver what waits, and return the bodies of all mails."""
    while deliver_messages(bench.brain):
        pass
    return [parcel.body for parcel in bench.mail.arrived]


def last_secret(bench: Bench) -> str:
    found = re.search(r"#([0-9a-f]{64})$", mails(bench)[-1], re.MULTILINE)
    assert found is not None
    return found[1]


def confirm(bench: Bench, secret: str, *, password: str = PASSWORD) -> None:
    confirm_account(bench.brain, secret=secret, password=password, address=ADDRESS)


@pytest.fixture
def account(bench: Bench) -> Account:
    account = register(bench)
    confirm(bench, last_secret(bench))
    return account


def test_an_account_begins_when_its_owner_opens_the_mail(bench: Bench) -> None:
    assert register(bench).status is AccountStatus.PENDING
    with pytest.raises(NotAllowed, match="not confirmed") as refused:
        sign_in(bench)
    assert refused.value.instance_code == "account_not_active"
    secret = last_secret(bench)
    assert bench.mail.arrived[-1].target == EMAIL
    confirm(bench, secret)
    sign_in(bench)


def test_a_wrong_password_does_not_learn_that_an_account_waits(bench: Bench) -> None:
    register(bench)
    with pytest.raises(NotSignedIn):
        sign_in(bench, password="wrong password")


def test_a_link_is_good_once_and_for_its_time(bench: Bench) -> None:
    register(bench)
    secret = last_secret(bench)
    bench.clock.advance(days=3)
    with pytest.raises(NotAllowed) as refused:
        confirm(bench, secret)
    assert refused.value.instance_code == "link_not_good"
    resend_confirmation(bench.brain, email=EMAIL, address=ADDRESS)
    secret = last_secret(bench)
    confirm(bench, secret)
    with pytest.raises(NotAllowed):
        confirm(bench, secret)


def test_the_link_alone_does_not_open_an_account_that_somebody_else_prepared(bench: Bench) -> None:
    """Somebody registers with an address of another, who opens the link: without the password nothing comes of it."""
    register(bench, password=OTHER, address="192.0.2.66")
    secret = last_secret(bench)
    with pytest.raises(NotSignedIn):
        confirm(bench, secret, password=PASSWORD)
    register(bench)
    with pytest.raises(NotAllowed):
        confirm(bench, secret, password=OTHER)
    confirm(bench, last_secret(bench))
    with pytest.raises(NotSignedIn):
        sign_in(bench, password=OTHER)
    sign_in(bench)


def test_registering_an_address_twice_is_answered_alike_and_told_to_its_owner(bench: Bench, account: Account) -> None:
    again, new = register(bench, password=OTHER), register(bench, email="bob@example.org")
    assert vars(again).keys() == vars(new).keys()
    assert again.status is new.status is AccountStatus.PENDING
    assert again.id != account.id
    assert any("There is one already" in mail for mail in mails(bench))
    sign_in(bench)
    with pytest.raises(NotSignedIn):
        sign_in(bench, password=OTHER)


def test_a_reset_ends_every_session_and_token_and_tells_the_owner(bench: Bench, account: Account) -> None:
    session = log_in(bench.brain, email=EMAIL, password=PASSWORD, address=ADDRESS)
    token = create_token(bench.brain, sign_in(bench), name="cluster", scope=Scope.READ).secret
    ask_for_reset(bench.brain, email=EMAIL, address=ADDRESS)
    secret = last_secret(bench)
    reset_password(bench.brain, secret=secret, new_password=OTHER, address=ADDRESS)
    for held in (session.access_token, session.refresh_token, token):
        with pytest.raises(NotSignedIn):
            authenticate(bench.brain, held, Scope.READ)
    with pytest.raises(NotSignedIn):
        sign_in(bench)
    sign_in(bench, password=OTHER)
    assert "password of your account" in mails(bench)[-1]
    with pytest.raises(NotAllowed):
        reset_password(bench.brain, secret=secret, new_password=PASSWORD, address=ADDRESS)


def test_of_several_reset_links_one_is_used_and_none_is_left(bench: Bench, account: Account) -> None:
    secrets = []
    for _ in range(2):
        ask_for_reset(bench.brain, email=EMAIL, address=ADDRESS)
        secrets.append(last_secret(bench))
    reset_password(bench.brain, secret=secrets[0], new_password=OTHER, address=ADDRESS)
    with pytest.raises(NotAllowed):
        reset_password(bench.brain, secret=secrets[1], new_password=PASSWORD, address=ADDRESS)


def test_a_reset_link_lives_an_hour(bench: Bench, account: Account) -> None:
    ask_for_reset(bench.brain, email=EMAIL, address=ADDRESS)
    secret = last_secret(bench)
    bench.clock.advance(hours=1)
    with pytest.raises(NotAllowed):
        reset_password(bench.brain, secret=secret, new_password=OTHER, address=ADDRESS)


def test_a_reset_confirms_the_address_too(bench: Bench) -> None:
    register(bench, password=OTHER)
    ask_for_reset(bench.brain, email=EMAIL, address=ADDRESS)
    reset_password(bench.brain, secret=last_secret(bench), new_password=PASSWORD, address=ADDRESS)
    sign_in(bench)


def test_links_are_good_for_their_purpose_only(bench: Bench, account: Account) -> None:
    register(bench, email="bob@example.org")
    to_confirm = last_secret(bench)
    ask_for_reset(bench.brain, email=EMAIL, address=ADDRESS)
    to_reset = last_secret(bench)
    with pytest.raises(NotAllowed):
        reset_password(bench.brain, secret=to_confirm, new_password=OTHER, address=ADDRESS)
    with pytest.raises(NotAllowed):
        confirm(bench, to_reset)


def test_a_suspended_account_resets_nothing(bench: Bench, account: Account) -> None:
    ask_for_reset(bench.brain, email=EMAIL, address=ADDRESS)
    secret = last_secret(bench)
    with bench.brain.database.write() as transaction:
        transaction.accounts.set_status(account.id, AccountStatus.SUSPENDED)
    with pytest.raises(NotAllowed):
        reset_password(bench.brain, secret=secret, new_password=OTHER, address=ADDRESS)
    n_mails = len(mails(bench))
    ask_for_reset(bench.brain, email=EMAIL, address=ADDRESS)
    assert len(mails(bench)) == n_mails


def test_a_changed_password_ends_other_sessions_and_no_token(bench: Bench, account: Account) -> None:
    here, there = (log_in(bench.brain, email=EMAIL, password=PASSWORD, address=ADDRESS) for _ in range(2))
    caller = authenticate(bench.brain, here.access_token, Scope.ACCOUNT)
    token = create_token(bench.brain, caller, name="cluster", scope=Scope.READ).secret
    with pytest.raises(NotSignedIn) as refused:
        change_password(bench.brain, caller, old_password="wrong password", new_password=OTHER)
    assert refused.value.instance_code == "wrong_credentials"
    with pytest.raises(InvalidRequest):
        change_password(bench.brain, caller, old_password=PASSWORD, new_password="short")
    change_password(bench.brain, caller, old_password=PASSWORD, new_password=OTHER)
    for held in (here.access_token, token):
        authenticate(bench.brain, held, Scope.READ)
    for held in (there.access_token, there.refresh_token):
        with pytest.raises(NotSignedIn):
            authenticate(bench.brain, held, Scope.READ)
    sign_in(bench, password=OTHER)
    assert "password of your account" in mails(bench)[-1]


def test_an_old_password_is_not_guessed_from_within(bench: Bench, account: Account) -> None:
    caller = sign_in(bench)
    for _ in range(ACCOUNT_SIGN_IN.limit):
        with pytest.raises(NotSignedIn):
            change_password(bench.brain, caller, old_password="wrong password", new_password=OTHER)
    with pytest.raises(LimitReached):
        change_password(bench.brain, caller, old_password=PASSWORD, new_password=OTHER)


ASKED: dict[str, Callable[[Bench, str, str], object]] = {
    "register": lambda bench, email, address: register(bench, email=email, password=OTHER, address=address),
    "resend": lambda bench, email, address: resend_confirmation(bench.brain, email=email, address=address),
    "forgot": lambda bench, email, address: ask_for_reset(bench.brain, email=email, address=address),
}


@pytest.mark.parametrize("asked", ASKED)
def test_nothing_tells_an_address_with_an_account_from_one_without(bench: Bench, asked: str) -> None:
    """The same answer, and as many rows written in as many transactions: active, pending, suspended, and nobody."""
    emails = {name: f"{name}@example.org" for name in ("active", "pending", "suspended", "nobody")}
    for name in ("active", "pending", "suspended"):
        account = register(bench, email=emails[name])
        with bench.brain.database.write() as transaction:
            transaction.accounts.set_status(account.id, AccountStatus(name))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(("INSERT", "BEGIN IMMEDIATE", "SELECT pg_advisory_xact_lock")):
            statements.append(statement.partition(" ")[0])
        if statement.startswith(("UPDATE accounts", "UPDATE one_time_tokens")):
            statements.append("INSERT")

    event.listen(bench.brain.database.engine, "before_cursor_execute", note)
    bench.clock.advance(days=2)
    tidy(bench.brain)
    seen: dict[str, tuple[Any, list[str]]] = {}
    for number, (name, email) in enumerate(emails.items()):
        statements.clear()
        answer = ASKED[asked](bench, email, f"192.0.2.{10 + number}")
        shape = (answer.status, answer.is_admin, answer.name) if isinstance(answer, Account) else answer
        seen[name] = (shape, statements.copy())
    if asked == "forgot":
        # A pending account gets a link as an active one does; only a suspended one gets none.
        assert len(mails(bench)) == 3 + 2
    for one in seen.values():
        assert one == seen["nobody"]


def test_as_many_hashes_are_made_for_a_known_address_as_for_an_unknown_one(
    bench: Bench, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    original = type(bench.brain.passwords).hash

    def counted(self: Any, password: str) -> str:
        hashed.append(password)
        return original(self, password)

    monkeypatch.setattr(type(bench.brain.passwords), "hash", counted)
    register(bench, password=OTHER)
    register(bench, email="bob@example.org", password=OTHER)
    assert len(hashed) == 2


def test_nobody_is_flooded_with_mails(bench: Bench) -> None:
    for number in range(MAIL.limit):
        ask_for_reset(bench.brain, email=EMAIL, address=f"192.0.2.{number}")
    with pytest.raises(LimitReached):
        ask_for_reset(bench.brain, email=EMAIL, address="192.0.2.200")
    for number in range(LINK.limit):
        resend_confirmation(bench.brain, email=f"person{number}@example.org", address="2001:db8::1")
    with pytest.raises(LimitReached):
        resend_confirmation(bench.brain, email="eve@example.org", address="2001:db8::ffff")


def test_links_are_not_guessed(bench: Bench, account: Account) -> None:
    for number in range(LINK.limit):
        with pytest.raises(NotAllowed):
            reset_password(bench.brain, secret=f"{number:064x}", new_password=OTHER, address=ADDRESS)
    with pytest.raises(LimitReached):
        reset_password(bench.brain, secret="0" * 64, new_password=OTHER, address=ADDRESS)


def test_guessing_one_password_for_many_accounts_is_slowed_down_by_the_network_address(bench: Bench) -> None:
    for number in range(ADDRESS_SIGN_IN.limit):
        with pytest.raises(NotSignedIn):
            sign_in(bench, email=f"person{number}@example.org")
    with pytest.raises(LimitReached):
        sign_in(bench, email="eve@example.org")


def test_guessing_from_many_addresses_is_slowed_down_by_the_account(bench: Bench, account: Account) -> None:
    for number in range(ACCOUNT_SIGN_IN.limit):
        with pytest.raises(NotSignedIn):
            sign_in(bench, password="wrong password", address=f"198.51.{number}.1")
    with pytest.raises(LimitReached):
        sign_in(bench, address="203.0.113.1")
    bench.clock.advance(seconds=ACCOUNT_SIGN_IN.window.total_seconds())
    sign_in(bench, address="203.0.113.1")


def test_an_ipv6_network_counts_as_one_address(bench: Bench, account: Account) -> None:
    for number in range(SIGN_IN.limit):
        with pytest.raises(NotSignedIn):
            sign_in(bench, password="wrong password", address=f"2001:db8::{number:x}")
    with pytest.raises(LimitReached):
        sign_in(bench, address="2001:db8::ffff")
    sign_in(bench, address="2001:db8:0:1::1")


def test_all_of_it_is_written_down(bench: Bench, account: Account) -> None:
    ask_for_reset(bench.brain, email=EMAIL, address="203.0.113.1")
    reset_password(bench.brain, secret=last_secret(bench), new_password=OTHER, address="203.0.113.2")
    caller = sign_in(bench, password=OTHER, address="203.0.113.3")
    change_password(bench.brain, caller, old_password=OTHER, new_password=PASSWORD)
    trail = [entry.event for entry in own_audit(bench.brain, caller, AuditFilter(), limit=50)][::-1]
    assert [(each.action, each.address, each.actor_id) for each in trail] == [
        (AuditAction.ACCOUNT_CREATED, ADDRESS, account.id),
        (AuditAction.ACCOUNT_CONFIRMED, ADDRESS, account.id),
        (AuditAction.PASSWORD_RESET_ASKED, "203.0.113.1", None),
        (AuditAction.PASSWORD_RESET, "203.0.113.2", account.id),
        (AuditAction.SESSION_OPENED, "203.0.113.3", account.id),
        (AuditAction.PASSWORD_CHANGED, "203.0.113.3", account.id),
    ]


def test_expired_links_are_forgotten(bench: Bench) -> None:
    register(bench)
    bench.clock.advance(days=4)
    tidy(bench.brain)
    with bench.brain.database.write() as transaction:
        assert transaction.one_time_tokens.forget_expired(before=bench.clock.now) == 0
