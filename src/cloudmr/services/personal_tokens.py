"""Tokens for programs: made, listed and ended by their owner; the secret is shown once."""

from __future__ import annotations

from dataclasses import dataclass, field

from cloudmr.errors import Conflict, NotFound
from cloudmr.model.audit import AuditAction
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.people import Caller
from cloudmr.model.personal_tokens import MOST_TOKENS, check_scope, lifetime, token_name
from cloudmr.model.tokens import Scope, Token, new_secret, secret_hash
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token that was just made, with its secret."""

    token: Token
    secret: str = field(repr=False)


def create_token(brain: Brain, caller: Caller, *, name: str, scope: Scope, lifetime_s: int | None = None) -> NewToken:
    """Make a personal token. One for registering a unit is worth one registration within an hour.

    Raises `InvalidRequest` for a name, scope or lifetime that cannot be, `Conflict` (`too_many_tokens`).
    """
    check_scope(scope)
    name, lives = token_name(name), lifetime(scope, lifetime_s)
    secret = new_secret(brain.entropy)
    token_id = brain.new_id(Kind.TOKEN)
    token = Token(
        id=token_id,
        owner_id=caller.id,
        session_id=token_id,
        secret_hash=secret_hash(secret),
        scope=scope,
        created_at=brain.now(),
        expires_at=brain.now() + lives,
        name=name,
    )
    with brain.database.write() as transaction:
        if len(transaction.tokens.personal_of(caller.id)) >= MOST_TOKENS:
            raise Conflict(
                f"You have {MOST_TOKENS} tokens already.", "Revoke those you do not need.", code="too_many_tokens"
            )
        transaction.tokens.add([token])
        audit(brain, transaction, caller, AuditAction.TOKEN_CREATED, target=token.id, reason=f"{scope}: {name}")
    return NewToken(token=token, secret=secret)


def list_tokens(brain: Brain, caller: Caller) -> list[Token]:
    """Return the caller's personal tokens that were not revoked, the latest first."""
    with brain.database.read() as transaction:
        return transaction.tokens.personal_of(caller.id)


def revoke_token(brain: Brain, caller: Caller, token_id: str) -> None:
    """End one of the caller's personal tokens. Raises `NotFound`."""
    with brain.database.write() as transaction:
        token = transaction.tokens.get(token_id) if is_id(Kind.TOKEN, token_id) else None
        if token is None or token.owner_id != caller.id or token.name is None or token.revoked_at is not None:
            raise NotFound("token")
        transaction.tokens.revoke(token.id, at=brain.now())
        audit(brain, transaction, caller, AuditAction.TOKEN_REVOKED, target=token.id, reason=token.name)
