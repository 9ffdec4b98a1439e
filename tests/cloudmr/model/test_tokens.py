from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bench import NOON
from cloudmr.errors import NotAllowed, NotSignedIn
from cloudmr.model.tokens import Scope, Token, new_secret, secret_hash

TOKEN = Token(
    id="token_1",
    owner_id="user_1",
    session_id="token_1",
    secret_hash=secret_hash("cmr_x"),
    scope=Scope.ACCOUNT,
    created_at=NOON,
    expires_at=NOON + timedelta(hours=1),
)
ALLOWED = {
    Scope.ACCOUNT: {Scope.ACCOUNT, Scope.READ, Scope.JOB_WRITE, Scope.UNIT_REGISTER},
    Scope.JOB_WRITE: {Scope.JOB_WRITE, Scope.READ},
    Scope.READ: {Scope.READ},
    Scope.UNIT_REGISTER: {Scope.UNIT_REGISTER},
    Scope.REFRESH: {Scope.REFRESH},
}


@pytest.mark.parametrize("held", Scope)
@pytest.mark.parametrize("needed", Scope)
def test_a_token_is_good_for_its_scope_and_what_that_includes(held: Scope, needed: Scope) -> None:
    token = replace(TOKEN, scope=held)
    if needed in ALLOWED[held]:
        token.require(needed, now=NOON)
    else:
        with pytest.raises(NotAllowed) as refused:
            token.require(needed, now=NOON)
        assert refused.value.instance_code == "wrong_scope"


def test_a_token_ends() -> None:
    TOKEN.require(Scope.READ, now=TOKEN.expires_at - timedelta(microseconds=1))
    for token, now in ((TOKEN, TOKEN.expires_at), (replace(TOKEN, revoked_at=NOON), NOON)):
        with pytest.raises(NotSignedIn):
            token.require(Scope.READ, now=now)


def test_a_secret_is_recognisable_and_holds_every_random_bit() -> None:
    assert re.fullmatch(r"cmr_[a-z2-7]{52}", new_secret(lambda count: bytes(count)))
    assert new_secret(lambda count: b"\x01" + bytes(count - 1)) != new_secret(lambda count: bytes(count))
    assert new_secret(lambda count: bytes(count - 1) + b"\x01") != new_secret(lambda count: bytes(count))


def test_only_a_hash_is_kept_and_not_shown() -> None:
    assert secret_hash("cmr_x") == hashlib.sha256(b"cmr_x").hexdigest()
    assert TOKEN.secret_hash not in repr(TOKEN)
