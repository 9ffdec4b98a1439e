"""/api/token: personal tokens, for programs."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from cloudmr.api.access import Owner, TheBrain
from cloudmr.api.bodies import Body, IdText
from cloudmr.model.tokens import Scope, Token
from cloudmr.services.personal_tokens import create_token, list_tokens, revoke_token

router = APIRouter(prefix="/api/token", tags=["tokens"])

_EXAMPLE: dict[str, JsonValue] = {
    "id": "token_01jd3v6w0s8k2m4n6p8q0r2t4v",
    "name": "cluster in room 12",
    "scope": "job:write",
    "created_at": "2026-11-22T12:00:00Z",
    "expires_at": "2027-02-20T12:00:00Z",
    "last_used_at": None,
    "spent_at": None,
}


class TokenRequest(Body):
    """A token to come. `expires_in` is in seconds; without it, a usual time for its scope."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "cluster in room 12", "scope": "job:write", "expires_in": 7776000}]}
    )

    name: Annotated[str, StringConstraints(max_length=1024)]
    scope: Scope = Field(description="`read`, `job:write` (includes `read`), or `unit:register` (one hour, once)")
    expires_in: int | None = Field(None, description="seconds")


class TokenAnswer(Body):
    """A personal token, without its secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    spent_at: datetime | None

    @classmethod
    def of(cls, token: Token) -> TokenAnswer:
        """Return a token as JSON has it."""
        return cls(**_fields(token))


class NewTokenAnswer(TokenAnswer):
    """A token that was just made. `token` is its secret, and shown this once."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE | {"token": "cmr_…"}]})

    token: str


class TokenList(Body):
    """Personal tokens that were not revoked, the latest first."""

    tokens: list[TokenAnswer]


@router.post("", status_code=HTTPStatus.CREATED)
def create(body: TokenRequest, caller: Owner, brain: TheBrain) -> NewTokenAnswer:
    """Make a token. Only somebody who signed in can: a token makes no tokens."""
    made = create_token(brain, caller, name=body.name, scope=body.scope, lifetime_s=body.expires_in)
    return NewTokenAnswer(**_fields(made.token), token=made.secret)


@router.get("")
def list_(caller: Owner, brain: TheBrain) -> TokenList:
    """List the caller's tokens."""
    return TokenList(tokens=[TokenAnswer.of(token) for token in list_tokens(brain, caller)])


@router.delete("/{token_id}", status_code=HTTPStatus.NO_CONTENT)
def revoke(token_id: Annotated[IdText, Path(description="id of a token")], caller: Owner, brain: TheBrain) -> Response:
    """End a token: it is good for nothing from now on."""
    revoke_token(brain, caller, token_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _fields(token: Token) -> dict[str, object]:
    return {name: value for name, value in vars(token).items() if name in TokenAnswer.model_fields}
