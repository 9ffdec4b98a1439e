"""A unit that was asked for with a one-registration token, from the token to the unit that came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloudmr.errors import NotFound
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.people import Caller
from cloudmr.model.tokens import Scope
from cloudmr.model.units import ComputingUnit
from cloudmr.services.brain import Brain


class ArrivalState(StrEnum):
    """How far a registration is."""

    AWAITED = "awaited"
    """Nothing was heard of a stack yet."""
    HEARD = "heard"
    """A stack has shown the token; it is being made."""
    REGISTERED = "registered"
    """The unit is there."""
    ENDED = "ended"
    """The token has ended, and nothing came of it."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """How far it is, since when, until when the token is good, and the unit once it is there."""

    state: ArrivalState
    token_id: str
    heard_at: datetime | None
    expires_at: datetime
    unit: ComputingUnit | None = None


def await_unit(brain: Brain, caller: Caller, token_id: str) -> Arrival:
    """Return what came of one of the caller's tokens for a registration. Raises `NotFound`.

    Somebody who then signed in at the terminal instead of using the token still sees their unit arrive.
    """
    with brain.database.read() as transaction:
        token = transaction.tokens.get(token_id) if is_id(Kind.TOKEN, token_id) else None
        if token is None or token.owner_id != caller.id or token.scope is not Scope.UNIT_REGISTER:
            raise NotFound("token")
        mine = [unit for unit in transaction.units.open_to(caller.id) if unit.owner_id == caller.id]
    unit = next((each for each in mine if each.registration_token_id == token.id), None)
    unit = unit or next((each for each in mine if each.created_at >= token.created_at), None)
    if unit is not None:
        state = ArrivalState.REGISTERED
    elif brain.now() >= token.expires_at or token.revoked_at is not None:
        state = ArrivalState.ENDED
    else:
        state = ArrivalState.HEARD if token.last_used_at else ArrivalState.AWAITED
    return Arrival(state=state, token_id=token.id, heard_at=token.last_used_at, expires_at=token.expires_at, unit=unit)
