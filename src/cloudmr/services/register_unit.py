"""An announced computing unit says what it is made of; from then on it is looked at, and used once it is verified."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict, NotFound
from cloudmr.model.audit import AuditAction
from cloudmr.model.people import Caller
from cloudmr.model.registration import (
    Preparation,
    Registration,
    clean_alias,
    decide_mode,
    is_same,
    provider_of,
    refuse_what_is_others,
)
from cloudmr.model.unit_health import Care
from cloudmr.model.units import ComputingUnit, Mode, UnitStatus
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.prepare_unit import PREPARED_FOR, registration_token, token_spent


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A unit as it is registered, and a sentence on what comes next."""

    unit: ComputingUnit
    note: str


def register_unit(brain: Brain, caller: Caller, registration: Registration) -> Registered:
    """Register a unit; said again, it is the same unit. A stack that was made anew in its place keeps the unit's id.

    Raises `InvalidRequest` for what is no name of such a thing; `Conflict` where parts are of different accounts
    (`accounts_differ`) or regions, where mode and account contradict each other (`mode_contradicts`), where it was not
    announced (`not_prepared`), or a part belongs to somebody else's unit (`unit_of_another`); `NotAllowed` for mode 1
    without an administrator (`admin_needed`) and for a token that was used (`token_spent`); `NotFound`.
    """
    registration.check()
    mode = decide_mode(registration, brain.operator, is_admin=caller.is_admin)
    owner_id = caller.id if mode is Mode.MODE_2 else None
    with brain.database.write() as transaction:
        _refuse_others(transaction, registration, owner_id)
        known = _known(transaction, registration, owner_id)
        preparation = _preparation(brain, transaction, caller, registration, known)
        if known is not None and is_same(known, registration) and _is_of(known, preparation):
            _spend(brain, transaction, caller, repeats=known)
            return Registered(unit=known, note=_note(transaction, known))
        if preparation is None:
            raise _not_prepared()
        _spend(brain, transaction, caller, repeats=None)
        unit = _unit(brain, caller, registration, preparation, mode, known)
        if known is None:
            transaction.units.add(unit)
        else:
            transaction.units.replace(unit)
        transaction.preparations.mark_registered(preparation.unit_id, at=brain.now())
        transaction.unit_care.put(_care(brain, transaction, unit, wants_default=registration.is_default))
        audit(brain, transaction, caller, AuditAction.UNIT_REGISTERED, target=unit.id)
        note = _note(transaction, unit)
    brain.unit_alarm.set()
    return Registered(unit=unit, note=note)


def _refuse_others(transaction: Transaction, registration: Registration, owner_id: str | None) -> None:
    others = transaction.units.with_state_machine(registration.state_machine_arn)
    others += transaction.units.with_any_of(role_arn=registration.cross_account_role_arn, buckets=registration.buckets)
    refuse_what_is_others(registration, others, owner_id=owner_id)


def _known(transaction: Transaction, registration: Registration, owner_id: str | None) -> ComputingUnit | None:
    """Return the unit that this registration is of, if there is one already: by its id, or by its state machine."""
    if registration.unit_id is not None:
        unit = transaction.units.get_for_change(registration.unit_id)
        if unit is not None:
            if unit.owner_id != owner_id or unit.removed_at is not None:
                raise NotFound("computing unit")
            return unit
    mine = transaction.units.with_state_machine(registration.state_machine_arn)
    return next((unit for unit in mine if unit.owner_id == owner_id), None)


def _preparation(
    brain: Brain,
    transaction: Transaction,
    caller: Caller,
    registration: Registration,
    known: ComputingUnit | None,
) -> Preparation | None:
    """Return the announcement that a registration goes with, None where there is none (any more).

    A unit keeps the id of its first announcement while its stack is made anew from later ones, and stacks say that id
    when they are registered again: it then stands for the last announcement, whose ExternalId the role asks for.
    """
    account_id, region = registration.aws_account_id, registration.region
    if registration.unit_id is None:
        since = brain.now() - PREPARED_FOR
        return transaction.preparations.open_for(caller.id, aws_account_id=account_id, region=region, since=since)
    preparation = transaction.preparations.get(registration.unit_id)
    if preparation is None or preparation.owner_id != caller.id:
        if known is not None and known.id == registration.unit_id:
            return None
        raise NotFound("computing unit")
    if (preparation.aws_account_id, preparation.region) != (account_id, region):
        raise Conflict(
            f"The unit was announced for the account {preparation.aws_account_id} in {preparation.region}, "
            f"not for {account_id} in {region}.",
            "Register it from the account it was announced for, or announce another one.",
            code="accounts_differ",
        )
    if known is not None and known.id == preparation.unit_id and known.external_id and known.image_uri:
        return replace(preparation, external_id=known.external_id, image_uri=known.image_uri)
    return preparation


def _is_of(unit: ComputingUnit, preparation: Preparation | None) -> bool:
    """Tell whether a unit has the ExternalId of this announcement: a stack made anew has another one."""
    return preparation is None or preparation.external_id == unit.external_id


def _spend(brain: Brain, transaction: Transaction, caller: Caller, *, repeats: ComputingUnit | None) -> None:
    """Use up the caller's token, if it is worth one registration. To repeat that registration it is still good."""
    token = registration_token(transaction, caller)
    if token is None or (repeats is not None and repeats.registration_token_id == token.id):
        return
    if not transaction.tokens.spend(token.id, at=brain.now()):
        raise token_spent()


def _unit(
    brain: Brain,
    caller: Caller,
    registration: Registration,
    preparation: Preparation,
    mode: Mode,
    known: ComputingUnit | None,
) -> ComputingUnit:
    account, region = registration.aws_account_id, registration.region
    alias = clean_alias(registration.alias) if registration.alias else f"AWS account {account} in {region}"
    return ComputingUnit(
        id=known.id if known else preparation.unit_id,
        owner_id=caller.id if mode is Mode.MODE_2 else None,
        app_name=registration.app_name,
        mode=mode,
        provider=provider_of(mode),
        alias=known.alias if known and not registration.alias else alias,
        status=UnitStatus.UNVERIFIED,
        status_reason="It was registered, and is looked at now.",
        is_default=known.is_default if known else False,
        data_bucket=registration.data_bucket,
        results_bucket=registration.results_bucket,
        failed_bucket=registration.failed_bucket,
        created_at=known.created_at if known else brain.now(),
        region=region,
        aws_account_id=account,
        state_machine_arn=registration.state_machine_arn,
        cross_account_role_arn=registration.cross_account_role_arn,
        external_id=preparation.external_id,
        image_uri=preparation.image_uri,
        registration_token_id=caller.token_id,
    )


def _care(brain: Brain, transaction: Transaction, unit: ComputingUnit, *, wants_default: bool) -> Care:
    now = brain.now()
    known = transaction.unit_care.get(unit.id)
    return Care(
        unit_id=unit.id,
        check_at=now,
        known_answer_at=now,
        wants_default=wants_default or (known is not None and known.wants_default),
    )


def _note(transaction: Transaction, unit: ComputingUnit) -> str:
    if unit.is_default:
        return (
            "It is your default unit."
            if unit.status is UnitStatus.READY
            else "It is your default unit; it is verified now."
        )
    if unit.status is UnitStatus.READY:
        return "It is registered and verified."
    care = transaction.unit_care.get(unit.id)
    becomes_default = unit.owner_id is not None and (
        (care is not None and care.wants_default) or transaction.units.default_of(unit.owner_id) is None
    )
    if becomes_default:
        return "It is verified now, and becomes your default unit when that has gone well."
    return "It is verified now; jobs wait until that has gone well."


def _not_prepared() -> Conflict:
    return Conflict(
        "This unit was not announced: there is no ExternalId that its role could ask for.",
        "Announce it first (POST /api/computing-unit/prepare), and deploy the stack with what that answers.",
        code="not_prepared",
    )
