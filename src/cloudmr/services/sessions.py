"""Signing in, staying signed in, signing out: a session is a pair of tokens that ends as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from cloudmr.database.base import Transaction
from cloudmr.errors import NotAllowed, NotSignedIn
from cloudmr.model.audit import AuditAction, AuditEvent
from cloudmr.model.ids import Kind
from cloudmr.model.people import Account, AccountStatus, Caller
from cloudmr.model.tokens import ACCESS_LIFETIME, REFRESH_LIFETIME, Scope, Token, new_secret, secret_hash
from cloudmr.services.brain import Brain
from cloudmr.services.silence import as_if_for_somebody, find_account
from cloudmr.services.throttling import ACCOUNT_SIGN_IN, ADDRESS_SIGN_IN, SIGN_IN, account_key, count_tries, place_key

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
    keys = (place_key(f"sign-in|{email.strip().lower()}", address), account_key(email))
    count_tries(
        brain,
        (SIGN_IN, keys[0]),
        (ACCOUNT_SIGN_IN, keys[1]),
        (ADDRESS_SIGN_IN, place_key("sign-in", address)),
    )
    account = find_account(brain, email)
    if not brain.passwords.matches(account.password_hash if account else None, password) or account is None:
        with brain.database.write() as transaction:
            if account is not None:
                transaction.accounts.audit(_refused(brain, account, address))
            else:
                as_if_for_somebody(brain, transaction, n_rows=1)
        raise NotSignedIn(
            "The e-mail address or the password is wrong.",
            "Check both; register if you have no account.",
            code="wrong_credentials",
        )
    if account.status is not AccountStatus.ACTIVE:
        with brain.database.write() as transaction:
            transaction.accounts.audit(_refused(brain, account, address))
        raise _not_active(account)
    fresh_hash = brain.passwords.hash(password) if brain.passwords.is_outdated(account.password_hash) else None
    with brain.database.write() as transaction:
        for key in keys:
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
                    actor_id=caller.id,
                    address=address,
                    token_id=token.id,
                )
            )


def authenticate(brain: Brain, secret: str, scope: Scope, *, address: str = "unknown") -> Caller:
    """Return who holds this access token. Raise `NotSignedIn`, or `NotAllowed` if it is not good for `scope`."""
    with brain.database.read() as transaction:
        token, account = _find(transaction, secret)
    token.require(scope, now=brain.now())
    if token.last_used_at is None or brain.now() - token.last_used_at >= _TOUCH_EVERY:
        with brain.database.write() as transaction:
            transaction.tokens.touch(token.id, at=brain.now())
    return Caller(id=account.id, is_admin=account.is_admin, token_id=token.id, address=address)


def _find(transaction: Transaction, secret: str) -> tuple[Token, Account]:
    token = transaction.tokens.by_hash(secret_hash(secret))
    account = transaction.accounts.get(token.owner_id) if token else None
    if token is None or account is None:
        raise NotSignedIn("The access token is not valid.", "Sign in again.", code="token_invalid")
    if account.status is not AccountStatus.ACTIVE:
        raise _not_active(account)
    return token, account


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
        AuditEvent(
            account_id=account.id,
            at=now,
            action=action,
            actor_id=account.id,
            address=address,
            token_id=ids[Scope.ACCOUNT],
        )
    )
    return Session(
        account=account,
        access_token=secrets[Scope.ACCOUNT],
        refresh_token=secrets[Scope.REFRESH],
        expires_in_s=int(ACCESS_LIFETIME.total_seconds()),
    )


def _refused(brain: Brain, account: Account, address: str) -> AuditEvent:
    return AuditEvent(account_id=account.id, at=brain.now(), action=AuditAction.SESSION_REFUSED, address=address)


def _not_active(account: Account) -> NotAllowed:
    if account.status is AccountStatus.PENDING:
        return NotAllowed(
            "The e-mail address of this account is not confirmed yet.",
            "Open the link in the mail that was sent to it, or ask for another.",
            code="account_not_active",
        )
    return NotAllowed(
        f"This account is {account.status}.", "Write to the operator of CloudMR Brain.", code="account_not_active"
    )
