"""What people do with their own accounts, beside signing in: look at them, name them, read their audit trail."""

from __future__ import annotations

from dataclasses import replace

from cloudmr.errors import NotFound
from cloudmr.model.audit import AuditAction, AuditEntry, AuditFilter
from cloudmr.model.people import Account, Caller, clean_name
from cloudmr.services.audit import audit
from cloudmr.services.brain import Brain


def rename_account(brain: Brain, caller: Caller, *, name: str) -> Account:
    """Give the caller's account another name, or none. Raises `InvalidRequest`."""
    kept_name = clean_name(name)
    with brain.database.write() as transaction:
        account = transaction.accounts.get(caller.id)
        if account is None:
            raise NotFound("account")
        transaction.accounts.rename(caller.id, kept_name)
        audit(brain, transaction, caller, AuditAction.ACCOUNT_RENAMED)
    return replace(account, name=kept_name)


def own_audit(
    brain: Brain, caller: Caller, wanted: AuditFilter, *, limit: int, before: int | None = None
) -> list[AuditEntry]:
    """Return what happened to the caller's account and things, the latest first, those before a number."""
    with brain.database.read() as transaction:
        return transaction.accounts.audit_entries(replace(wanted, account_id=caller.id), limit=limit, before=before)
