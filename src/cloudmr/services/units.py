"""What a person does with computing units: look at them, name them, choose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict, NotAllowed, NotFound
from cloudmr.model.audit import AuditAction
from cloudmr.model.findings import Finding
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.people import Caller
from cloudmr.model.permissions import Permission
from cloudmr.model.registration import clean_alias
from cloudmr.model.unit_health import Care
from cloudmr.model.units import ComputingUnit, UnitStatus
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain


@dataclass(frozen=True, kw_only=True)
class UnitReport:
    """A unit, what was found there the last time, and when it is looked at again (None: never)."""

    unit: ComputingUnit
    findings: Sequence[Finding]
    care: Care | None


def open_unit(transaction: Transaction, caller: Caller, unit_id: str) -> ComputingUnit:
    """Return a unit that the caller may use. Raise `NotFound` for another one."""
    unit = transaction.units.get(unit_id) if is_id(Kind.UNIT, unit_id) else None
    if unit is None or not unit.is_open_to(caller.id):
        raise NotFound("computing unit")
    return unit


def managed_unit(transaction: Transaction, caller: Caller, unit_id: str) -> ComputingUnit:
    """Return a unit that is the caller's to manage, kept from others until the transaction ends.

    Raises `NotFound`, and `NotAllowed` (`admin_needed`) for a shared unit, which administrators manage.
    """
    open_unit(transaction, caller, unit_id)
    unit = transaction.units.get_for_change(unit_id)
    if unit is None or not unit.is_open_to(caller.id):
        raise NotFound("computing unit")
    if unit.owner_id is None and not caller.is_admin:
        raise NotAllowed(
            "The shared computing unit is managed by administrators.",
            "Ask one, or use a computing unit of your own (mode 2).",
            code="admin_needed",
        )
    return unit


def get_unit(brain: Brain, caller: Caller, unit_id: str) -> ComputingUnit:
    """Return one unit. Raises `NotFound`."""
    with brain.database.read() as transaction:
        return open_unit(transaction, caller, unit_id)


def unit_report(brain: Brain, caller: Caller, unit_id: str) -> UnitReport:
    """Return a unit with what was found there. Raises `NotFound`, `NotAllowed` (`admin_needed`)."""
    with brain.database.write() as transaction:
        unit = managed_unit(transaction, caller, unit_id)
        return UnitReport(unit=unit, findings=transaction.findings.of(unit.id), care=transaction.unit_care.get(unit.id))


def rename_unit(brain: Brain, caller: Caller, unit_id: str, *, alias: str) -> ComputingUnit:
    """Call a unit something else. Raises `NotFound`, `NotAllowed`, `InvalidRequest`."""
    alias = clean_alias(alias)
    with brain.database.write() as transaction:
        unit = managed_unit(transaction, caller, unit_id)
        renamed = replace(unit, alias=alias)
        transaction.units.replace(renamed)
        audit(brain, transaction, caller, AuditAction.UNIT_CHANGED, target=unit.id, reason="It got another name.")
        return renamed


def choose_default(brain: Brain, caller: Caller, unit_id: str) -> ComputingUnit:
    """Have a person's data and jobs go to a unit unless they say otherwise; the shared one is everybody's at first.

    Raises `NotFound`, `Conflict` (`unit_gone`) for a unit that is no longer there.
    """
    with brain.database.write() as transaction:
        unit = open_unit(transaction, caller, unit_id)
        if unit.status is UnitStatus.GONE:
            raise Conflict(
                f"The computing unit {unit.alias} is no longer there.",
                "Choose another unit, or deploy this one again.",
                code="unit_gone",
            )
        transaction.units.make_default(caller.id, unit.id if unit.owner_id is not None else None)
        audit(brain, transaction, caller, AuditAction.UNIT_CHANGED, target=unit.id, reason="It became the default.")
        return open_unit(transaction, caller, unit_id)


def unit_permissions(brain: Brain, caller: Caller, unit_id: str) -> tuple[ComputingUnit, Sequence[Permission]]:
    """Return what CloudMR Brain may do in a unit, as declared and as measured now.

    Raises `NotFound`, `NotAllowed` (`admin_needed`), `UnitUnavailable`.
    """
    with brain.database.write() as transaction:
        unit = managed_unit(transaction, caller, unit_id)
    return unit, brain.connect(unit).probe.permissions()
