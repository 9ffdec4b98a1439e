"""Signing in, staying signed in, signing out: a session is a pair of tokens that ends as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from cloudmr.database.base import Transaction
from cloudmr.errors import InvalidRequest, NotAllowed, NotSignedIn
from cloudmr.model.audit import AuditAction, AuditEvent
from cloudmr.model.ids import Kind
from cloudmr.model.people import Account, AccountStatus, Caller, normal_email
from cloudmr.model.throttle import Tries
from cloudmr.model.tokens import ACCESS_LIFETIME, REFRESH_LIFETIME, Scope, Token, new_secret, secret_hash
from cloudmr.services.brain import Brain
from cloudmr.services.throttling import SIGN_IN, count_try, try_key

_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a person gets by signing in; the secrets are shown this once."""

    account: Account
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int


def log_in(brain: Brain, *, email: str, password: str, address: str) -> Session:
    """Open a session.

    Raises `NotSignedIn` (`wrong_credentials`), the same for an unknown e-mail address and a wrong password;
    `NotAllowed` (`account_not_active`); `LimitReached` for too many tries.
    """
    key = try_key("sign-in", address, email.strip().lower())
    count_try(brain, SIGN_IN, key)
    account = _account(brain, email)
    if not brain.passwords.matches(account.password_hash if account else None, password) or account is None:
        if account is not None:
            _audit(brain, account, AuditAction.SESSION_REFUSED, address)
        else:
            _count_nobody(brain, address)
        raise NotSignedIn(
            "The e-mail address or the password is wrong.",
            "Check both; register if you have no account.",
            code="wrong_credentials",
        )
    if account.status is not AccountStatus.ACTIVE:
        _audit(brain, account, AuditAction.SESSION_REFUSED, address)
        raise _not_active(account)
    fresh_hash = brain.passwords.hash(password) if brain.passwords.is_outdated(account.password_hash) else None
    with brain.database.write() as transaction:
        transaction.tries.clear(key)
        if fresh_hash is not None:
            transaction.accounts.replace_password_hash(account.id, fresh_hash)
        return _open(brain, transaction, account, AuditAction.SESSION_OPENED, address)


def refresh_session(brain: Brain, *, refresh_token: str, address: str) -> Session:
    """Turn a refresh token into a new session; the old one ends.

    Raises `NotSignedIn` for a token that is unknown, expired or was used before, `NotAllowed` for another kind.
    """
    with brain.database.write() as transaction:
        token, account = _find(transaction, refresh_token)
        token.require(Scope.REFRESH, now=brain.now())
        transaction.tokens.revoke_session(token.session_id, at=brain.now())
        return _open(brain, transaction, account, AuditAction.SESSION_RENEWED, address)


def log_out(brain: Brain, caller: Caller, *, address: str) -> None:
    """End the session of the token that was used."""
    with brain.database.write() as transaction:
        token = transaction.tokens.get(caller.token_id)
        if token is not None and transaction.tokens.revoke_session(token.session_id, at=brain.now()):
            transaction.accounts.audit(
                AuditEvent(
                    account_id=caller.id,
                    at=brain.now(),
                    action=AuditAction.SESSION_CLOSED,
                    address=address,
                    token_id=token.id,
                )
            )


def authenticate(brain: Brain, secret: str, scope: Scope) -> Caller:
    """Return who holds this access token. Raise `NotSignedIn`, or `NotAllowed` if it is not good for `scope`."""
    with brain.database.read() as transaction:
        token, account = _find(transaction, secret)
    token.require(scope, now=brain.now())
    if token.last_used_at is None or brain.now() - token.last_used_at >= _TOUCH_EVERY:
        with brain.database.write() as transaction:
            transaction.tokens.touch(token.id, at=brain.now())
    return Caller(id=account.id, is_admin=account.is_admin, token_id=token.id)


def _find(transaction: Transaction, secret: str) -> tuple[Token, Account]:
    token = transaction.tokens.by_hash(secret_hash(secret))
    account = transaction.accounts.get(token.owner_id) if token else None
    if token is None or account is None:
        raise NotSignedIn("The access token is not valid.", "Sign in again.", code="token_invalid")
    if account.status is not AccountStatus.ACTIVE:
        raise _not_active(account)
    return token, account


def _account(brain: Brain, email: str) -> Account | None:
    try:
        email = normal_email(email)
    except InvalidRequest:
        return None
    with brain.database.read() as transaction:
        return transaction.accounts.by_email(email)


def _open(brain: Brain, transaction: Transaction, account: Account, action: AuditAction, address: str) -> Session:
    now = brain.now()
    secrets = {Scope.ACCOUNT: new_secret(brain.entropy), Scope.REFRESH: new_secret(brain.entropy)}
    lifetimes = {Scope.ACCOUNT: ACCESS_LIFETIME, Scope.REFRESH: REFRESH_LIFETIME}
    ids = {scope: brain.new_id(Kind.TOKEN) for scope in secrets}
    transaction.tokens.add(
        Token(
            id=ids[scope],
            owner_id=account.id,
            session_id=ids[Scope.ACCOUNT],
            secret_hash=secret_hash(secret),
            scope=scope,
            created_at=now,
            expires_at=now + lifetimes[scope],
        )
        for scope, secret in secrets.items()
    )
    transaction.accounts.audit(
        AuditEvent(account_id=account.id, at=now, action=action, address=address, token_id=ids[Scope.ACCOUNT])
    )
    return Session(
        account=account,
        access_token=secrets[Scope.ACCOUNT],
        refresh_token=secrets[Scope.REFRESH],
        expires_in_s=int(ACCESS_LIFETIME.total_seconds()),
    )


def _audit(brain: Brain, account: Account, action: AuditAction, address: str) -> None:
    event = AuditEvent(account_id=account.id, at=brain.now(), action=action, address=address)
    with brain.database.write() as transaction:
        transaction.accounts.audit(event)


def _count_nobody(brain: Brain, address: str) -> None:
    """Write once, as `_audit` does for an account: how long a refusal takes must not tell whether there is one.

    It is kept with the tries, and forgotten with them: nobody's audit trail is there for anybody to fill.
    """
    key = try_key("sign-in of nobody", address, brain.new_id(Kind.TOKEN))
    with brain.database.write() as transaction:
        transaction.tries.put(key, Tries(count=1, since=brain.now()))


def _not_active(account: Account) -> NotAllowed:
    return NotAllowed(
        f"This account is {account.status}.", "Write to the operator of CloudMR Brain.", code="account_not_active"
    )
