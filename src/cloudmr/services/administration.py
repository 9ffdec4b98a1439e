"""What administrators do: with accounts, with limits, and looking at everybody's jobs and trails."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from cloudmr.database.base import Transaction
from cloudmr.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from cloudmr.model.allowances import Allowance
from cloudmr.model.audit import AuditAction, AuditEntry, AuditEvent, AuditFilter
from cloudmr.model.ids import Kind, is_id
from cloudmr.model.limits import Limits
from cloudmr.model.overview import FailedJob, OpenJob
from cloudmr.model.people import Account, AccountStatus, Caller, check_new_password, normal_email
from cloudmr.model.quotas import QuotaUse
from cloudmr.model.units import Mode, UnitStatus
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain
from cloudmr.services.delete_account import require_another_admin
from cloudmr.services.quotas import quota_use
from cloudmr.services.register_account import new_account
from cloudmr.services.units import UnitReport


@dataclass(frozen=True, kw_only=True)
class AccountView:
    """An account, what was set apart for it, and the limits that come of it."""

    account: Account
    allowance: Allowance
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class Failures:
    """Jobs that ended without success, and how often each cause came up."""

    jobs: list[FailedJob]
    by_code: Mapping[str, int]


def require_admin(caller: Caller) -> None:
    """Raise `NotAllowed` (`not_admin`) for everybody else."""
    if not caller.is_admin:
        raise NotAllowed("This is for administrators.", "Ask an administrator of this CloudMR Brain.", code="not_admin")


def create_admin(brain: Brain, *, email: str, password: str) -> Account:
    """Make an active account that administrates, or let the one with this address do so; from the server only.

    The password of an account that is there stays as it is. Raises `InvalidRequest`.
    """
    email = normal_email(email)
    with brain.database.read() as transaction:
        known = transaction.accounts.by_email(email)
    if known is None:
        check_new_password(password)
        known = new_account(brain, email=email, password=password, status=AccountStatus.ACTIVE, is_admin=True)
        with brain.database.write() as transaction:
            transaction.accounts.add(known)
            _audit_from_server(brain, transaction, known, AuditAction.ACCOUNT_CREATED)
    with brain.database.write() as transaction:
        transaction.accounts.make_admin(known.id)
        transaction.accounts.set_status(known.id, AccountStatus.ACTIVE)
        _audit_from_server(brain, transaction, known, AuditAction.ACCOUNT_MADE_ADMIN)
        account = transaction.accounts.get(known.id)
    assert account is not None
    return account


def list_accounts(
    brain: Brain,
    caller: Caller,
    *,
    text: str | None = None,
    status: AccountStatus | None = None,
    limit: int,
    before: str | None = None,
) -> list[AccountView]:
    """Return accounts, the latest first, those before an id; `text` is looked for in address and name."""
    require_admin(caller)
    with brain.database.read() as transaction:
        found = transaction.accounts.search(text=text, status=status, limit=limit, before=before)
        set_apart = transaction.allowances.of_each([account.id for account in found])
    return [_view(brain, account, set_apart.get(account.id, Allowance())) for account in found]


def get_account(brain: Brain, caller: Caller, account_id: str) -> AccountView:
    """Return one account. Raises `NotFound`."""
    require_admin(caller)
    with brain.database.read() as transaction:
        account = _account(transaction, account_id)
        return _view(brain, account, transaction.allowances.of(account_id))


def quota_of(brain: Brain, caller: Caller, account_id: str) -> QuotaUse:
    """Return what one person has of the shared unit. Raises `NotFound`."""
    require_admin(caller)
    with brain.database.read() as transaction:
        return quota_use(brain, transaction, _account(transaction, account_id).id)


def emails_of(brain: Brain, caller: Caller, account_ids: Collection[str]) -> dict[str, str]:
    """Return the addresses of these accounts by id, for people to read a trail by; deleted ones are left out."""
    require_admin(caller)
    with brain.database.read() as transaction:
        found = [transaction.accounts.get(account_id) for account_id in set(account_ids)]
    return {account.id: account.email for account in found if account is not None and account.deleted_at is None}


def shared_units(brain: Brain, caller: Caller) -> list[UnitReport]:
    """Return the units that everybody uses, with what was found there."""
    require_admin(caller)
    with brain.database.read() as transaction:
        shared = [unit for unit in transaction.units.open_to(caller.id) if unit.owner_id is None]
        return [
            UnitReport(unit=unit, findings=transaction.findings.of(unit.id), care=transaction.unit_care.get(unit.id))
            for unit in shared
        ]


def count_own_units(brain: Brain, caller: Caller) -> dict[UnitStatus, int]:
    """Return how many units of people's own there are, by how they are; whose they are is theirs to know."""
    require_admin(caller)
    with brain.database.read() as transaction:
        counted = transaction.units.count_by_status()
    return {UnitStatus(status): n for (mode, status), n in counted.items() if mode == Mode.MODE_2}


def suspend_account(brain: Brain, caller: Caller, account_id: str, *, reason: str) -> AccountView:
    """Close an account: its sessions and tokens end, its jobs go on. Safe to repeat.

    Raises `NotFound`, `InvalidRequest` without a reason, `Conflict` (`own_account`, `last_admin`).
    """
    require_admin(caller)
    if not reason.strip():
        raise InvalidRequest("A suspension has a reason.", "Say why, in a few words; it is kept in the audit trail.")
    if account_id == caller.id:
        raise Conflict("This is your own account.", "Ask another administrator.", code="own_account")
    with brain.database.write() as transaction:
        account = _account(transaction, account_id)
        if account.status is not AccountStatus.SUSPENDED:
            require_another_admin(transaction, account)
            transaction.accounts.set_status(account_id, AccountStatus.SUSPENDED)
            transaction.tokens.revoke_all_of(account_id, at=brain.now())
            transaction.one_time_tokens.use_all_of(account_id, at=brain.now())
            _audit_of(brain, transaction, caller, account_id, AuditAction.ACCOUNT_SUSPENDED, reason)
    return get_account(brain, caller, account_id)


def activate_account(brain: Brain, caller: Caller, account_id: str, *, reason: str = "") -> AccountView:
    """Open an account that was suspended, or that waits for its mail. Safe to repeat. Raises `NotFound`."""
    require_admin(caller)
    with brain.database.write() as transaction:
        account = _account(transaction, account_id)
        if account.status is not AccountStatus.ACTIVE:
            transaction.accounts.set_status(account_id, AccountStatus.ACTIVE)
            _audit_of(brain, transaction, caller, account_id, AuditAction.ACCOUNT_ACTIVATED, reason)
    return get_account(brain, caller, account_id)


def set_allowance(brain: Brain, caller: Caller, account_id: str, allowance: Allowance) -> AccountView:
    """Set what one person gets of the shared place; None is what everybody gets.

    Raises `NotFound`, `InvalidRequest`.
    """
    require_admin(caller)
    allowance.check()
    with brain.database.write() as transaction:
        _account(transaction, account_id)
        transaction.allowances.put(account_id, allowance, at=brain.now())
        shown = ", ".join(f"{name} {value}" for name, value in vars(allowance).items() if value is not None)
        _audit_of(brain, transaction, caller, account_id, AuditAction.ACCOUNT_LIMITED, shown or "as for everybody")
    return get_account(brain, caller, account_id)


def list_open_jobs(brain: Brain, caller: Caller, *, limit: int, before: str | None = None) -> list[OpenJob]:
    """Return everybody's jobs that have not ended, the latest first, those before an id."""
    require_admin(caller)
    with brain.database.read() as transaction:
        return transaction.job_overview.open(limit=limit, before=before)


def list_failures(
    brain: Brain, caller: Caller, *, within: timedelta, limit: int, before: str | None = None
) -> Failures:
    """Return everybody's jobs that ended without success within a time, the latest first, those before an id."""
    require_admin(caller)
    since = brain.now() - within
    with brain.database.read() as transaction:
        return Failures(
            jobs=transaction.job_overview.failed(since=since, limit=limit, before=before),
            by_code=transaction.job_overview.count_failures(since=since),
        )


def whole_audit(
    brain: Brain, caller: Caller, wanted: AuditFilter, *, limit: int, before: int | None = None
) -> list[AuditEntry]:
    """Return what happened to everybody's accounts and things, the latest first, those before a number."""
    require_admin(caller)
    with brain.database.read() as transaction:
        return transaction.accounts.audit_entries(wanted, limit=limit, before=before)


def _account(transaction: Transaction, account_id: str) -> Account:
    account = transaction.accounts.get(account_id) if is_id(Kind.USER, account_id) else None
    if account is None or account.deleted_at is not None:
        raise NotFound("account")
    return account


def _view(brain: Brain, account: Account, allowance: Allowance) -> AccountView:
    return AccountView(account=account, allowance=allowance, limits=allowance.applied_to(brain.limits))


def _audit_of(
    brain: Brain, transaction: Transaction, caller: Caller, account_id: str, action: AuditAction, reason: str
) -> None:
    audit(brain, transaction, caller, action, account_id=account_id, target=account_id, reason=reason.strip() or None)


def _audit_from_server(brain: Brain, transaction: Transaction, account: Account, action: AuditAction) -> None:
    event = AuditEvent(account_id=account.id, at=brain.now(), action=action, reason="on the server's command line")
    transaction.accounts.audit(event)
