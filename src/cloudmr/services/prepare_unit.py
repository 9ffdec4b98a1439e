"""A computing unit is announced, before anything of it exists: it gets its id, and the ExternalId of its role."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict, NotAllowed
from cloudmr.model.addresses import is_for_everybody
from cloudmr.model.arns import check_account_id, check_region
from cloudmr.model.audit import AuditAction
from cloudmr.model.ids import Kind
from cloudmr.model.people import Caller
from cloudmr.model.registration import EXTERNAL_ID_BYTES, Preparation, not_set_up
from cloudmr.model.tokens import Scope, Token
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.throttling import PREPARE, count_try, try_key

PREPARED_FOR = timedelta(days=1)
"""How long a repeated announcement is the same: a deployment that was begun is gone on with."""


def prepare_unit(brain: Brain, caller: Caller, *, aws_account_id: str, region: str, image_tag: str) -> Preparation:
    """Announce a unit for an account and a region; said again within a day, it is the same unit.

    Raises `InvalidRequest` for what is no account, region or tag; `Conflict` where units cannot reach this Brain
    (`public_url_private`), where it was not set up to reach them (`aws_not_set_up`), or has no image for the region
    (`region_without_image`); `NotAllowed` for the operator's own account (`admin_needed`) and for a token that was used
    (`token_spent`); `LimitReached`.
    """
    account_id, region = check_account_id(aws_account_id), check_region(region)
    for obstacle in obstacles(brain):
        raise obstacle
    if account_id == brain.operator.account_id and not caller.is_admin:
        raise NotAllowed(
            "This is the operator's own account; only an administrator registers a unit there.",
            "Use the credentials of your own AWS account.",
            code="admin_needed",
        )
    image_uri = brain.operator.image_uri(region, image_tag)
    count_try(brain, PREPARE, try_key("prepare", caller.id))
    with brain.database.write() as transaction:
        token = registration_token(transaction, caller)
        if token is not None and token.spent_at is not None:
            raise token_spent()
        now = brain.now()
        preparations = transaction.preparations
        earlier = preparations.open_for(caller.id, aws_account_id=account_id, region=region, since=now - PREPARED_FOR)
        if earlier is not None and earlier.image_uri == image_uri:
            return earlier
        preparation = Preparation(
            unit_id=brain.new_id(Kind.UNIT),
            owner_id=caller.id,
            aws_account_id=account_id,
            region=region,
            external_id=base64.b32encode(brain.entropy(EXTERNAL_ID_BYTES)).decode().rstrip("=").lower(),
            image_uri=image_uri,
            created_at=now,
        )
        preparations.add(preparation)
        audit(brain, transaction, caller, AuditAction.UNIT_PREPARED, target=preparation.unit_id)
        return preparation


def registration_token(transaction: Transaction, caller: Caller) -> Token | None:
    """Return the token the caller came with if it is worth one registration, None if it is a session's."""
    token = transaction.tokens.get(caller.token_id)
    return token if token is not None and token.scope is Scope.UNIT_REGISTER else None


def token_spent() -> NotAllowed:
    """Return the error of a token that was used for its one registration."""
    return NotAllowed(
        "This token was worth one registration, and has been used for it.",
        "Make another with `cloudmr token create`, or sign in.",
        code="token_spent",
    )


def obstacles(brain: Brain) -> list[Conflict]:
    """Return all that keeps units in AWS accounts from being announced here; it is the operator's to mend."""
    missing = {
        "CLOUDMR_BRAIN_PRINCIPAL_ARN": brain.operator.principal_arn,
        "CLOUDMR_IMAGE_REPOSITORY": brain.operator.image_repository,
    }
    not_set = [not_set_up(setting) for setting, value in missing.items() if value is None]
    return [*_unreachable(brain), *not_set]


def _unreachable(brain: Brain) -> Iterator[Conflict]:
    if brain.is_private_url_allowed:
        return
    if not is_for_everybody(brain.public_url):
        yield Conflict(
            f"A unit in AWS could not reach this CloudMR Brain: its public address is {brain.public_url}.",
            "Its operator sets CLOUDMR_PUBLIC_URL to an address that can be reached from everywhere.",
            code="public_url_private",
        )
    elif not brain.public_url.startswith("https://"):
        yield Conflict(
            f"Tokens would be readable on their way to this CloudMR Brain: its public address is {brain.public_url}.",
            "Its operator puts TLS before it, and sets CLOUDMR_PUBLIC_URL to the https:// address.",
            code="public_url_private",
        )
